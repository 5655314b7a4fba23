//! Every system call: what the filter says, and how the kernel answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calls::{self, Query};
use super::child::{Child, End};
use super::filter::{self, Verdict};
use super::harmless::{Try, harmless};

/// A system call of the native table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its number.
    pub number: u64,
    /// Its name; `syscall_N` where N has none that we know.
    pub name: String,
    /// What both answers come to.
    pub class: Class,
    /// What the filter says to it, with zeros for arguments.
    pub filter: Verdict,
    /// How the kernel answered harmless arguments: `0`, an error, a signal, or `hangs`. None if it was not tried: the
    /// filter does not let it pass, or trying says nothing (`fork`), or what it does is not known.
    pub kernel: Option<String>,
}

/// May it be called?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It reaches the kernel, and the kernel goes to work: its answer is about the arguments.
    Allowed,
    /// The filter says no.
    Refused,
    /// It reaches the kernel, which says `EPERM` or `EACCES`: a capability is missing, or a setting forbids it.
    Denied,
    /// This kernel does not have it.
    Missing,
    /// Whoever calls it is killed.
    Killed,
    /// It waits for something.
    Hangs,
    /// `EPERM`, and the filter could not be asked: it is the filter's or the kernel's.
    Ambiguous,
}

/// What the filter says to a table that is not the native one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// `i386`, the table of 32-bit programs, reached through int 0x80; or `x32`, reached by a bit in the number.
    pub table: String,
    /// Whether this kernel answers through it; none if the filter lets nothing pass that would tell.
    pub in_kernel: Option<bool>,
    /// The names, by what the filter says to them.
    pub verdicts: BTreeMap<String, Vec<String>>,
}

/// Numbers after the last that has a name. They are not tried: a newer kernel may do anything there.
const BEYOND: u64 = 8;

/// Asks about, and tries, each call of the native table.
pub fn native() -> Vec<Call> {
    let last = syscalls::Sysno::last().id() as u64;
    let numbers: Vec<u64> = (0..=last + BEYOND).filter(|number| is_a_call(*number)).collect();
    let tries: Vec<Try> = numbers.iter().map(|number| how_to_try(*number)).collect();
    let asked = numbers.iter().map(|number| Query::native(*number));
    // A filter may say one thing to zeros and another to what is tried: then the answer would not be the kernel's.
    let tried = numbers.iter().zip(&tries).map(|(number, how)| match how {
        Try::With([a, b, c, d, e, _]) => Query { arguments: [*a, *b, *c, *d, *e], ..Query::native(*number) },
        Try::Not => Query::native(*number),
    });
    let mut verdicts = filter::ask(&asked.chain(tried).collect::<Vec<_>>());
    let to_what_is_tried = verdicts.split_off(numbers.len());
    let calls = numbers.into_iter().zip(tries).zip(verdicts.into_iter().zip(to_what_is_tried));
    calls.map(|((number, how), (filter, then))| call(number, how, filter, &then)).collect()
}

/// Whether it is worth asking. x86-64 has a gap before 424, where all machines go on with the same numbers. And two
/// calls are for trampolines of the kernel's own: filters are not run for them, and nobody else can make them.
fn is_a_call(number: u64) -> bool {
    match syscalls::Sysno::new(number as usize) {
        Some(known) => !["uretprobe", "uprobe"].contains(&known.name()),
        None => number > 424,
    }
}

fn name(number: u64) -> String {
    syscalls::Sysno::new(number as usize).map_or_else(|| format!("syscall_{number}"), |call| plain(call.name()))
}

/// Without the mark of names that are also words of Rust.
fn plain(name: &str) -> String {
    name.trim_start_matches("r#").to_owned()
}

fn how_to_try(number: u64) -> Try {
    match syscalls::Sysno::new(number as usize) {
        Some(known) => harmless(known.name()),
        None => Try::Not,
    }
}

fn call(number: u64, how: Try, filter: Verdict, then: &Verdict) -> Call {
    let kernel = match (how, then) {
        (Try::With(arguments), Verdict::Passes | Verdict::Unknown(_)) => Some(attempt(number, arguments)),
        _ => None,
    };
    Call { number, name: name(number), class: class(&filter, kernel.as_deref()), filter, kernel }
}

fn class(filter: &Verdict, kernel: Option<&str>) -> Class {
    match (filter, kernel) {
        (Verdict::Refuses(_), _) => Class::Refused,
        (Verdict::Kills(_), _) | (_, Some("SIGSYS")) => Class::Killed,
        (_, Some("ENOSYS")) => Class::Missing,
        (_, Some("hangs")) => Class::Hangs,
        (Verdict::Unknown(_), Some("EPERM" | "EACCES") | None) => Class::Ambiguous,
        (Verdict::Passes, Some("EPERM" | "EACCES")) => Class::Denied,
        _ => Class::Allowed,
    }
}

/// Makes the call in a child.
fn attempt(number: u64, arguments: [u64; 6]) -> String {
    // SAFETY: `harmless` vouches for the arguments.
    let work = || match unsafe { calls::native(number, arguments) } {
        error @ -4095..0 => -error as u8,
        _ => 0,
    };
    outcome(Child::start(0, work).map(Child::end))
}

/// In words: a child that has exited did so with 0 or an errno.
pub(super) fn outcome(end: nix::Result<End>) -> String {
    match end {
        Ok(End::Exited(0)) => "0".into(),
        Ok(End::Exited(errno)) => calls::errno_name(errno.into()),
        Ok(End::Signalled(signal)) => signal.to_string(),
        Ok(End::Late) => "hangs".into(),
        Err(errno) => format!("clone: {errno}"),
    }
}

/// Asks about the calls of the other tables. None of them is made.
#[cfg(target_arch = "x86_64")]
pub fn foreign() -> Vec<Foreign> {
    use super::calls::Door;

    /// `__X32_SYSCALL_BIT`
    const X32: u64 = 0x4000_0000;

    let i386 = syscalls::x86::Sysno::iter()
        .map(|call| (plain(call.name()), Query { door: Door::Int80, number: call.id() as u64, arguments: [0; 5] }));
    let x32 = syscalls::Sysno::iter().map(|call| (plain(call.name()), Query::native(call.id() as u64 | X32)));
    vec![
        table("i386", &i386.collect::<Vec<_>>(), Query { door: Door::Int80, number: 20, arguments: [0; 5] }),
        table("x32", &x32.collect::<Vec<_>>(), Query::native(libc::SYS_getpid as u64 | X32)),
    ]
}

/// This machine has no other table that we know how to reach.
#[cfg(not(target_arch = "x86_64"))]
pub fn foreign() -> Vec<Foreign> {
    Vec::new()
}

/// `getpid`: the one call that is made, if the filter lets it pass, to see whether the kernel has the table.
#[cfg(target_arch = "x86_64")]
fn table(name: &str, calls: &[(String, Query)], getpid: Query) -> Foreign {
    let queries: Vec<Query> = calls.iter().map(|(_, query)| *query).collect();
    let mut verdicts = BTreeMap::<String, Vec<String>>::new();
    for ((call, _), verdict) in calls.iter().zip(filter::ask(&queries)) {
        let verdict = match verdict {
            Verdict::Passes => "passes".into(),
            Verdict::Refuses(error) => error,
            Verdict::Kills(signal) => signal,
            Verdict::Unknown(_) => "unknown".into(),
        };
        verdicts.entry(verdict).or_default().push(call.clone());
    }
    let passes = verdicts.get("passes").is_some_and(|calls| calls.iter().any(|call| call == "getpid"));
    Foreign { table: name.into(), in_kernel: passes.then(|| answers(getpid)), verdicts }
}

/// Whether this call, which takes no arguments, is answered.
#[cfg(target_arch = "x86_64")]
fn answers(getpid: Query) -> bool {
    // SAFETY: there are no arguments.
    let work = || u8::from(unsafe { calls::make(&getpid, 0) } < 0);
    matches!(Child::start(0, work).map(Child::end), Ok(End::Exited(0)))
}
