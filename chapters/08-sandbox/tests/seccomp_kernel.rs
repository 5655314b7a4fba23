//! Filters as the kernel enforces them: each call is made without the filter first, so that what is refused is known
//! to be possible.
#![cfg(target_arch = "x86_64")]

use std::process::ExitCode;

use libc::c_long;
use libtest_mimic::{Arguments, Failed, Trial};
use look::kernel::CapabilitySet;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use sandbox::seccomp::{Profile, Program, default_program, install, simple};

const X86_64: u32 = 0xc000_003e;
const X32: c_long = 0x4000_0000;
const AF_ALG: c_long = 38;
const AF_VSOCK: c_long = 40;
const EPERM: c_long = -1;
const ENOSYS: c_long = -38;
const SIGSYS: i32 = libc::SIGSYS;

fn main() -> ExitCode {
    let tests: [(&str, bool, fn()); 10] = [
        ("calls_that_a_container_needs", false, calls_that_a_container_needs),
        ("calls_that_are_closed", false, calls_that_are_closed),
        ("no_new_namespaces", false, no_new_namespaces),
        ("families_of_sockets", false, families_of_sockets),
        ("a_list_of_what_is_refused", false, a_list_of_what_is_refused),
        ("personalities", false, personalities),
        ("numbers_from_elsewhere", false, numbers_from_elsewhere),
        ("what_a_list_lets_pass", false, what_a_list_lets_pass),
        ("the_32_bit_table", true, the_32_bit_table),
        ("a_profile_without_the_32_bit_table", true, a_profile_without_the_32_bit_table),
    ];
    let has_32_bit = matches!(end(|| assert!(int_0x80(20, [0; 3]) > 0)), WaitStatus::Exited(_, 0));
    let trial = |(name, needs_32_bit, test): (&str, bool, fn())| {
        let run = move || std::panic::catch_unwind(test).map_err(|_| Failed::from("see the panic above"));
        let trial = Trial::test(name, run);
        if needs_32_bit && !has_32_bit {
            return trial.with_kind("blocked: this kernel has no 32-bit calls").with_ignored_flag(true);
        }
        trial
    };
    libtest_mimic::run(&Arguments::from_args(), tests.map(trial).into()).exit_code()
}

/// How a child ends that runs `body`.
fn end(body: impl FnOnce()) -> WaitStatus {
    // SAFETY: the child makes system calls and exits; what it allocates it does not share.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => waitpid(child, None).expect("waitpid"),
        ForkResult::Child => {
            body();
            // SAFETY: ends the child, without the parent's cleanup.
            unsafe { libc::_exit(0) }
        }
    }
}

/// What `call` answers in a child, under a filter or without one.
fn answer(filter: Option<&Program>, call: impl FnOnce() -> c_long) -> c_long {
    let (read, write) = nix::unistd::pipe().expect("pipe");
    let status = end(|| {
        if let Some(filter) = filter {
            look::kernel::no_new_privs("as every container").expect("no_new_privs");
            install(filter, "the test's").expect("install");
        }
        let answer = call();
        let _ = nix::unistd::write(&write, &answer.to_ne_bytes());
    });
    assert_eq!(status, WaitStatus::Exited(status.pid().expect("a child"), 0));
    let mut bytes = [0; size_of::<c_long>()];
    assert_eq!(nix::unistd::read(&read, &mut bytes), Ok(bytes.len()));
    c_long::from_ne_bytes(bytes)
}

/// A call as the C library makes it, with the error as a negative number.
fn call(number: c_long, a: [c_long; 3]) -> c_long {
    // SAFETY: the tests pass numbers, or null for a pointer.
    let done = unsafe { libc::syscall(number, a[0], a[1], a[2], 0, 0) };
    if done == -1 { -c_long::from(nix::errno::Errno::last_raw()) } else { done }
}

/// A call through the table for 32-bit programs.
fn int_0x80(number: u32, a: [u64; 3]) -> c_long {
    let done: u64;
    // SAFETY: as in `call`. rbx cannot be named, so it is swapped in.
    unsafe {
        std::arch::asm!(
            "xchg {first}, rbx", "int 0x80", "xchg {first}, rbx",
            first = inout(reg) a[0] => _,
            inout("rax") u64::from(number) => done, in("rcx") a[1], in("rdx") a[2],
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    c_long::from(done as i32)
}

fn usual() -> Program {
    default_program(CapabilitySet::of(&["CHOWN", "KILL", "SYS_CHROOT"])).expect("the default profile")
}

/// That `call` is possible, and is refused under the default filter.
#[track_caller]
fn refused(what: &str, refusal: c_long, call: impl Fn() -> c_long) {
    let free = answer(None, &call);
    assert_ne!(free, refusal, "{what}: the machine itself answers so, which shows nothing");
    assert_eq!(answer(Some(&usual()), &call), refusal, "{what} (without a filter: {free})");
}

/// That the filter makes no difference to `call`.
#[track_caller]
fn passes(what: &str, call: impl Fn() -> c_long) {
    let free = answer(None, &call);
    let filtered = answer(Some(&usual()), &call);
    assert_eq!(free < 0, filtered < 0, "{what}: {free} without a filter, {filtered} with it");
    if free < 0 {
        assert_eq!(free, filtered, "{what}");
    }
}

fn calls_that_a_container_needs() {
    for (what, number, arguments) in [
        ("getpid", libc::SYS_getpid, [0, 0, 0]),
        ("dup of what is not open", libc::SYS_dup, [-1, 0, 0]),
        ("mmap of nothing", libc::SYS_mmap, [0, 0, 0]),
        ("chroot to nowhere", libc::SYS_chroot, [0, 0, 0]),
        ("futex", libc::SYS_futex, [0, 0, 0]),
        ("memfd_create without a name", libc::SYS_memfd_create, [0, 0, 0]),
        ("ptrace of nobody", libc::SYS_ptrace, [16, -1, 0]),
    ] {
        passes(what, || call(number, arguments));
    }
}

fn calls_that_are_closed() {
    for (what, number) in [
        ("io_uring_setup", libc::SYS_io_uring_setup),
        ("add_key", libc::SYS_add_key),
        ("userfaultfd", libc::SYS_userfaultfd),
        ("mount", libc::SYS_mount),
        ("keyctl", libc::SYS_keyctl),
        ("setns", libc::SYS_setns),
    ] {
        refused(what, EPERM, || call(number, [-1, 0, 0]));
    }
}

fn no_new_namespaces() {
    const NEW_USER: c_long = libc::CLONE_NEWUSER as c_long;
    let clone = |flags: c_long| {
        move || {
            let child = call(libc::SYS_clone, [flags | libc::SIGCHLD as c_long, 0, 0]);
            if child == 0 {
                // SAFETY: ends the child of the child.
                unsafe { libc::_exit(0) }
            }
            child
        }
    };
    passes("clone", clone(0));
    for kind in [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ] {
        assert_eq!(answer(Some(&usual()), clone(kind.into())), EPERM, "{kind:#x}");
    }
    refused("unshare", EPERM, || call(libc::SYS_unshare, [0, 0, 0]));
    // EINVAL by itself, since there is no structure.
    refused("clone3", ENOSYS, || call(libc::SYS_clone3, [0, 0, 0]));
    let trusted = default_program(CapabilitySet::of(&["SYS_ADMIN"])).expect("the default profile");
    assert_eq!(answer(Some(&trusted), || call(libc::SYS_clone3, [0, 0, 0])), -c_long::from(libc::EINVAL));
    assert_eq!(answer(Some(&trusted), clone(NEW_USER)) > 0, answer(None, clone(NEW_USER)) > 0);
}

fn families_of_sockets() {
    let socket = |family: c_long| move || call(libc::SYS_socket, [family, libc::SOCK_SEQPACKET.into(), 0]);
    passes("AF_UNIX", socket(1));
    passes("AF_INET", || call(libc::SYS_socket, [2, 1, 0]));
    passes("AF_NETLINK", || call(libc::SYS_socket, [16, 3, 0]));
    refused("AF_ALG", EPERM, socket(AF_ALG));
    refused("AF_VSOCK", EPERM, socket(AF_VSOCK));
    // The kernel takes the family as 32 bits. A filter that only says "not 38" would let this pass.
    refused("AF_ALG, and something above", EPERM, socket(1 << 32 | AF_ALG));
}

fn personalities() {
    let personality = |kind: c_long| move || call(libc::SYS_personality, [kind, 0, 0]);
    for kind in [0, 8, 0x20000, 0x20008, 0xffff_ffff] {
        passes("personality", personality(kind));
    }
    // ADDR_NO_RANDOMIZE and READ_IMPLIES_EXEC: the ways to weaken one's own walls.
    for kind in [0x004_0000, 0x040_0000, 0x004_0008, 0xffff_ffff_0004_0000u64 as c_long] {
        refused("personality", EPERM, personality(kind));
    }
}

/// Why the default profile lists the families that are allowed.
fn a_list_of_what_is_refused() {
    let profile = br#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#;
    let filter = Profile::parse(profile).and_then(|profile| profile.compile(CapabilitySet::NONE)).expect("a profile");
    let socket = |family: c_long| move || call(libc::SYS_socket, [family, libc::SOCK_STREAM.into(), 0]);
    assert_eq!(answer(Some(&filter), socket(1)), EPERM);
    assert!(answer(Some(&filter), socket(1 << 32 | 1)) >= 0, "the kernel takes it for AF_UNIX all the same");
}

fn numbers_from_elsewhere() {
    // All the same whether the kernel has x32 or not.
    for number in [X32 | libc::SYS_getpid, X32 | libc::SYS_mount, X32 | 520, -1, 100_000] {
        assert_eq!(answer(Some(&usual()), || call(number, [0, 0, 0])), ENOSYS, "{number:#x}");
    }
}

fn what_a_list_lets_pass() {
    let allowed = [libc::SYS_write as u32, libc::SYS_exit_group as u32];
    let list = Program::new(simple::filter(X86_64, &allowed));
    assert_eq!(answer(Some(&list), || call(libc::SYS_write, [-1, 0, 0])), -c_long::from(libc::EBADF));
    assert_eq!(answer(Some(&list), || call(libc::SYS_getppid, [0, 0, 0])), EPERM);
    // On a kernel without x32 this answers ENOSYS if the filter lets it through.
    assert_eq!(answer(Some(&list), || call(X32 | libc::SYS_write, [-1, 0, 0])), EPERM);
    let status = end(|| {
        look::kernel::no_new_privs("as every container").expect("no_new_privs");
        install(&list, "the test's").expect("install");
        int_0x80(4, [0; 3]);
    });
    assert!(
        matches!(status, WaitStatus::Signaled(_, signal, _) if signal as i32 == SIGSYS || signal as i32 == libc::SIGSEGV),
        "{status:?}"
    );
}

fn the_32_bit_table() {
    const GETPID: u32 = 20;
    const MOUNT: u32 = 21;
    const SOCKETCALL: u32 = 102;
    const SOCKET: u32 = 359;
    passes("getpid", || (int_0x80(GETPID, [0; 3]) > 0).into());
    refused("mount", EPERM, || int_0x80(MOUNT, [0; 3]));
    passes("socket", || int_0x80(SOCKET, [1, 1, 0]));
    refused("AF_ALG", EPERM, || int_0x80(SOCKET, [AF_ALG as u64, 5, 0]));
    // Which family it asks for is behind a pointer, so there is no socketcall at all.
    refused("socketcall", ENOSYS, || int_0x80(SOCKETCALL, [1, 0, 0]));
}

fn a_profile_without_the_32_bit_table() {
    let profile = br#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"]}"#;
    let filter = Profile::parse(profile).and_then(|profile| profile.compile(CapabilitySet::NONE)).expect("a profile");
    assert!(answer(Some(&filter), || call(libc::SYS_getpid, [0, 0, 0])) > 0);
    let status = end(|| {
        look::kernel::no_new_privs("as every container").expect("no_new_privs");
        install(&filter, "the test's").expect("install");
        int_0x80(20, [0; 3]);
    });
    assert!(matches!(status, WaitStatus::Signaled(_, signal, _) if signal as i32 == SIGSYS), "{status:?}");
}
