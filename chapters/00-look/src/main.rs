//! `ch00-look`: what the kernel knows about a process.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use look::{Comparison, Evidence};
use nix::unistd::Pid;

mod report;

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ch00-look: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    Command::new("ch00-look")
        .about("Show what the kernel knows about a process, or about two side by side")
        .arg(
            Arg::new("pid")
                .value_name("PID")
                .help("The process; without one, the process that started this program")
                .num_args(0..=2)
                .value_parser(value_parser!(i32).range(1..)),
        )
        .arg(
            Arg::new("compare")
                .long("compare")
                .help("Put two processes side by side: what is shared, what each has of its own")
                .action(ArgAction::SetTrue),
        )
        .arg(Arg::new("json").long("json").help("Print JSON").action(ArgAction::SetTrue))
        .after_help("Examples:\n  ch00-look                    your shell\n  ch00-look 1                  process 1\n  ch00-look --compare 1 $$     process 1 and your shell\n  ch00-look --json $$ | jq .namespaces")
}

fn run(arguments: &ArgMatches) -> Result<()> {
    let pids: Vec<Pid> =
        arguments.get_many::<i32>("pid").into_iter().flatten().map(|pid| Pid::from_raw(*pid)).collect();
    let json = arguments.get_flag("json");
    match (arguments.get_flag("compare"), pids.as_slice()) {
        (true, [a, b]) => {
            let comparison = Comparison::of(&look_at(*a)?, &look_at(*b)?);
            print(json, &comparison, &comparison.to_string())
        }
        (true, _) => anyhow::bail!("--compare needs two process ids: ch00-look --compare 1 $$"),
        (false, [_, _]) => {
            anyhow::bail!("two processes are looked at with --compare: ch00-look --compare {} {}", pids[0], pids[1])
        }
        (false, one) => {
            let evidence = look_at(one.first().copied().unwrap_or_else(nix::unistd::getppid))?;
            print(json, &evidence, &report::report(&evidence))
        }
    }
}

fn look_at(pid: Pid) -> Result<Evidence> {
    Evidence::of(pid).with_context(|| format!("look at process {pid}"))
}

fn print(json: bool, data: &impl serde::Serialize, text: &str) -> Result<()> {
    use std::io::Write;
    let text = if json { serde_json::to_string_pretty(data)? + "\n" } else { text.to_owned() };
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
