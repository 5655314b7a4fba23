//! `ch08-sandbox`: runs a command in the sandbox, or reports what a process may do.

mod run;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use look::tell;
use sandbox::probe::{self, Report};

fn main() -> ExitCode {
    let arguments = command().get_matches();
    if arguments.get_flag("explain") {
        tell::start_on_stderr(tell::Format::Text);
    }
    let outcome = match arguments.subcommand() {
        Some(("probe", arguments)) => probe(arguments),
        Some((_, arguments)) => run::run(arguments).map(ExitCode::from),
        None => unreachable!("clap asks for a subcommand"),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("ch08-sandbox: {error:#}");
        ExitCode::from(125)
    })
}

fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    let host = Arg::new("host").long("host").value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new("ch08-sandbox")
        .about("A sandbox, and a look at it from inside")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(flag("explain", "Tell each kernel call"))
        .subcommand(run::command())
        .subcommand(
            Command::new("probe")
                .about("Report as JSON what this process may do, by trying; changes nothing")
                .arg(flag("pretty", "Over several lines"))
                .arg(host.help("An earlier report; tell which namespaces are shared with who made it")),
        )
        .after_help(
            "Examples:\n  ch08-sandbox run rootfs                          a shell in the sandbox\n  \
             ch08-sandbox run --open rootfs                   the same without it, to compare\n  \
             ch08-sandbox run --only execve rootfs echo hi    let one kernel call pass, and see how far that goes\n  \
             ch08-sandbox probe --pretty                      what you may do yourself",
        )
}

fn probe(arguments: &ArgMatches) -> Result<ExitCode> {
    let host = arguments.get_one::<PathBuf>("host").map(|file| earlier(file)).transpose()?;
    let report = probe::report(host.as_ref())?;
    let text = if arguments.get_flag("pretty") {
        serde_json::to_string_pretty(&report)
    } else {
        serde_json::to_string(&report)
    };
    match writeln!(std::io::stdout(), "{}", text?) {
        // Who reads it has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => written.map(|()| ExitCode::SUCCESS).context("write the report"),
    }
}

fn earlier(file: &Path) -> Result<Report> {
    let text = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not a report of this program", file.display()))
}
