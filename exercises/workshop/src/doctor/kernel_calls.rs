//! The system calls that this course makes and that older kernels lack.
//!
//! Each is really made, with arguments that change nothing. A version number would say less: a kernel of a
//! distribution has calls of newer ones, and a container's seccomp filter hides calls that the kernel has.

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};

use super::child::{Attempt, Refusal, in_child};
use super::confinement;
use super::finding::{Advice, Finding, Outcome, Subject};
use super::machine::Machine;
use super::needs::Requirement;
use super::surroundings::Wsl;
use super::user_namespace::wsl_one;

const DID: &str = "made each call that older kernels lack, with arguments that change nothing";

struct Call {
    name: &'static str,
    since: (u32, u32),
    from_chapter: u8,
    make: fn() -> nix::Result<()>,
}

/// Whatever starts a container makes the first five.
const CALLS: [Call; 7] = [
    Call { name: "clone3", since: (5, 3), from_chapter: 1, make: clone3 },
    Call { name: "openat2", since: (5, 6), from_chapter: 1, make: openat2_in_root },
    Call { name: "close_range with CLOEXEC", since: (5, 11), from_chapter: 1, make: close_range },
    Call { name: "mount_setattr", since: (5, 12), from_chapter: 1, make: mount_setattr },
    Call { name: "pidfd_open", since: (5, 3), from_chapter: 1, make: pidfd_open },
    Call { name: "fsopen", since: (5, 2), from_chapter: 4, make: fsopen },
    Call { name: "statx that knows mount points", since: (5, 8), from_chapter: 5, make: statx },
];

/// Makes the calls that today's chapters make.
pub fn make() -> Attempt {
    missing(|call| call.from_chapter <= 1).map_or(Ok(()), Err)
}

/// Makes all of them.
pub fn probe(machine: &Machine) -> Finding {
    let now = Requirement::KernelCalls.probe(DID, &format!("Linux {}: all there", machine.release), machine);
    if now.outcome != Outcome::Ok {
        return now;
    }
    let later: Attempt = in_child(|| missing(|call| call.from_chapter > 1).map_or(Ok(()), Err));
    match later {
        Ok(()) => now,
        Err(refusal) => {
            let chapter =
                CALLS.iter().find(|call| refusal.call.contains(call.name)).map_or(2, |call| call.from_chapter);
            let subject = Subject { name: now.name, did: DID, from_chapter: chapter, serves: None };
            subject.warn(&refusal, why(&refusal, machine))
        }
    }
}

/// The first answer that is not what a kernel with the call gives, naming all calls that have such an answer.
fn missing(which: fn(&Call) -> bool) -> Option<Refusal> {
    let answers = CALLS.iter().filter(|call| which(call)).filter_map(|call| Some((call, (call.make)().err()?)));
    let missing: Vec<(&Call, Errno)> = answers.collect();
    let names: Vec<&str> = missing.iter().map(|(call, _)| call.name).collect();
    missing.first().map(|&(_, errno)| Refusal::new(&names.join(", "), "", errno))
}

/// Whether the kernel is too old, or something hides its calls.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    if machine.wsl == Some(Wsl::One) {
        return wsl_one();
    }
    let needed = CALLS.iter().filter(|call| refusal.call.contains(call.name)).map(|call| call.since).max();
    let (major, minor) = needed.unwrap_or((5, 12));
    if !machine.is_older_than(major, minor) {
        let mut advice = confinement::explain(machine, false);
        let has = format!("Linux {} has this call, but something hides it. ", machine.release);
        advice.means.insert_str(0, &has);
        return advice;
    }
    let since: Vec<String> = CALLS
        .iter()
        .filter(|call| refusal.call.contains(call.name))
        .map(|call| format!("{} since {}.{}", call.name, call.since.0, call.since.1))
        .collect();
    Advice::new(
        format!(
            "This kernel, {}, is too old ({}). You need Linux {major}.{minor} or newer.",
            machine.release,
            since.join(", ")
        ),
        machine.os.newer_kernel(),
    )
}

/// `answer`, but with `expected`, which only a kernel that has the call gives, as success.
fn or_expected(answer: libc::c_long, expected: Errno) -> nix::Result<()> {
    match Errno::result(answer) {
        Err(errno) if errno == expected => Ok(()),
        other => other.map(drop),
    }
}

fn clone3() -> nix::Result<()> {
    // SAFETY: a structure of size zero is refused before it is looked at.
    or_expected(unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<libc::clone_args>(), 0) }, Errno::EINVAL)
}

fn openat2_in_root() -> nix::Result<()> {
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    openat2(AT_FDCWD, ".", how).map(drop)
}

fn close_range() -> nix::Result<()> {
    let beyond_every_descriptor = libc::c_uint::MAX;
    // SAFETY: takes three integers; no descriptor has these numbers.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_close_range,
            beyond_every_descriptor,
            beyond_every_descriptor,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    })
    .map(drop)
}

fn mount_setattr() -> nix::Result<()> {
    let nothing = std::ptr::null::<libc::mount_attr>();
    // SAFETY: a structure of size zero is refused before it is looked at.
    or_expected(unsafe { libc::syscall(libc::SYS_mount_setattr, -1, c"".as_ptr(), 0, nothing, 0) }, Errno::EINVAL)
}

fn pidfd_open() -> nix::Result<()> {
    // SAFETY: takes two integers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) })?;
    nix::unistd::close(fd as i32)
}

fn fsopen() -> nix::Result<()> {
    // SAFETY: the kernel checks the pointer, and answers EFAULT to root and EPERM to everybody else.
    let answer = unsafe { libc::syscall(libc::SYS_fsopen, std::ptr::null::<libc::c_char>(), 0) };
    or_expected(answer, if nix::unistd::geteuid().is_root() { Errno::EFAULT } else { Errno::EPERM })
}

fn statx() -> nix::Result<()> {
    // SAFETY: all fields are integers, for which zero is valid.
    let mut answer: libc::statx = unsafe { std::mem::zeroed() };
    // SAFETY: the path is a NUL-terminated literal, and the answer has the size that the kernel fills in.
    Errno::result(unsafe { libc::statx(libc::AT_FDCWD, c"/".as_ptr(), 0, 0, &raw mut answer) })?;
    let known = answer.stx_attributes_mask & libc::STATX_ATTR_MOUNT_ROOT as u64 != 0;
    if known { Ok(()) } else { Err(Errno::ENOSYS) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::os::Os;
    use crate::doctor::surroundings::Engine;

    fn told(calls: &str, errno: Errno, machine: &Machine) -> String {
        let advice = why(&Refusal::new(calls, "", errno), machine);
        format!("{}\n{}", advice.means, advice.fix.join("\n"))
    }

    #[test]
    fn an_old_kernel_is_told_which_call_came_when() {
        let os = Os::parse("ID=ubuntu\nVERSION_ID=20.04");
        let focal = Machine { uid: 1000, release: "5.4.0-190-generic".into(), os, ..Machine::default() };
        let told = told("openat2, mount_setattr", Errno::ENOSYS, &focal);
        assert!(told.contains("openat2 since 5.6, mount_setattr since 5.12"), "{told}");
        assert!(told.contains("You need Linux 5.12 or newer"), "{told}");
        assert!(told.contains("linux-generic-hwe-20.04"), "{told}");
    }

    #[test]
    fn a_new_kernel_whose_calls_are_hidden_is_not_called_old() {
        let docker =
            Machine { engine: Some(Engine::Docker), release: "6.8.0".into(), seccomp: true, ..Machine::default() };
        let told = told("clone3", Errno::ENOSYS, &docker);
        assert!(told.contains("something hides it") && told.contains("seccomp=unconfined"), "{told}");
        assert!(!told.contains("too old"), "{told}");
    }
}
