//! `run`: a command on stacked layers, with everything that the earlier chapters give.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cgroups::{Group, options};
use chroot::inside::Root;
use clap::{Arg, ArgMatches, Command, value_parser};
use images::Overlay;
use look::tell;
use namespaces::{Process, alone};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::files::path;
use super::place::Place;
use super::show;

const NAME: &str = "ch04-images";

/// `run` and its arguments.
pub fn command() -> Command {
    let layers = path("layers", "LAYER", "Directories, bottom first: what `apply` made, or any root directory");
    Command::new("run")
        .about("Run CMD on stacked layers, alone in the machine, within limits, and show what it changed")
        .args(options::arguments())
        .arg(
            Arg::new("overlay")
                .long("overlay")
                .value_name("DIR")
                .help("Have DIR/upper and DIR/work there, and leave them; another run goes on where this one ended")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(layers.num_args(1..))
        .arg(Arg::new("command").value_name("CMD").help("The program and its arguments").num_args(1..).last(true))
}

/// `run`. Answers with the command's status.
pub fn run(arguments: &ArgMatches) -> Result<u8> {
    let layers = arguments.get_many::<PathBuf>("layers").context("LAYER is missing")?;
    let layers = layers.map(|layer| directory(layer)).collect::<Result<Vec<_>>>()?;
    let limits = options::limits(arguments).checked()?;
    let words = match arguments.get_many::<String>("command") {
        Some(words) => words.cloned().collect(),
        None => vec!["/bin/sh".to_owned()],
    };
    let signals = take_signals()?;
    let top = layers.last().context("LAYER is missing")?.clone();
    let place = Place::new(arguments.get_one::<PathBuf>("overlay").map(PathBuf::as_path), &top)?;
    let overlay = place.overlay(layers);

    let id = format!("ch04-{}", std::process::id());
    let group = tell::chapter(3, || Group::create(&id, &limits, None, cgroups::settings))?;
    let status = start(&overlay, &place.merged(), group.as_ref(), &words).and_then(|process| {
        watch(&process, &signals)?;
        Ok(process.reap()?)
    });
    if let Some(group) = group {
        tell::chapter(3, || group.remove())?;
    }
    if status.is_ok() {
        let mut changes = Vec::new();
        show::print(&place.upper(), &mut changes)?;
        eprintln!("{NAME}: it changed {}", if changes.is_empty() { "nothing" } else { "this:" });
        io::stderr().write_all(&changes)?;
    }
    status
}

/// The layer `layer`, by a path that does not depend on the current directory.
fn directory(layer: &Path) -> Result<PathBuf> {
    let path = layer.canonicalize().with_context(|| format!("look for {}", layer.display()))?;
    let shown = layer.display();
    ensure!(path.is_dir(), "{shown} is not a directory; `ch04-images apply {shown} DIR` makes one of a layer");
    Ok(path)
}

/// Starts the command, with `overlay` mounted on `merged` as its root.
fn start(overlay: &Overlay, merged: &Path, group: Option<&Group>, words: &[String]) -> Result<Process> {
    let caller = alone::caller();
    let mut child = || {
        // The mount is made where nobody else sees it. `merged` was opened before there was one on it: open it again.
        let furnish = |_: &Root| {
            tell::chapter(4, || overlay.mount(merged, images::stack))?;
            namespaces::mount_proc(&Root::new(merged)?)
        };
        let joined = tell::chapter(3, || group.map_or(Ok(()), Group::join));
        let settle = || alone::settle(caller.as_ref(), merged, "layers", furnish);
        match joined.and_then(|()| tell::chapter(2, settle)) {
            Ok(()) => alone::execute(NAME, words),
            Err(error) => {
                eprintln!("{NAME}: {error}");
                125
            }
        }
    };
    let born_in = group.and_then(Group::born_in);
    Ok(tell::chapter(2, || namespaces::spawn(alone::namespaces(), born_in, &mut child))?)
}

/// From here on, signals that would end this program are read like a file: it has something to clear away.
fn take_signals() -> Result<SignalFd> {
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect::<SigSet>();
    signals.thread_block().context("block signals")?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).context("make a signalfd")
}

/// Waits for the end of `process`. Ctrl-C it has from the terminal itself; at other signals it is ended.
fn watch(process: &Process, signals: &SignalFd) -> Result<()> {
    loop {
        let mut events =
            [PollFd::new(process.as_fd(), PollFlags::POLLIN), PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
        poll(&mut events, PollTimeout::NONE).context("wait for the command")?;
        if events[0].any() == Some(true) {
            return Ok(());
        }
        if let Some(signal) = signals.read_signal().context("read a signal")?
            && signal.ssi_signo != Signal::SIGINT as u32
        {
            process.end();
        }
    }
}
