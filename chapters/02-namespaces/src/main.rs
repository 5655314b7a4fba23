//! `ch02-namespaces`: runs a command that is alone in the machine, or enters the namespaces of one that runs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use look::tell;
use namespaces::alone;
use namespaces::clocks::{self, Offsets};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

const NAME: &str = "ch02-namespaces";

fn main() -> ExitCode {
    let arguments = command().get_matches();
    if arguments.get_flag("explain") {
        tell::start_on_stderr(tell::Format::Text);
    }
    let outcome = tell::chapter(2, || match arguments.subcommand() {
        Some(("enter", arguments)) => enter(arguments),
        Some((_, arguments)) => run(arguments),
        None => unreachable!("clap asks for a subcommand"),
    });
    outcome.map(ExitCode::from).unwrap_or_else(|error| {
        eprintln!("{NAME}: {error:#}");
        ExitCode::from(125)
    })
}

fn command() -> Command {
    let program = Arg::new("command")
        .value_name("CMD")
        .help("The program and its arguments")
        .num_args(1..)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
        .default_value("/bin/sh");
    let root = Arg::new("root")
        .value_name("ROOT")
        .help("The directory; `cargo workshop root DIR` makes one")
        .required(true)
        .value_parser(value_parser!(PathBuf));
    let pid = Arg::new("pid").value_name("PID").required(true).value_parser(value_parser!(i32).range(1..));
    let name = Arg::new("hostname").long("hostname").value_name("NAME").default_value("alone");
    let time = Arg::new("time").long("time-offset").value_name("[CLOCK=]SECONDS").value_parser(value_parser!(Offsets));
    Command::new(NAME)
        .about("Run a command that is alone in the machine")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(Arg::new("explain").long("explain").help("Tell each kernel call").action(ArgAction::SetTrue))
        .subcommand(
            Command::new("run")
                .about("Run CMD with ROOT as its root, in namespaces of its own")
                .arg(name.help("What the machine is called inside"))
                .arg(time.help("Also clocks of its own, this far from the machine's"))
                .arg(Arg::new("init").long("init").help("Put an init in front of CMD").action(ArgAction::SetTrue))
                .args([root, program.clone()]),
        )
        .subcommand(
            Command::new("enter")
                .about("Run CMD in the namespaces of process PID")
                .args([pid.help("Any process inside, by its id outside"), program]),
        )
        .after_help(
            "Examples:\n  ch02-namespaces run rootfs            a shell that sees no process but itself\n  \
             ch02-namespaces run rootfs ps         the same, to look at\n  \
             ch02-namespaces enter 4711 ps         what process 4711 sees",
        )
}

/// `run`: a start, as far as this chapter goes.
fn run(arguments: &ArgMatches) -> Result<u8> {
    let root = arguments.get_one::<PathBuf>("root").context("ROOT is missing")?;
    ensure!(root.is_dir(), "{} is not a directory; `cargo workshop root DIR` makes one", root.display());
    let name = arguments.get_one::<String>("hostname").context("NAME is missing")?;
    let caller = alone::caller();
    let mut child = || {
        let begun =
            alone::settle(caller.as_ref(), root, name, namespaces::mount_proc).and_then(|()| own_clocks(arguments));
        begun.map_err(Into::into).and_then(|()| start(arguments)).unwrap_or_else(|error: anyhow::Error| {
            eprintln!("{NAME}: {error:#}");
            125
        })
    };
    Ok(namespaces::spawn(alone::namespaces(), None, &mut child)?.reap()?)
}

fn own_clocks(arguments: &ArgMatches) -> look::Result<()> {
    arguments.get_one::<Offsets>("time").map_or(Ok(()), |offsets| clocks::unshare_clocks(*offsets))
}

/// Becomes the command, or the init in front of it.
fn start(arguments: &ArgMatches) -> Result<u8> {
    let words: Vec<String> = arguments.get_many("command").context("CMD is missing")?.cloned().collect();
    if !arguments.get_flag("init") {
        return Ok(alone::execute(NAME, &words));
    }
    let init = namespaces::Init::new()?;
    let main = init.start(&mut || {
        // All signals wait for the init, and must not wait for its child.
        let _ = SigSet::empty().thread_set_mask();
        alone::execute(NAME, &words)
    })?;
    Ok(init.look_after(main.pid(), namespaces::reap)?)
}

/// `enter`: joins a process, and runs a command as its neighbour.
fn enter(arguments: &ArgMatches) -> Result<u8> {
    let pid = arguments.get_one::<i32>("pid").copied().context("PID is missing")?;
    let words: Vec<String> = arguments.get_many("command").context("CMD is missing")?.cloned().collect();
    Ok(namespaces::enter(Pid::from_raw(pid), &mut || alone::execute(NAME, &words))?.reap()?)
}
