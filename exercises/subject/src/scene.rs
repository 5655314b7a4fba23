//! What the answer's process does, for each exercise.

use std::path::Path;

use look::kernel;
use nix::unistd::Pid;

use crate::life::Hold;
use crate::protocol::{Call, Channel, Outcome, Report};
use crate::try_it::try_it;
use crate::{Answer, host};

/// The chapter's own escape.
mod attack {
    include!(concat!(env!("OUT_DIR"), "/solution-1.2-escape.rs"));
}

/// No kernel gives out a process id as large as this (`PID_MAX_LIMIT` is 4194304).
const NOBODY: Pid = Pid::from_raw(99_999_999);

/// Whether the answer needs another process to look at.
pub(crate) fn needs_neighbour(answer: Answer) -> bool {
    matches!(answer, Answer::NamespacesOf(_))
}

/// Calls the answer as its exercise says, and reports what became of each call.
pub(crate) fn play(answer: Answer, neighbour: Option<Pid>, channel: &Channel, hold: &Hold) {
    let report = |call, outcome| {
        let _ = channel.send(&Report::Called { call, outcome });
        hold.still();
    };
    let root = Path::new(host::NEW_ROOT);
    match answer {
        Answer::NamespacesOf(look) => {
            let about = |pid| try_it(|| look(pid).map(Some));
            report(Call::TheFunction, about(nix::unistd::getpid()));
            report(Call::AboutNeighbour, about(neighbour.unwrap_or(NOBODY)));
            report(Call::AboutNobody, about(NOBODY));
        }
        Answer::NaiveRoot(enter) => report(Call::TheFunction, try_it(|| enter(root).map(|()| None))),
        Answer::Escape(escape) => report(Call::TheFunction, imprisoned(root, || try_it(|| escape().map(|()| None)))),
        Answer::EnterRoot(enter) => {
            report(Call::TheFunction, try_it(|| enter(root).map(|()| None)));
            report(Call::Attack, try_it(|| attack::escape().map(|()| None)));
        }
    }
}

/// Runs `then` behind a chroot, in a directory below its root.
fn imprisoned(root: &Path, then: impl FnOnce() -> Outcome) -> Outcome {
    let locked = chroot::naive_root(root).and_then(|()| kernel::chdir(host::START_INSIDE, "somewhere inside"));
    match locked {
        Ok(()) => then(),
        Err(error) => Outcome::Failed { text: format!("before your function was called: {error}"), cause: None },
    }
}
