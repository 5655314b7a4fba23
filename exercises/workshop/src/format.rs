//! `--format`, where an answer can be for people or for programs.

use clap::{Arg, ArgMatches};

/// The option.
pub fn argument() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .help("How to say it")
        .value_parser(["text", "json"])
        .default_value("text")
}

/// Whether JSON was asked for.
pub fn is_json(arguments: &ArgMatches) -> bool {
    arguments.get_one::<String>("format").is_some_and(|format| format == "json")
}
