//! `ch08-sandbox`: reports what a process may do.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use sandbox::probe::{self, Report};

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("ch08-sandbox: {error:#}");
            ExitCode::from(125)
        }
    }
}

fn command() -> Command {
    Command::new("ch08-sandbox").about("A sandbox, and a look at it from inside").subcommand_required(true).subcommand(
        Command::new("probe")
            .about("Report as JSON what this process may do, by trying; changes nothing")
            .arg(Arg::new("pretty").long("pretty").help("Over several lines").action(ArgAction::SetTrue))
            .arg(
                Arg::new("host")
                    .long("host")
                    .value_name("FILE")
                    .help("An earlier report; tell which namespaces are shared with who made it")
                    .value_parser(value_parser!(PathBuf)),
            ),
    )
}

fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    match arguments.subcommand() {
        Some(("probe", arguments)) => probe(arguments),
        _ => unreachable!("clap knows the subcommands"),
    }
}

fn probe(arguments: &ArgMatches) -> Result<ExitCode> {
    let host = arguments.get_one::<PathBuf>("host").map(|file| earlier(file)).transpose()?;
    let report = probe::report(host.as_ref())?;
    let text = if arguments.get_flag("pretty") {
        serde_json::to_string_pretty(&report)
    } else {
        serde_json::to_string(&report)
    };
    println!("{}", text?);
    Ok(ExitCode::SUCCESS)
}

fn earlier(file: &Path) -> Result<Report> {
    let text = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not a report of this program", file.display()))
}
