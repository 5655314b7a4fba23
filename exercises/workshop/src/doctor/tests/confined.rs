//! Worlds in which a namespace is refused.

use look::kernel::{self, MsFlags};
use nix::errno::Errno;

use super::{EVERYTHING, Found, as_a_user, found_in};
use crate::doctor::child::{Attempt, Refusal, in_child};
use crate::doctor::machine::Machine;
use crate::doctor::{blocked_by, examine, mount_namespace, network, new_proc, user_namespace};

fn set_own_limit(name: &str, value: &str) -> Attempt {
    let file = format!("/proc/sys/user/{name}");
    std::fs::write(&file, value).map_err(|error| Refusal::io("write", file, &error))
}

#[track_caller]
fn assert_blocked(found: &Found, said: &str, told: &str) {
    assert_eq!(found.outcome, "Blocked", "{found:?}");
    assert!(found.said.contains(said), "{found:?}");
    assert!(found.advice.contains(told), "{found:?}");
}

/// The limit counts for the namespace that it is set in, so a test may set its own to zero.
fn without_user_namespaces() -> Attempt {
    as_a_user()?;
    set_own_limit("max_user_namespaces", "0")
}

#[test]
fn no_user_namespaces_at_all() {
    let found = found_in(without_user_namespaces, user_namespace::probe);
    assert_blocked(&found, "unshare NEWUSER: ENOSPC", "sudo sysctl -w user.max_user_namespaces=15000");
}

#[test]
fn what_builds_on_it_refers_to_it() {
    let examined = in_child(|| {
        without_user_namespaces()?;
        let findings = examine(&Machine::here());
        let referring = findings.into_iter().filter(|finding| {
            finding.advice.as_ref().is_some_and(|a| a.means == "This needs what did not work above: user namespace.")
        });
        // Id ranges are only tried where the machine has them.
        let names = referring.map(|finding| finding.name.to_owned()).filter(|name| name != "id ranges");
        Ok(names.collect::<Vec<_>>())
    });
    assert_eq!(
        examined.unwrap(),
        ["mount namespace", "network namespace", "new /proc", "new /sys", "overlay", "layers", "deletions"]
    );
}

#[test]
fn a_check_is_told_why_it_is_blocked() {
    let words = in_child(|| {
        without_user_namespaces()?;
        Ok(blocked_by(&EVERYTHING).map(|blocked| blocked.to_string()))
    });
    let words = words.unwrap().expect("it is blocked");
    assert!(words.starts_with("unshare NEWUSER: ENOSPC (No space left on device)\n"), "{words}");
    assert!(words.contains("\n    sudo sysctl -w user.max_user_namespaces=15000\n"), "{words}");
}

#[test]
fn no_mount_namespaces() {
    let world = || {
        as_a_user()?;
        set_own_limit("max_mnt_namespaces", "0")
    };
    let found = found_in(world, mount_namespace::probe);
    assert_blocked(&found, "unshare NEWNS: ENOSPC", "sudo sysctl -w user.max_mnt_namespaces=15000");
}

#[test]
fn no_network_namespaces() {
    let world = || {
        as_a_user()?;
        set_own_limit("max_net_namespaces", "0")
    };
    let found = found_in(world, network::probe);
    assert_blocked(&found, "unshare NEWNET: ENOSPC", "sudo sysctl -w user.max_net_namespaces=15000");
}

#[test]
fn no_pid_namespaces() {
    let world = || {
        as_a_user()?;
        set_own_limit("max_pid_namespaces", "0")
    };
    let found = found_in(world, new_proc::probe);
    assert_blocked(&found, "unshare NEWPID: ENOSPC", "user.max_pid_namespaces");
}

#[test]
fn a_chroot() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("proc")).unwrap();
    let world = || {
        as_a_user()?;
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        kernel::mount("/proc", dir.path().join("proc"), "", bind, "", "what the doctor reads")?;
        kernel::chroot(dir.path(), "the world to be in")?;
        Ok(kernel::chdir("/", "in it")?)
    };
    let found = found_in(world, user_namespace::probe);
    assert_blocked(&found, "unshare NEWUSER: EPERM", "You are in a chroot");
}

#[test]
fn a_seccomp_filter_as_container_engines_have_it() {
    let world = || {
        as_a_user()?;
        forbid(libc::SYS_unshare)
    };
    let found = found_in(world, user_namespace::probe);
    assert_blocked(&found, "unshare NEWUSER: EPERM", "A seccomp filter");
}

#[test]
fn a_mount_that_is_filtered() {
    let world = || {
        as_a_user()?;
        forbid(libc::SYS_mount)
    };
    let found = found_in(world, mount_namespace::probe);
    assert_blocked(&found, "mount / (rec,private): EPERM", "A seccomp filter");
}

/// Has the kernel answer EPERM to one system call from here on.
fn forbid(call: libc::c_long) -> Attempt {
    let instruction = |code: u32, value: u32, if_equal: u8, if_not: u8| libc::sock_filter {
        code: code as u16,
        jt: if_equal,
        jf: if_not,
        k: value,
    };
    let number_of_the_call = std::mem::offset_of!(libc::seccomp_data, nr) as u32;
    let mut program = [
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, number_of_the_call, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, call as u32, 0, 1),
        instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32, 0, 0),
        instruction(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let refused = |errno| Refusal::new("prctl", "a seccomp filter", errno);
    // SAFETY: takes integers.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).map_err(refused)?;
    // SAFETY: the filter and its instructions outlive the call.
    let answer = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) };
    Errno::result(answer).map(drop).map_err(refused)
}

#[test]
fn a_covered_proc() {
    let world = || {
        as_a_user()?;
        let bind = MsFlags::MS_BIND;
        Ok(kernel::mount("/dev/null", "/proc/version", "", bind, "", "as container engines do")?)
    };
    let found = found_in(world, new_proc::probe);
    assert_blocked(&found, "mount proc on /proc (nosuid,nodev,noexec): EPERM", "covered here: /proc/version.");
}

#[test]
fn settings_that_are_read_only() {
    let world = || {
        as_a_user()?;
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        Ok(kernel::mount("/proc/sys", "/proc/sys", "", bind, "", "as container engines do")?)
    };
    let found = found_in(world, new_proc::probe);
    assert_blocked(&found, "EPERM", "covered here: /proc/sys");
}

#[test]
fn a_covered_sys_is_only_a_warning() {
    let world = || {
        as_a_user()?;
        Ok(kernel::mount("tmpfs", "/sys/kernel", "tmpfs", MsFlags::empty(), "", "as container engines do")?)
    };
    let found = found_in(world, new_proc::probe_sys);
    assert_eq!(found.outcome, "Warn", "{found:?}");
    assert!(found.advice.contains("The kernel mounts a new /sys in a user namespace only where"), "{found:?}");
}
