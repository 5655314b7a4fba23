//! `--explain`, which every verb has: tell each kernel call that builds or changes a container.

use clap::{Arg, ArgMatches};
use look::tell::{self, Format};

/// The option.
pub fn argument() -> Arg {
    Arg::new("explain")
        .long("explain")
        .value_name("FORMAT")
        .help("Tell on standard error each kernel call that builds or changes a container, and why")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("text")
        .value_parser(["text", "json"])
}

/// Starts the telling, if it was asked for.
pub fn begin(matches: &ArgMatches) {
    match matches.get_one::<String>("explain").map(String::as_str) {
        None => {}
        Some("json") => tell::start_on_stderr(Format::Json),
        Some(_) => tell::start_on_stderr(Format::Text),
    }
}
