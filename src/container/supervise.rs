//! The time from the start of the command to its end: input and output, signals, the exit status.

use std::io::{stderr, stdin, stdout};
use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::container::relay::Relay;
use crate::container::start::Running;
use crate::container::terminal;

/// How often SIGINT or SIGTERM must come until the container is killed. The kernel does not end the first process
/// of a PID namespace by a signal that it does not handle, so the first ones may well go unheard.
const PATIENCE: u32 = 3;

/// Looks after a container until it has ended and all its output is passed on. Answers with its exit status.
pub fn supervise(running: &mut Running) -> Result<u8> {
    let mut input = relay(stdin(), running.stdio.input.take(), false)?;
    let [output, errors] = std::mem::take(&mut running.stdio.outputs);
    let mut outputs = [relay(stdout(), output, true)?, relay(stderr(), errors, true)?];
    let mut asked_to_end = 0;
    let mut status = None;
    while status.is_none() || !outputs.iter().all(Relay::has_ended) {
        let ready = wait(running, status.is_some(), &input, &outputs)?;
        if ready.signal {
            pass_on_signals(running, &mut asked_to_end)?;
        }
        if ready.ended {
            status = Some(running.process.reap()?);
            input.close();
        }
        if ready.input {
            input.go_on();
        }
        for (output, ready) in outputs.iter_mut().zip(ready.outputs) {
            if ready {
                output.go_on();
            }
        }
    }
    Ok(status.unwrap_or_default())
}

/// A stream between one of our own descriptors and one of the container's; one that has ended if there is none.
fn relay(ours: impl AsFd, theirs: Option<OwnedFd>, outwards: bool) -> Result<Relay> {
    let Some(theirs) = theirs else { return Ok(Relay::ended()) };
    let ours = ours.as_fd().try_clone_to_owned().context("copy a standard stream")?;
    Ok(if outwards { Relay::new(theirs, ours) } else { Relay::new(ours, theirs) })
}

/// What can be done without waiting.
#[derive(Default)]
struct Ready {
    signal: bool,
    ended: bool,
    input: bool,
    outputs: [bool; 2],
}

fn wait(running: &Running, ended: bool, input: &Relay, outputs: &[Relay; 2]) -> Result<Ready> {
    let mut ready = Ready::default();
    let [ready_output, ready_errors] = &mut ready.outputs;
    let mut waits = vec![(Some((running.signals.as_fd(), PollFlags::POLLIN)), &mut ready.signal)];
    if !ended {
        waits.push((Some((running.process.as_fd(), PollFlags::POLLIN)), &mut ready.ended));
    }
    waits.push((input.waits_for(), &mut ready.input));
    waits.push((outputs[0].waits_for(), ready_output));
    waits.push((outputs[1].waits_for(), ready_errors));
    let mut open: Vec<_> = waits.into_iter().filter_map(|(wait, ready)| wait.map(|wait| (wait, ready))).collect();
    let mut polled: Vec<PollFd> = open.iter().map(|((fd, flags), _)| PollFd::new(*fd, *flags)).collect();
    match poll(&mut polled, PollTimeout::NONE) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(Ready::default()),
        Err(errno) => return Err(errno).context("poll"),
    }
    for (polled, (_, ready)) in polled.iter().zip(&mut open) {
        **ready = polled.any().unwrap_or(true);
    }
    Ok(ready)
}

fn pass_on_signals(running: &Running, asked_to_end: &mut u32) -> Result<()> {
    while let Some(signal) = running.signals.next()? {
        match (signal, &running.stdio.terminal) {
            (Signal::SIGWINCH, Some(terminal)) => terminal::copy_size(terminal),
            // It also comes when the terminal has gone, and then there is nothing to set.
            (Signal::SIGCONT, _) if running.stdio.raw_mode.is_some() => {
                let _ = running.stdio.raw_mode.as_ref().map(|mode| mode.apply());
            }
            (Signal::SIGINT | Signal::SIGTERM, _) => {
                *asked_to_end += 1;
                let signal = if *asked_to_end < PATIENCE { signal } else { Signal::SIGKILL };
                running.process.signal(signal as i32);
            }
            _ => drop(running.process.signal(signal as i32)),
        }
    }
    Ok(())
}
