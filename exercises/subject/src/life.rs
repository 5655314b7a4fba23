//! The life of the first process in the stand-in host: it starts the others and takes orders until the grader
//! hangs up.

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use look::kernel::{self, CloneFlags, Cloned};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::protocol::{Channel, End, Order, Report};
use crate::{Answer, host, scene};

/// A process of the stand-in host that stops where it is told to.
struct Actor {
    pid: Pid,
    pidfd: OwnedFd,
    /// One byte written here lets it go on.
    go_on: OwnedFd,
    /// The same for a process that it makes.
    go_on_child: OwnedFd,
}

/// The other end of an [`Actor`]: inside it.
pub(crate) struct Hold {
    own: OwnedFd,
    child: OwnedFd,
}

impl Hold {
    /// Waits until the grader has seen enough. Ends the process when there will be no more orders.
    pub(crate) fn still(&self) {
        wait_for_byte(&self.own);
    }

    /// The same in a process that the actor made.
    pub(crate) fn still_in_child(&self) {
        wait_for_byte(&self.child);
    }
}

fn wait_for_byte(pipe: &OwnedFd) {
    let mut byte = [0];
    if !matches!(nix::unistd::read(pipe, &mut byte), Ok(1)) {
        std::process::exit(0);
    }
}

/// Builds the stand-in host and runs the check in it.
pub(crate) fn first_process(answer: Answer, channel: &Channel) -> ExitCode {
    // The grader may be killed at any moment, and this process, the first of its namespace, ignores Ctrl-C.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    if let Err(error) = host::build() {
        let _ = channel.send(&Report::Blocked { error: error.to_string() });
        return ExitCode::FAILURE;
    }
    serve(answer, channel)
}

/// Runs the check of an answer that only computes: right here, as whoever asks.
pub(crate) fn without_a_host(answer: Answer, channel: &Channel) -> ExitCode {
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    serve(answer, channel)
}

fn serve(answer: Answer, channel: &Channel) -> ExitCode {
    match take_orders(answer, channel) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("subject: {error}");
            ExitCode::FAILURE
        }
    }
}

fn take_orders(answer: Answer, channel: &Channel) -> std::io::Result<()> {
    channel.send(&Report::Host)?;
    let mut actor: Option<Actor> = None;
    let mut others = Vec::new();
    loop {
        if let Some(ended) = wait_for_order(channel, actor.as_ref())? {
            channel.send(&Report::Ended(ended))?;
            actor = None;
            continue;
        }
        let Some(order) = channel.receive::<Order>()? else { return Ok(()) };
        match (order.message, &actor) {
            (Order::Begin, _) => {
                for namespaces in scene::neighbours(answer) {
                    others.push(start_neighbour(namespaces, channel)?);
                }
                let neighbours: Vec<Pid> = others.iter().map(|actor| actor.pid).collect();
                let play = |hold| scene::play(answer, &neighbours, channel, &hold);
                actor = Some(start(scene::namespaces(answer), play)?);
            }
            (Order::Witness, Some(seen)) => others.push(start_witness(channel, seen)?),
            (Order::Continue, Some(held)) => drop(nix::unistd::write(&held.go_on, b".")?),
            (Order::ContinueChild, Some(held)) => drop(nix::unistd::write(&held.go_on_child, b".")?),
            // The process has ended meanwhile, which the grader is about to read.
            (Order::Witness | Order::Continue | Order::ContinueChild, None) => {}
        }
    }
}

/// Waits until there is something to receive. Says so if the answer's process has ended before that.
fn wait_for_order(channel: &Channel, actor: Option<&Actor>) -> std::io::Result<Option<End>> {
    let mut waiting = vec![PollFd::new(channel.as_fd(), PollFlags::POLLIN)];
    waiting.extend(actor.map(|actor| PollFd::new(actor.pidfd.as_fd(), PollFlags::POLLIN)));
    poll(&mut waiting, PollTimeout::NONE)?;
    let ended = waiting.get(1).is_some_and(|process| process.any() == Some(true));
    let Some(actor) = actor.filter(|_| ended) else { return Ok(None) };
    Ok(Some(match waitpid(actor.pid, None)? {
        WaitStatus::Exited(_, status) => End::Exited(status),
        WaitStatus::Signaled(_, signal, _) => End::Killed(signal.to_string()),
        other => End::Killed(format!("{other:?}")),
    }))
}

/// A process in other namespaces than the answer's. With a PID namespace of its own it gets the `/proc` for it.
fn start_neighbour(namespaces: CloneFlags, channel: &Channel) -> std::io::Result<Actor> {
    start(namespaces, |hold| {
        let user = if namespaces.contains(CloneFlags::CLONE_NEWUSER) { host::own_ids() } else { Ok(()) };
        let proc = || if namespaces.contains(CloneFlags::CLONE_NEWPID) { host::own_proc() } else { Ok(()) };
        let _ = channel.send(&match user.and_then(|()| proc()) {
            Ok(()) => Report::Neighbour,
            Err(error) => Report::Blocked { error: error.to_string() },
        });
        hold.still();
    })
}

/// A process that joins the mount namespace of `seen`. The kernel puts it at the very top of the tree there, so
/// that its `mountinfo` shows what a process with a changed root no longer sees.
fn start_witness(channel: &Channel, seen: &Actor) -> std::io::Result<Actor> {
    start(CloneFlags::empty(), |hold| {
        if nix::sched::setns(&seen.pidfd, CloneFlags::CLONE_NEWNS).is_ok() {
            let _ = channel.send(&Report::Witness);
        }
        hold.still();
    })
}

fn start(namespaces: CloneFlags, body: impl FnOnce(Hold)) -> std::io::Result<Actor> {
    let (own, go_on) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let (child, go_on_child) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    match kernel::clone3(namespaces, None, "a process of the stand-in host").map_err(std::io::Error::other)? {
        Cloned::Parent { pid, pidfd } => Ok(Actor { pid, pidfd, go_on, go_on_child }),
        Cloned::Child => {
            drop((go_on, go_on_child));
            // Without a PID namespace nobody else ends it with the one that takes orders.
            let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
            body(Hold { own, child });
            std::process::exit(0);
        }
    }
}
