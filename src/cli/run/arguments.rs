//! How arguments are described and read.

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches};

/// An option without a value, or with `=true` or `=false`.
pub fn flag(name: &'static str, help: &'static str) -> Arg {
    let boolean = Arg::new(name).long(name).help(help).num_args(0..=1).require_equals(true).hide_default_value(true);
    let boolean = boolean.value_parser(clap::value_parser!(bool)).hide_possible_values(true);
    boolean.default_value("false").default_missing_value("true").value_name("BOOL")
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
