//! What the answer's process does, for each exercise.

pub mod archives;
pub mod chains;
pub mod filters;
pub mod layers;
pub mod masks;
pub mod privileges;
mod processes;
pub mod shares;
pub mod stacks;
pub mod trees;

use std::path::Path;

use look::kernel::{self, CloneFlags, Cloned};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;

use crate::life::Hold;
use crate::protocol::{Call, Channel, Outcome, Report, Said};
use crate::try_it::try_it;
use crate::{Answer, host};

/// The chapter's own escape.
mod attack {
    include!(concat!(env!("OUT_DIR"), "/solution-1.2-escape.rs"));
}

/// No kernel gives out a process id as large as this (`PID_MAX_LIMIT` is 4194304).
const NOBODY: Pid = Pid::from_raw(99_999_999);

/// The namespaces of the other processes that the answer is to look at or to enter.
pub(crate) fn neighbours(answer: Answer) -> Vec<CloneFlags> {
    let some = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNET;
    let more = some | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWCGROUP;
    match answer {
        Answer::NamespacesOf(_) => vec![some],
        Answer::Enter(_) => vec![more, more | CloneFlags::CLONE_NEWUSER],
        _ => Vec::new(),
    }
}

/// The namespaces in which the answer is called: those of the host, or some of its own.
pub(crate) fn namespaces(answer: Answer) -> CloneFlags {
    match answer {
        Answer::Spawn(_) | Answer::Enter(_) | Answer::Reap(_) | Answer::Settings(_) | Answer::ChainIds(_) => {
            CloneFlags::empty()
        }
        _ => CloneFlags::CLONE_NEWNS,
    }
}

/// The stage on which a scene is played.
struct Stage<'a> {
    channel: &'a Channel,
    hold: &'a Hold,
}

impl Stage<'_> {
    /// Reports what became of a call, and holds still.
    fn report(&self, call: Call, outcome: Outcome) {
        let _ = self.channel.send(&Report::Called { call, outcome });
        self.hold.still();
    }

    /// Says that the next thing will be the answer, and holds still.
    fn ready(&self) {
        let _ = self.channel.send(&Report::Ready);
        self.hold.still();
    }
}

/// Calls the answer as its exercise says, and reports what became of each call.
pub(crate) fn play(answer: Answer, neighbours: &[Pid], channel: &Channel, hold: &Hold) {
    let stage = Stage { channel, hold };
    let root = Path::new(host::NEW_ROOT);
    let neighbour = |index| neighbours.get(index).copied().unwrap_or(NOBODY);
    match answer {
        Answer::NamespacesOf(look) => {
            let about = |pid| try_it(|| look(pid).map(Said::Namespaces));
            stage.report(Call::TheFunction, about(nix::unistd::getpid()));
            stage.report(Call::AboutNeighbour, about(neighbour(0)));
            stage.report(Call::AboutNobody, about(NOBODY));
        }
        Answer::NaiveRoot(enter) => stage.report(Call::TheFunction, nothing(|| enter(root))),
        Answer::Escape(escape) => stage.report(Call::TheFunction, imprisoned(root, || nothing(escape))),
        Answer::EnterRoot(enter) => {
            stage.report(Call::TheFunction, nothing(|| enter(root)));
            stage.report(Call::Attack, nothing(attack::escape));
        }
        Answer::Spawn(spawn) => processes::spawn(&stage, spawn),
        Answer::Enter(enter) => processes::enter(&stage, enter, neighbour(0), neighbour(1)),
        Answer::Reap(reap) => processes::reap(&stage, reap),
        Answer::Settings(settings) => shares::settings(&stage, settings),
        Answer::Confine(confine) => shares::confine(&stage, confine),
        Answer::ApplyLayer(apply_layer) => trees::play(&stage, apply_layer),
        Answer::Stack(stack) => stacks::play(&stage, stack),
        Answer::ChainIds(chain_ids) => chains::play(&stage, chain_ids),
        Answer::MakeLayer(make_layer) => archives::play(&stage, make_layer),
        Answer::DropPrivileges(drop) => privileges::play(&stage, drop),
        Answer::Filter(filter) => filters::play(&stage, filter),
        Answer::Mask(mask) => masks::play(&stage, mask),
    }
}

/// Runs `body` in a process of its own, and says how that ended, if it did not come to the end of `body`.
fn apart(body: impl FnOnce()) -> Option<WaitStatus> {
    const PLAYED: i32 = 99;
    match kernel::clone3(CloneFlags::empty(), None, "a process to try it in") {
        Ok(Cloned::Child) => {
            body();
            std::process::exit(PLAYED)
        }
        Ok(Cloned::Parent { pid, .. }) => match nix::sys::wait::waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, PLAYED)) => None,
            ended => ended.ok(),
        },
        Err(_) => None,
    }
}

/// Ends as a process did that this one has started, so that the grader hears of it.
fn end_likewise(ended: WaitStatus) {
    match ended {
        WaitStatus::Exited(_, status) => std::process::exit(status),
        WaitStatus::Signaled(_, signal, _) => drop(nix::sys::signal::raise(signal)),
        _ => {}
    }
}

/// Tries what returns nothing of interest.
fn nothing(answer: impl FnOnce() -> look::Result<()>) -> Outcome {
    try_it(|| answer().map(|()| Said::Nothing))
}

/// Runs `then` behind a chroot, in a directory below its root.
fn imprisoned(root: &Path, then: impl FnOnce() -> Outcome) -> Outcome {
    let locked = chroot::naive_root(root).and_then(|()| kernel::chdir(host::START_INSIDE, "somewhere inside"));
    match locked {
        Ok(()) => then(),
        Err(error) => Outcome::Failed { text: format!("before your function was called: {error}"), cause: None },
    }
}
