//! Processes, users and terminals.

use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::unistd::{ForkResult, Pid, fork};

use super::{Outcome, SWITCH, answer, errno, io};

fn pid(text: &str) -> Result<Pid, String> {
    text.parse().map(Pid::from_raw).map_err(|_| format!("{text}: no process id"))
}

/// Asks whether a signal could be sent.
pub fn signal(to: &str) -> Outcome {
    nix::sys::signal::kill(pid(to)?, None).map(|()| format!("{to}: can be killed")).map_err(errno)
}

/// Stops a process as a debugger does, and lets it go on.
pub fn trace(whom: &str) -> Outcome {
    let whom = pid(whom)?;
    nix::sys::ptrace::attach(whom).map_err(errno)?;
    nix::sys::wait::waitpid(whom, None).map_err(errno)?;
    nix::sys::ptrace::detach(whom, None).map_err(errno)?;
    Ok(format!("{whom}: traced"))
}

/// Types into the terminal, as though the person before it had: in standard input's, and in that of the session.
pub fn type_in(text: &str) -> Outcome {
    let tty = std::fs::File::options().read(true).write(true).open("/dev/tty");
    let session = tty.map_err(|error| format!("/dev/tty: {}", io(&error)));
    let first = type_into(0, text).map_err(|problem| format!("standard input: {problem}"));
    let second = session.and_then(|tty| type_into(tty.as_raw_fd(), text));
    match (first, second) {
        (Err(first), Err(second)) => Err(format!("{first}, {second}")),
        _ => Ok("typed".into()),
    }
}

fn type_into(fd: i32, text: &str) -> Result<(), String> {
    text.bytes().chain([b'\n']).try_for_each(|byte| {
        // SAFETY: TIOCSTI reads one byte.
        answer(unsafe { libc::ioctl(fd, libc::TIOCSTI, &raw const byte) }.into()).map(drop)
    })
}

/// Becomes another user, and another program.
pub fn become_user(uid: &str, path: &str, words: &[&str]) -> Outcome {
    let uid: u32 = uid.parse().map_err(|_| format!("{uid}: no user id"))?;
    nix::unistd::setresgid(uid.into(), uid.into(), uid.into()).map_err(errno)?;
    nix::unistd::setresuid(uid.into(), uid.into(), uid.into()).map_err(errno)?;
    Err(io(&Command::new(path).arg(SWITCH).args(words).exec()))
}

/// Makes as many processes, which wait; says how many there are when it is done or stopped.
pub fn fork_many(number: &str) -> Outcome {
    let number: usize = number.parse().map_err(|_| format!("{number}: no number"))?;
    let mut children = Vec::new();
    let stopped = loop {
        if children.len() == number {
            break None;
        }
        // SAFETY: this process has one thread.
        match unsafe { fork() } {
            Ok(ForkResult::Parent { child }) => children.push(child),
            Ok(ForkResult::Child) => {
                let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
                loop {
                    nix::unistd::pause();
                }
            }
            Err(problem) => break Some(errno(problem)),
        }
    };
    let made = children.len();
    for child in children {
        let _ = nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGKILL);
        let _ = nix::sys::wait::waitpid(child, None);
    }
    match stopped {
        None => Ok(format!("{made} processes")),
        Some(problem) => Err(format!("after {made} processes: {problem}")),
    }
}

/// Leaves a grandchild behind, which ends without its parent: says its id, and waits for the end.
pub fn orphan() -> Outcome {
    let (read, write) = nix::unistd::pipe().map_err(errno)?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(errno)? {
        ForkResult::Child => {
            // SAFETY: as above.
            if let Ok(ForkResult::Parent { child }) = unsafe { fork() } {
                let _ = nix::unistd::write(&write, &child.as_raw().to_ne_bytes());
            }
            std::process::exit(0)
        }
        ForkResult::Parent { child } => {
            drop(write);
            nix::sys::wait::waitpid(child, None).map_err(errno)?;
            let mut bytes = [0; 4];
            nix::unistd::read(&read, &mut bytes).map_err(errno)?;
            // The end of the pipe is the end of the orphan.
            nix::unistd::read(&read, &mut [0]).map_err(errno)?;
            println!("ready\n{}", i32::from_ne_bytes(bytes));
            let _ = std::io::stdin().read_line(&mut String::new());
            Ok(String::new())
        }
    }
}

/// The supplementary groups.
pub fn groups() -> Outcome {
    let groups = nix::unistd::getgroups().map_err(errno)?;
    Ok(groups.iter().map(|group| group.to_string()).collect::<Vec<_>>().join(" "))
}

/// The monotonic clock, in seconds.
pub fn clock() -> Outcome {
    // SAFETY: both fields are integers, for which zero is valid.
    let mut now: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills in one timespec.
    answer(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) }.into())?;
    Ok(now.tv_sec.to_string())
}

/// Takes memory, and uses it: what is only asked for costs nothing.
pub fn hog(mib: &str) -> Outcome {
    let mib: usize = mib.parse().map_err(|_| format!("{mib}: no number"))?;
    let taken: Vec<Vec<u8>> = (0..mib).map(|number| vec![number as u8 | 1; 1 << 20]).collect();
    Ok(format!("{} MiB", std::hint::black_box(taken).len()))
}

/// If this process has the foreground of the terminal to itself: says `interrupted` for each SIGINT, and how many there were when a line comes.
pub fn count_interrupts() -> Outcome {
    use std::os::fd::AsFd;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::signal::{SigSet, Signal};

    let interrupt: SigSet = [Signal::SIGINT].into_iter().collect();
    interrupt.thread_block().map_err(errno)?;
    let signals = nix::sys::signalfd::SignalFd::new(&interrupt).map_err(errno)?;
    let stdin = std::io::stdin();
    let foreground = nix::unistd::tcgetpgrp(&stdin).map_err(errno)?;
    let first = nix::unistd::getpgid(Some(Pid::from_raw(1))).map_err(errno)?;
    let alone = nix::unistd::getpid().as_raw() == 1 || first != foreground;
    if foreground != nix::unistd::getpgrp() || !alone {
        return Err(format!("in the foreground is group {foreground}, and number 1 is in group {first}"));
    }
    println!("ready");
    let mut number = 0;
    loop {
        let mut ready = [signals.as_fd(), stdin.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        poll(&mut ready, PollTimeout::NONE).map_err(errno)?;
        let [signal, line] = ready.map(|fd| fd.any().unwrap_or(true));
        if signal {
            signals.read_signal().map_err(errno)?;
            number += 1;
            println!("interrupted");
        } else if line {
            return Ok(format!("got {number}."));
        }
    }
}
