//! How arguments are described and read.

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches};

/// An option without a value.
pub fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
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
