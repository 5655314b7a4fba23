//! `ch03-cgroups`: runs a command with limits and shows what it uses, or shows what a process that runs uses.

mod display;

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use cgroups::{DeviceRule, Group, Limits, Usage, options};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use look::tell;
use namespaces::{Process, alone};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use display::Display;

const NAME: &str = "ch03-cgroups";

fn main() -> ExitCode {
    let arguments = command().get_matches();
    if arguments.get_flag("explain") {
        tell::start_on_stderr(tell::Format::Text);
    }
    let outcome = match arguments.subcommand() {
        Some(("show", arguments)) => show(arguments),
        Some((_, arguments)) => run(arguments),
        None => unreachable!("clap asks for a subcommand"),
    };
    outcome.map(ExitCode::from).unwrap_or_else(|error| {
        eprintln!("ch03-cgroups: {error:#}");
        ExitCode::from(125)
    })
}

fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    let rule = Arg::new("device-cgroup-rule").long("device-cgroup-rule").value_name("RULE");
    let root = Arg::new("root").value_name("ROOT").required(true).value_parser(value_parser!(PathBuf));
    let program = Arg::new("command").value_name("CMD").num_args(1..).trailing_var_arg(true).allow_hyphen_values(true);
    let pid = Arg::new("pid").value_name("PID").required(true).value_parser(value_parser!(i32).range(1..));
    Command::new("ch03-cgroups")
        .about("Run a command that has no more than its share of the machine")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(flag("explain", "Tell each kernel call"))
        .subcommand(
            Command::new("run")
                .about("Run CMD with ROOT as its root, in namespaces of its own, within limits")
                .args(options::arguments())
                .arg(rule.help("Allow no devices but the usual and these: 'c 10:229 rw'").action(ArgAction::Append))
                .arg(flag("confine", "Let CMD move itself into its cgroup (v2), as in exercise 3.2"))
                .arg(flag("no-watch", "Do not show on the terminal what is used"))
                .arg(root.help("The directory; `cargo workshop root DIR` makes one"))
                .arg(program.help("The program and its arguments").default_value("/bin/sh")),
        )
        .subcommand(Command::new("show").about("Show what the cgroups of process PID use").arg(pid))
        .after_help(
            "Examples:\n  ch03-cgroups run --memory 64m --pids-limit 20 rootfs   a shell with limits\n  \
             ch03-cgroups run --cpus 0.5 rootfs sh -c 'while :; do :; done'\n  \
             ch03-cgroups show 4711                                 what process 4711 and its neighbours use",
        )
}

fn run(arguments: &ArgMatches) -> Result<u8> {
    let root = arguments.get_one::<PathBuf>("root").context("ROOT is missing")?;
    ensure!(root.is_dir(), "{} is not a directory; `cargo workshop root DIR` makes one", root.display());
    let limits = options::limits(arguments).checked()?;
    let id = format!("ch03-{}", std::process::id());
    let group = match arguments.get_flag("confine") {
        true => None,
        false => {
            let devices = devices(arguments)?;
            tell::chapter(3, || Group::create(&id, &limits, devices.as_deref(), cgroups::settings))?
        }
    };
    let status = start(arguments, root, &limits, &id, group.as_ref());
    // What a command made that moved itself is found by its name.
    let Some(group) = group.or_else(|| Group::open(&id)) else { return status };
    if status.is_ok() {
        explain_end(&limits, &group.usage());
    }
    tell::chapter(3, || group.remove())?;
    status
}

/// Runs the command, and waits for its end.
fn start(arguments: &ArgMatches, root: &Path, limits: &Limits, id: &str, group: Option<&Group>) -> Result<u8> {
    let place = arguments.get_flag("confine").then(|| place_for(limits, id)).transpose()?;
    let caller = alone::caller();
    let words: Vec<String> = arguments.get_many("command").context("CMD is missing")?.cloned().collect();
    let signals = take_signals()?;
    let mut child = || {
        let join = || match (&place, group) {
            (Some(place), _) => cgroups::confine(place, &cgroups::settings(limits)),
            (None, Some(group)) => group.join(),
            (None, None) => Ok(()),
        };
        let settle = || alone::settle(caller.as_ref(), root, "shared", namespaces::mount_proc);
        match tell::chapter(3, join).and_then(|()| tell::chapter(2, settle)) {
            Ok(()) => alone::execute(NAME, &words),
            Err(error) => {
                eprintln!("{NAME}: {error}");
                125
            }
        }
    };
    let process =
        tell::chapter(2, || namespaces::spawn(alone::namespaces(), group.and_then(Group::born_in), &mut child))?;
    let display = if arguments.get_flag("no-watch") { None } else { Display::new() };
    watch(&process, &signals, display, &|| group.map(Group::usage).or_else(|| Usage::of_process(process.pid()).ok()))?;
    Ok(process.reap()?)
}

/// Shows what is used until the process ends. Ctrl-C is for the command, which has it from the terminal too; other
/// signals that ask for an end are for it as well, and it gets one.
fn watch(
    process: &Process,
    signals: &SignalFd,
    mut display: Option<Display>,
    usage: &dyn Fn() -> Option<Usage>,
) -> Result<()> {
    let timeout = if display.is_some() { PollTimeout::from(250_u8) } else { PollTimeout::NONE };
    loop {
        let mut events =
            [PollFd::new(process.as_fd(), PollFlags::POLLIN), PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        poll(&mut events, timeout).context("wait for the command")?;
        if events[0].any() == Some(true) {
            return Ok(());
        }
        if let Some(signal) = signals.read_signal().context("read a signal")?
            && signal.ssi_signo != Signal::SIGINT as u32
        {
            process.end();
        }
        if let (Some(display), Some(usage)) = (&mut display, usage()) {
            display.draw(&usage);
        }
    }
}

/// From here on, signals that would end this program are read like a file: it has a cgroup to take away.
fn take_signals() -> Result<SignalFd> {
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect::<SigSet>();
    signals.thread_block().context("block signals")?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).context("make a signalfd")
}

/// The directory for [`cgroups::confine`], in a cgroup that hands on the controllers that it needs.
fn place_for(limits: &Limits, id: &str) -> Result<PathBuf> {
    let controllers: Vec<&str> = cgroups::settings(limits).iter().map(|setting| setting.controller).collect();
    Ok(cgroups::parent(&controllers)?.join(id))
}

/// The rules for devices, if some were given: they and the usual ones.
fn devices(arguments: &ArgMatches) -> Result<Option<Vec<DeviceRule>>> {
    let Some(given) = arguments.get_many::<String>("device-cgroup-rule") else { return Ok(None) };
    let given = given.map(|rule| rule.parse()).collect::<Result<Vec<DeviceRule>>>()?;
    Ok(Some(DeviceRule::defaults().into_iter().chain(given).collect()))
}

/// One line on what was used, and one if the kernel put an end to it.
fn explain_end(limits: &Limits, usage: &Usage) {
    let memory = usage.memory_peak.map_or("–".to_owned(), display::bytes);
    let cpu = usage.cpu_us.map_or("–".to_owned(), |us| format!("{:.2} s", us as f64 / 1e6));
    let waited = usage.throttled_us.filter(|us| *us > 0).map(|us| format!(", held back for {:.2} s", us as f64 / 1e6));
    eprintln!("ch03-cgroups: {memory} of memory at most, {cpu} of processor time{}", waited.unwrap_or_default());
    if usage.oom_kills > 0 {
        let limit = limits.memory.map_or("there is".to_owned(), display::bytes);
        eprintln!("ch03-cgroups: out of memory: it wanted more than {limit}, and the kernel killed a process");
    }
}

/// `show`: what the cgroups of a process use, and their limits.
fn show(arguments: &ArgMatches) -> Result<u8> {
    let pid = Pid::from_raw(arguments.get_one::<i32>("pid").copied().context("PID is missing")?);
    let cgroups = look::cgroups::cgroups_of(pid)?;
    if cgroups.is_empty() {
        bail!("process {pid} is in no cgroup: this kernel has none");
    }
    for cgroup in &cgroups {
        let limits: Vec<String> = cgroup.limits.iter().map(|(file, value)| format!("  {file} {value}")).collect();
        println!("{:<14} {}{}", cgroup.hierarchy, cgroup.path, limits.concat());
    }
    let usage = Usage::of_process(pid)?;
    let [memory, _, pids] = display::lines(&usage, None);
    let cpu = usage.cpu_us.map_or("–".to_owned(), |us| format!("{:.2} s up to now", us as f64 / 1e6));
    println!("{memory}\ncpu     {cpu}\n{pids}");
    Ok(0)
}
