//! What does the seccomp filter say about a system call? Asked without making the call.
//!
//! An `EPERM` can come from the filter or from the kernel behind it, and some calls are better not made to find out.
//! But filters are stacked, and a process may always add one. The kernel runs all of them, and the severest answer
//! counts: "kill" before "fail with this error" before "ask the supervisor" before "allow" (seccomp(2)). So a child
//! adds a filter that asks a supervisor, and we are the supervisor. If we are asked, then all filters before ours have
//! allowed the call, and our answer is that it need not be made. If we are not asked, the errno is the filter's.
//!
//! To tell the calls in question from those that the child makes to live, they carry a sign in the sixth argument.
//! Filters that look at a sixth argument are not known to exist.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicI64, Ordering};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::calls::{self, Query};
use super::child::{Child, End, PATIENCE};

/// The sign: "tnbx".
const SIGN: u32 = 0x746e_6278;
/// What we answer for a call that the filters allow. No error, and nothing that a filter could have said.
const ALLOWED: i64 = 0x70a5_5e5d;

/// What the filter says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The call reaches the kernel.
    Passes,
    /// It fails with this error.
    Refuses(String),
    /// The caller is killed, by this signal.
    Kills(String),
    /// It could not be asked; why.
    Unknown(String),
}

/// Asks about each of them. None is made.
pub fn ask(queries: &[Query]) -> Vec<Verdict> {
    match Answers::new(queries.len()) {
        Ok(answers) => ask_all(queries, &answers),
        Err(errno) => vec![Verdict::Unknown(format!("mmap: {errno}")); queries.len()],
    }
}

fn ask_all(queries: &[Query], answers: &Answers) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(queries.len());
    while verdicts.len() < queries.len() {
        let first = verdicts.len();
        let end = match one_child(queries, first, answers) {
            Ok(end) => end,
            Err(why) => {
                verdicts.resize(queries.len(), Verdict::Unknown(why));
                break;
            }
        };
        let done = answers.done();
        verdicts.extend((first..done).map(|number| verdict(answers.get(number))));
        // The one that it did not come back from.
        if done < queries.len() {
            verdicts.push(match end {
                End::Signalled(Signal::SIGSYS) => Verdict::Kills("SIGSYS".into()),
                // There is no such table in this kernel.
                End::Signalled(Signal::SIGSEGV) => Verdict::Refuses("ENOSYS".into()),
                End::Signalled(signal) => Verdict::Kills(signal.to_string()),
                End::Exited(_) | End::Late => Verdict::Unknown("no answer".into()),
            });
        }
    }
    verdicts
}

fn verdict(answer: i64) -> Verdict {
    match answer {
        ALLOWED => Verdict::Passes,
        errno @ -4095..0 => Verdict::Refuses(calls::errno_name(-errno as i32)),
        other => Verdict::Refuses(format!("returns {other}")),
    }
}

/// Has a child ask from number `first` on, and answers it. The child shares our descriptors: the one on which the
/// kernel asks us is opened by it.
fn one_child(queries: &[Query], first: usize, answers: &Answers) -> Result<End, String> {
    answers.start(first);
    let (reader, writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(|e| format!("pipe: {e}"))?;
    let told = writer.as_raw_fd();
    let child = Child::start(libc::CLONE_FILES, || asking(queries, first, answers, told));
    let child = child.map_err(|e| format!("clone: {e}"))?;
    let listener = listener(reader.as_fd(), child.as_fd())?;
    while asked(listener.as_fd(), child.as_fd()) {
        answer(listener.as_fd());
    }
    Ok(child.end())
}

/// In the child: adds the filter, tells where to listen, and asks.
fn asking(queries: &[Query], first: usize, answers: &Answers, told: libc::c_int) -> u8 {
    let listener = install().unwrap_or_else(|errno| -(errno as i32));
    let bytes = listener.to_ne_bytes();
    // SAFETY: the buffer lives. All six arguments are given, so that the sixth is not the sign.
    let written = unsafe { libc::syscall(libc::SYS_write, libc::c_long::from(told), bytes.as_ptr(), 4_usize, 0, 0, 0) };
    if listener < 0 || written != 4 {
        return 1;
    }
    for (number, query) in queries.iter().enumerate().skip(first) {
        // SAFETY: our filter is installed: with the sign, no call gets to the kernel.
        answers.set(number, unsafe { calls::make(query, u64::from(SIGN)) });
    }
    0
}

/// Adds the filter to this process: with the sign, ask; else allow. Answers with the descriptor to listen on.
fn install() -> nix::Result<libc::c_int> {
    let zero: libc::c_ulong = 0;
    // SAFETY: takes numbers only.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as libc::c_ulong, zero, zero, zero) })?;
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let equal = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    let sixth = (std::mem::offset_of!(libc::seccomp_data, args) + 5 * size_of::<u64>()) as u32;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut program = [
        step(load, 0, 0, sixth),
        step(equal, 0, 3, SIGN),
        step(load, 0, 0, sixth + 4),
        step(equal, 0, 1, 0),
        step(answer, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
        step(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let (mode, flag) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    // SAFETY: the program outlives the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_seccomp, u64::from(mode), flag, &raw const program, 0, 0, 0) })
        .map(|listener| listener as libc::c_int)
}

/// What the child has told: the descriptor, or why there is none.
fn listener(told: BorrowedFd<'_>, child: BorrowedFd<'_>) -> Result<OwnedFd, String> {
    let mut ready = [PollFd::new(told, PollFlags::POLLIN), PollFd::new(child, PollFlags::POLLIN)];
    poll(&mut ready, PollTimeout::from(PATIENCE)).map_err(|e| format!("poll: {e}"))?;
    if !ready[0].any().unwrap_or(false) {
        return Err("adding a filter killed the child, or hung".into());
    }
    let mut bytes = [0; 4];
    nix::unistd::read(told, &mut bytes).map_err(|e| format!("read: {e}"))?;
    match i32::from_ne_bytes(bytes) {
        // SAFETY: the child, which shares our table, has opened it and does not close it.
        number @ 0.. => Ok(unsafe { OwnedFd::from_raw_fd(number) }),
        errno => Err(format!("add a seccomp filter: {}", calls::errno_name(-errno))),
    }
}

/// Waits for a question. False when there will be none: the child has ended, or hangs.
fn asked(listener: BorrowedFd<'_>, child: BorrowedFd<'_>) -> bool {
    let mut ready = [PollFd::new(listener, PollFlags::POLLIN), PollFd::new(child, PollFlags::POLLIN)];
    let events = poll(&mut ready, PollTimeout::from(PATIENCE));
    events.is_ok_and(|count| count > 0) && ready[0].revents().is_some_and(|found| found.contains(PollFlags::POLLIN))
}

/// Takes the question, and answers that the call is as good as done. If the child died meanwhile, both fail, and the
/// next poll says so.
fn answer(listener: BorrowedFd<'_>) {
    // SAFETY: all zero is what the kernel demands of it.
    let mut question: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one such record.
    let received = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut question) };
    if received == 0 {
        let mut response = libc::seccomp_notif_resp { id: question.id, val: ALLOWED, error: 0, flags: 0 };
        // SAFETY: the kernel reads one such record.
        unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut response) };
    }
}

/// Memory that is shared with the child: how far it is, and what it was answered.
struct Answers {
    base: *mut AtomicI64,
    count: usize,
}

impl Answers {
    fn new(count: usize) -> nix::Result<Answers> {
        let bytes = (count + 1) * size_of::<AtomicI64>();
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0) };
        if base == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(Answers { base: base.cast(), count }) }
    }

    fn slots(&self) -> &[AtomicI64] {
        // SAFETY: the mapping is that large, aligned to a page, zeroed, and lives as long as this.
        unsafe { std::slice::from_raw_parts(self.base, self.count + 1) }
    }

    fn start(&self, first: usize) {
        self.slots()[0].store(first as i64, Ordering::SeqCst);
    }

    fn set(&self, number: usize, answer: i64) {
        self.slots()[number + 1].store(answer, Ordering::SeqCst);
        self.slots()[0].store(number as i64 + 1, Ordering::SeqCst);
    }

    fn get(&self, number: usize) -> i64 {
        self.slots()[number + 1].load(Ordering::SeqCst)
    }

    /// How many have been answered, in all rounds.
    fn done(&self) -> usize {
        (self.slots()[0].load(Ordering::SeqCst) as usize).min(self.count)
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        let bytes = (self.count + 1) * size_of::<AtomicI64>();
        // SAFETY: it is our mapping, and no reference into it is left.
        unsafe { libc::munmap(self.base.cast(), bytes) };
    }
}
