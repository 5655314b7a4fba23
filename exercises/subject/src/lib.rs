//! # The subject: an answer, run where it can do no harm and be looked at
//!
//! A check has two sides. The grader is outside: it asks the kernel. The subject is inside: a program with the
//! answer compiled in, started by the grader with one end of a socket as its standard input.
//!
//! ```text
//! grader ─┬─ subject            makes the namespaces, then only waits
//!         │    └─ first process   builds the stand-in host, takes orders from the grader
//!         │         ├─ the answer's process     calls the function, then holds still
//!         │         ├─ a neighbour              for answers that look at another process
//!         │         └─ a witness                stands at the top of the answer's mount table
//!         └─ reads /proc/PID of all of them
//! ```
//!
//! The stand-in host ([`host`]) is a small tree of its own in mount, PID, UTS, IPC and network namespaces of its
//! own, so a wrong answer damages, leaks into or escapes to nothing but that. When its first process ends, the
//! kernel ends everything in it.
//!
//! An answer that only computes (3.1, 4.3) is called without all that, as whoever runs the check.
//!
//! What is said over the socket ([`protocol`]) is when to look, and what the function returned. Who said it is
//! attached by the kernel.

pub mod host;
mod life;
mod owner;
pub mod protocol;
pub mod scene;
mod try_it;

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::ExitCode;

use cgroups::{Limits, Setting};
use chroot::inside::Root;
use images::{Digest, Layer, LayerWriter, Overlay, Tree, TreeWalk};
use look::kernel::{self, CloneFlags, Cloned};
use look::{Namespaces, Result};
use namespaces::Process;
use nix::unistd::Pid;
use sandbox::Privileges;
use sandbox::seccomp::Instruction;

use protocol::{Channel, Report};

/// An answer to an exercise.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// 0.1
    NamespacesOf(fn(Pid) -> Result<Namespaces>),
    /// 1.1
    NaiveRoot(fn(&Path) -> Result<()>),
    /// 1.2
    Escape(fn() -> Result<()>),
    /// 1.3
    EnterRoot(fn(&Path) -> Result<()>),
    /// 2.1
    Spawn(fn(CloneFlags, Option<BorrowedFd<'_>>, Child<'_>) -> Result<Process>),
    /// 2.2
    Enter(fn(Pid, Child<'_>) -> Result<Process>),
    /// 2.3
    Reap(fn(Pid) -> Result<Option<u8>>),
    /// 3.1
    Settings(fn(&Limits) -> Vec<Setting>),
    /// 3.2
    Confine(fn(&Path, &[Setting]) -> Result<()>),
    /// 4.1
    ApplyLayer(fn(&mut Layer<'_>, &mut Tree) -> anyhow::Result<()>),
    /// 4.2
    Stack(fn(&Overlay, &Path) -> Result<()>),
    /// 4.3
    ChainIds(fn(&[Digest]) -> Vec<Digest>),
    /// 4.4
    MakeLayer(fn(&mut TreeWalk, &mut LayerWriter<'_>) -> anyhow::Result<()>),
    /// 8.1
    DropPrivileges(fn(&Privileges) -> Result<()>),
    /// 8.2
    Filter(fn(u32, &[u32]) -> Vec<Instruction>),
    /// 8.3
    Mask(fn(&Root, &str) -> Result<()>),
}

/// What a new process is to do; its answer is the exit status.
pub type Child<'a> = &'a mut dyn FnMut() -> u8;

/// The whole program of a subject: `PROGRAM EXERCISE ANSWER`, where `find` knows the answers.
pub fn main(find: impl Fn(&str, &str) -> Option<Answer>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let answer = match arguments.as_slice() {
        [exercise, name] => find(exercise, name),
        _ => None,
    };
    let Some(answer) = answer else {
        eprintln!("usage: subject EXERCISE ANSWER; `cargo workshop check` is meant for people");
        return ExitCode::from(64);
    };
    match Channel::take_stdin() {
        Ok(channel) => run(answer, channel),
        Err(error) => {
            eprintln!("subject: the standard input must be the grader's socket: {error}");
            ExitCode::from(64)
        }
    }
}

/// Makes the namespaces, and lives on as the parent outside until the first process inside has ended.
fn run(answer: Answer, channel: Channel) -> ExitCode {
    if let Answer::Settings(_) | Answer::ChainIds(_) = answer {
        return life::without_a_host(answer, &channel);
    }
    let stand_in = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNET;
    match owner::become_root(answer).and_then(|()| kernel::clone3(stand_in, None, "a stand-in for the machine")) {
        Ok(Cloned::Child) => life::first_process(answer, &channel),
        Ok(Cloned::Parent { pid, .. }) => outlive(pid, channel),
        Err(error) => {
            let _ = channel.send(&Report::Blocked { error: error.to_string() });
            ExitCode::FAILURE
        }
    }
}

/// Waits for the first process. The channel is closed here, so that the grader hears when everybody has gone.
fn outlive(pid: Pid, channel: Channel) -> ExitCode {
    drop(channel);
    match nix::sys::wait::waitpid(pid, None) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
