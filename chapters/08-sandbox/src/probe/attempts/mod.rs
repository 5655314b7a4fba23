//! Deeds: system calls with arguments that matter, made in a child.
//!
//! Each asks for something that ends with the child: a namespace, a descriptor, an id. Where that cannot be, the
//! arguments are such that the kernel refuses them only after it has agreed to who asks, and that error counts as yes.

mod deeds;
mod memory;
mod single;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use super::calls::{self, Query};
use super::child::Child;
use super::filter::{self, Verdict};
use super::syscalls::outcome;

/// A deed, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What was tried.
    pub name: String,
    /// What the filter says to these arguments; none for a deed of several calls.
    pub filter: Option<Verdict>,
    /// `yes`, or the error, the signal, or `hangs`.
    pub answer: String,
}

/// One call.
#[derive(Clone, Copy)]
struct Single {
    name: &'static str,
    number: libc::c_long,
    arguments: [u64; 5],
    /// The error that counts as yes.
    agreed: Option<Errno>,
}

/// Several calls. Answers with the first error.
struct Deed {
    name: &'static str,
    run: fn() -> nix::Result<()>,
}

/// Tries all of them.
pub fn all() -> Vec<Attempt> {
    let singles = single::all();
    let queries: Vec<Query> = singles.iter().map(Single::query).collect();
    let verdicts = filter::ask(&queries);
    let mut attempts: Vec<Attempt> =
        singles.iter().zip(verdicts).map(|(single, filter)| single.attempt(filter)).collect();
    attempts.extend(deeds::all().iter().map(Deed::attempt));
    attempts
}

impl Single {
    fn query(&self) -> Query {
        Query { arguments: self.arguments, ..Query::native(self.number as u64) }
    }

    fn attempt(&self, filter: Verdict) -> Attempt {
        let answer = in_child(|| self.make());
        Attempt { name: self.name.into(), filter: Some(filter), answer }
    }

    fn make(&self) -> nix::Result<()> {
        // SAFETY: the arguments are numbers, and addresses of what lives as long as the process and is large enough.
        let result = unsafe { calls::make(&self.query(), 0) };
        match Errno::from_raw(result.checked_neg().map_or(0, |error| error as i32)) {
            _ if result >= 0 => Ok(()),
            errno if Some(errno) == self.agreed => Ok(()),
            errno => Err(errno),
        }
    }
}

impl Deed {
    fn attempt(&self) -> Attempt {
        Attempt { name: self.name.into(), filter: None, answer: in_child(self.run) }
    }
}

fn in_child(work: impl FnOnce() -> nix::Result<()>) -> String {
    let end = Child::start(0, || work().map_or_else(|errno| errno as u8, |()| 0)).map(Child::end);
    match outcome(end).as_str() {
        "0" => "yes".into(),
        other => other.into(),
    }
}
