//! Options and arguments as several verbs have them: how they are described, and how they are read.

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches};

/// What help shows for the value of a switch.
const SWITCH: &str = "BOOL";

/// A switch: an option without a value, or with `=true` or `=false`, as each of Docker's is.
pub fn flag(name: &'static str, help: &'static str) -> Arg {
    switch(name, SWITCH, help).default_value("false")
}

/// A switch that is on unless it is switched off.
pub fn on(name: &'static str, help: &'static str) -> Arg {
    switch(name, "true|false", help).default_value("true")
}

fn switch(name: &'static str, shown: &'static str, help: &'static str) -> Arg {
    let switch = Arg::new(name).long(name).help(help).value_name(shown).num_args(0..=1).require_equals(true);
    switch.value_parser(truth).default_missing_value("true").hide_default_value(true)
}

/// What Go takes for true and false.
fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it is true or false".into()),
    }
}

/// How `--help` shows `argument`: that a [`flag`] may have a value, too, would be noise.
pub fn for_help(argument: Arg) -> Arg {
    let is_flag = argument.get_value_names().is_some_and(|names| matches!(names, [name] if name == SWITCH));
    if is_flag {
        argument.action(ArgAction::SetTrue).num_args(0).require_equals(false).hide_default_value(false)
    } else {
        argument
    }
}

/// Docker's scripts give it; there are no signatures here to be checked.
pub fn content_trust() -> Arg {
    flag("disable-content-trust", "Taken for docker's sake").hide(true)
}

/// Podman's option; docker has it in its daemon's settings alone.
pub fn tls_argument() -> Arg {
    on("tls-verify", "With false, take any certificate of the registry, and plain HTTP [default: true]")
}

/// What was said about it.
pub fn tls_verify(matches: &ArgMatches) -> bool {
    matches.get_flag("tls-verify")
}

/// An option with a value.
pub fn value(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An option with a value that can be given more than once.
pub fn values(name: &'static str, shown: &'static str, help: &'static str) -> Arg {
    value(name, shown, help).action(ArgAction::Append)
}

/// What was given for an option.
pub fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.get_one::<String>(name).map(String::as_str)
}

/// [`text`], where an empty one is none: a script's variable that is not set.
pub fn filled<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    text(matches, name).filter(|text| !text.is_empty())
}

/// All that was given for an option.
pub fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}

/// What was given for an option, read by `parse`. The error names the option.
pub fn parsed<T, E>(matches: &ArgMatches, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<Option<T>>
where
    Result<T, E>: Context<T, E>,
{
    text(matches, name).map(|text| parse(text).with_context(|| format!("--{name}"))).transpose()
}

/// Whether a name was typed with a tag or a digest.
pub fn has_version(typed: &str) -> bool {
    typed.contains('@') || typed.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_takes_what_go_takes() {
        let command = || clap::Command::new("x").args([flag("all", "").short('a'), on("human", "").short('H')]);
        for (typed, all, human) in [
            ("x", false, true),
            ("x -a", true, true),
            ("x --all=true --human=false", true, false),
            ("x -a=1 -H=F", true, false),
            ("x -aH", true, true),
            ("x --all=False --human", false, true),
        ] {
            let matches = command().try_get_matches_from(typed.split(' ')).unwrap();
            assert_eq!((matches.get_flag("all"), matches.get_flag("human")), (all, human), "{typed}");
        }
        assert!(command().try_get_matches_from(["x", "--all=perhaps"]).is_err());
    }

    #[test]
    fn a_colon_may_belong_to_a_port() {
        for (typed, has) in [("a", false), ("a:b", true), ("h:5000/a", false), ("h:5000/a:b", true), ("a@b", true)] {
            assert_eq!(has_version(typed), has, "{typed}");
        }
    }
}
