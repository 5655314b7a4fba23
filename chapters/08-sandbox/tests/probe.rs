//! `ch08-sandbox probe`: that it tells the truth, and that it does no harm.

use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use sandbox::probe::Report;
use sandbox::probe::filter::Verdict;
use sandbox::probe::syscalls::{Call, Class};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ch08-sandbox");

fn probe() -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("probe");
    command
}

fn report(command: &mut Command) -> Report {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    serde_json::from_slice(&stdout).unwrap()
}

/// Our filter, in front of whatever this test runs under: `(number, first argument or any, answer)`.
fn confine(command: &mut Command, rules: &'static [(libc::c_long, Option<u32>, u32)]) {
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let (load, equal) = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K);
    let answer = libc::BPF_RET | libc::BPF_K;
    let number = std::mem::offset_of!(libc::seccomp_data, nr) as u32;
    let first = std::mem::offset_of!(libc::seccomp_data, args) as u32;
    let mut program = Vec::new();
    for (call, argument, verdict) in rules {
        program
            .extend([step(load, 0, 0, number), step(equal, 0, if argument.is_some() { 3 } else { 1 }, *call as u32)]);
        program.extend(argument.iter().flat_map(|value| [step(load, 0, 0, first), step(equal, 0, 1, *value)]));
        program.push(step(answer, 0, 0, *verdict));
    }
    program.push(step(answer, 0, 0, libc::SECCOMP_RET_ALLOW));
    // SAFETY: between fork and exec there are two system calls, with memory that was there before.
    unsafe {
        command.pre_exec(move || {
            let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
            let (one, zero) = (1 as libc::c_ulong, 0 as libc::c_ulong);
            Errno::result(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, one, zero, zero, zero))?;
            let mode = libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER);
            Errno::result(libc::syscall(libc::SYS_seccomp, mode, zero, &raw const program))?;
            Ok(())
        });
    }
}

fn call<'a>(report: &'a Report, name: &str) -> &'a Call {
    report.syscalls.iter().find(|call| call.name == name).unwrap_or_else(|| panic!("{name} is in the table"))
}

fn refuses(errno: &str) -> Verdict {
    Verdict::Refuses(errno.into())
}

#[test]
fn what_the_filter_says_is_told_from_what_the_kernel_says() {
    const RULES: &[(libc::c_long, Option<u32>, u32)] = &[
        (libc::SYS_mkdirat, None, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        (libc::SYS_fork, None, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        (libc::SYS_ustat, None, libc::SECCOMP_RET_KILL_PROCESS),
        (libc::SYS_sysfs, None, libc::SECCOMP_RET_KILL_THREAD),
        (libc::SYS_socket, Some(libc::AF_ALG as u32), libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    ];
    let mut command = probe();
    confine(&mut command, RULES);
    let report = report(&mut command);
    let found = |name| (call(&report, name).class, call(&report, name).filter.clone());
    assert_eq!(found("mkdirat"), (Class::Refused, refuses("EPERM")));
    assert_eq!(found("fork"), (Class::Refused, refuses("ENOSYS")));
    assert_eq!(found("ustat"), (Class::Killed, Verdict::Kills("SIGSYS".into())));
    assert_eq!(found("sysfs"), (Class::Killed, Verdict::Kills("SIGSYS".into())));
    // The one after a call that kills is asked like all others.
    assert_eq!(found("statfs"), (Class::Allowed, Verdict::Passes));
    // No socket has a family of zero; an address of -1 is nobody's.
    assert_eq!(found("mkdir"), (Class::Allowed, Verdict::Passes));
    assert_eq!(call(&report, "mkdir").kernel.as_deref(), Some("EFAULT"));
    assert_eq!(found("socket"), (Class::Allowed, Verdict::Passes));
    let attempt = |name| report.attempts.iter().find(|attempt| attempt.name == name).unwrap();
    assert_eq!(attempt("socket(AF_ALG)").filter, Some(refuses("EPERM")));
    assert_eq!(attempt("socket(AF_ALG)").answer, "EPERM");
    assert_eq!(attempt("socket(AF_UNIX)").answer, "yes");
    assert!(report.evidence.no_new_privs);
    assert!(report.process.filters.is_some_and(|filters| filters > 0));
}

#[test]
fn where_no_filter_can_be_added_an_eperm_stays_unexplained() {
    const REFUSED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let mut command = probe();
    confine(&mut command, &[(libc::SYS_mkdirat, None, REFUSED), (libc::SYS_seccomp, None, REFUSED)]);
    let report = report(&mut command);
    let unknown = Verdict::Unknown("add a seccomp filter: EPERM".into());
    let found = |name| (call(&report, name).class, call(&report, name).filter.clone());
    assert_eq!(found("mkdirat"), (Class::Ambiguous, unknown.clone()));
    assert_eq!(found("mkdir"), (Class::Allowed, unknown));
}

#[test]
fn what_the_kernel_denies_is_not_the_filters_doing() {
    let mut command = probe();
    // SAFETY: one system call between fork and exec.
    unsafe {
        command.pre_exec(|| {
            // `CAP_SYS_CHROOT`, which execve does not give back to a user namespace that has no root.
            Ok(unshare(CloneFlags::CLONE_NEWUSER)?)
        });
    }
    let report = report(&mut command);
    let chroot = report.attempts.iter().find(|attempt| attempt.name == "chroot").unwrap();
    assert_eq!((chroot.filter.clone(), chroot.answer.as_str()), (Some(Verdict::Passes), "EPERM"));
    assert_eq!(
        (call(&report, "pivot_root").class, call(&report, "pivot_root").filter.clone()),
        (Class::Denied, Verdict::Passes)
    );
    assert_eq!(report.evidence.capabilities.effective, Vec::<String>::new());
}

/// Everything that a careless probe would change, in namespaces of our own so that nobody else changes it meanwhile.
#[test]
fn it_leaves_the_machine_as_it_was() {
    let look = "cat /proc/self/mountinfo /proc/sys/kernel/hostname /proc/sys/kernel/domainname /proc/sysvipc/*
        cat /proc/net/route /proc/sys/kernel/printk; ulimit -a; umask; ls /tmp/.probe* /.probe* /dev/.probe* 2>&1";
    let script = format!(
        "look() {{ {look}; }}; clock() {{ echo $(($(date +%s) - $(cut -d. -f1 /proc/uptime))); }}
        exec 9< \"$0\" && mount -t tmpfs none /tmp && mount -t tmpfs none /dev || exit 3
        before=$(look); clock=$(clock); report=$(/proc/self/fd/9 probe) || exit 4; after=$(look)
        [ \"$before\" = \"$after\" ] || {{ echo \"$before\"; echo now; echo \"$after\"; exit 5; }}
        moved=$(($(clock) - clock)); [ \"${{moved#-}}\" -lt 60 ]"
    );
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, PROGRAM]);
    let user = if nix::unistd::geteuid().is_root() { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    let own = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNET;
    let ids = nix::unistd::geteuid();
    let map = format!("0 {ids} 1");
    // SAFETY: system calls with memory that was there before the fork.
    unsafe {
        command.pre_exec(move || {
            unshare(own | user)?;
            if !user.is_empty() {
                std::fs::write("/proc/self/uid_map", &map)?;
            }
            let private = nix::mount::MsFlags::MS_REC | nix::mount::MsFlags::MS_PRIVATE;
            Ok(nix::mount::mount(None::<&str>, "/", None::<&str>, private, None::<&str>)?)
        });
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{status}\n{}\n{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
}

#[test]
fn a_namespace_that_is_left_is_not_shared() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("host.json");
    let host = probe().output().unwrap().stdout;
    std::fs::write(&file, &host).unwrap();
    assert_eq!(serde_json::from_slice::<Report>(&host).unwrap().shared_namespaces, None);
    let mut command = probe();
    command.arg("--host").arg(&file);
    // SAFETY: one system call between fork and exec.
    unsafe { command.pre_exec(|| Ok(unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWUTS)?)) };
    let shared = report(&mut command).shared_namespaces.unwrap();
    assert!(shared.contains(&look::Kind::Mnt) && shared.contains(&look::Kind::Net), "{shared:?}");
    assert!(!shared.contains(&look::Kind::Uts) && !shared.contains(&look::Kind::User), "{shared:?}");
}

#[test]
fn what_is_no_report_is_said_to_be_none() {
    let output = probe().args(["--host", "/etc/passwd"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    let says = String::from_utf8(output.stderr).unwrap();
    assert!(says.starts_with("ch08-sandbox: /etc/passwd is not a report of this program"), "{says}");
}

#[test]
fn descriptors_that_were_left_open_are_reported() {
    let open = std::fs::File::open("/etc").unwrap();
    let mut command = probe();
    // SAFETY: one system call between fork and exec.
    unsafe {
        command.pre_exec(move || {
            Errno::result(libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&open), 77))?;
            Ok(())
        });
    }
    let inherited = report(&mut command).process.inherited;
    assert!(inherited.iter().any(|open| open.number == 77 && open.target == "/etc"), "{inherited:?}");
}
