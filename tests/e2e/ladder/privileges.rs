//! What root could do with its powers: capabilities that the caller passes on (CVE-2022-24769), the machine's disks, the
//! kernel's own settings, programs that the kernel itself starts as root of the machine (`core_pattern`,
//! `uevent_helper`, `release_agent`: CVE-2022-0492).
//!
//! Stopped by: a capset that leaves nothing inheritable; no `MKNOD`, a device guard behind it, and `nodev` behind that;
//! read-only `/proc/sys` and `/sys`; no `SYS_ADMIN` to mount anything anew.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::Test;
use crate::support::need::Need::{CgroupV1, Containers, Root};
use crate::support::{Running, Tinbox};
use crate::weak;

pub const TESTS: &[Test] = &[
    ("inheritable_capabilities_end_at_the_door", &[Containers, Root], inheritable_capabilities_end_at_the_door),
    ("ambient_capabilities_end_at_the_door", &[Containers, Root], ambient_capabilities_end_at_the_door),
    ("the_machines_disks", &[Containers, Root], the_machines_disks),
    ("settings_of_the_kernel", &[Containers, Root], settings_of_the_kernel),
    ("files_of_sysfs", &[Containers, Root], files_of_sysfs),
    ("a_release_agent", &[Containers, Root, CgroupV1], a_release_agent),
];

const NET_ADMIN: u32 = 12;

/// The command, called by who has `NET_ADMIN` in the inheritable set, and in the ambient set too if asked.
fn generous(mut command: Command, ambient: bool) -> Command {
    // SAFETY: capget and capset take a header (version 3, this thread) and two sets of three words, all on the stack;
    // these and prctl are single system calls, safe between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let header: [u32; 2] = [0x2008_0522, 0];
            let mut sets = [0_u32; 6];
            let check = nix::errno::Errno::result::<i64>;
            check(libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()))?;
            sets[2] |= 1 << NET_ADMIN;
            check(libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()))?;
            if ambient {
                check(libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, NET_ADMIN, 0, 0).into())?;
            }
            Ok(())
        })
    };
    command
}

fn inheritable_capabilities_end_at_the_door() {
    let tinbox = Tinbox::armed();
    let options = "-i -u 1234 --security-opt seccomp=unconfined";
    let held = |command| Running::start(generous(command, false)).evidence().capabilities.inheritable;
    assert_eq!(held(tinbox.weak_command(weak::NO_DROP, options, "wait")), ["NET_ADMIN"]);
    for options in ["-i", options, "-i --privileged", "-i --cap-add NET_ADMIN"] {
        assert_eq!(held(tinbox.act_command(options, "wait")), [""; 0], "{options}");
    }
}

fn ambient_capabilities_end_at_the_door() {
    let tinbox = Tinbox::armed();
    let held = |command| Running::start(generous(command, true)).evidence().capabilities.ambient;
    let options = "-i --security-opt seccomp=unconfined";
    assert_eq!(held(tinbox.weak_command(weak::NO_DROP, options, "wait")), ["NET_ADMIN"]);
    for options in ["-i", "-i -u 1234", "-i --privileged"] {
        assert_eq!(held(tinbox.act_command(options, "wait")), [""; 0], "{options}");
    }
}

/// Opened for reading, and nothing is read.
fn the_machines_disks() {
    let tinbox = Tinbox::armed();
    let disks = std::fs::read_dir("/sys/block").unwrap().flatten();
    let mut numbers = disks.filter_map(|disk| std::fs::read_to_string(disk.path().join("dev")).ok());
    let words = format!("open-device b {}", numbers.next().expect("a machine has disks"));
    assert_eq!(tinbox.act("--privileged", &words).ok(), "made and opened\n");
    assert_eq!(tinbox.act("", &words).fails(1), "act: mknod: EPERM\n");
    // One layer less, and the next one holds.
    assert_eq!(tinbox.act("--cap-add MKNOD", &words).fails(1), "act: open: EPERM\n");
    assert_eq!(tinbox.act("--cap-add ALL", &words).fails(1), "act: open: EPERM\n");
}

fn settings_of_the_kernel() {
    let tinbox = Tinbox::armed();
    let there = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger"];
    let there = there.into_iter().filter(|path| std::path::Path::new(path).exists());
    let weak = "--security-opt systempaths=unconfined --security-opt apparmor=unconfined";
    for path in there {
        let words = format!("open-write {path}");
        assert!(tinbox.act(weak, &words).ok().contains("opened"));
        for options in
            ["", "--cap-add SYS_ADMIN", "--userns host", "--pid host", "--network host --ipc host --uts host"]
        {
            assert_eq!(tinbox.act(options, &words).fails(1), format!("act: open {path}: EROFS\n"), "{options}");
        }
    }
}

fn files_of_sysfs() {
    let tinbox = Tinbox::armed();
    let candidates = ["/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state"];
    let path = candidates.into_iter().find(|path| std::path::Path::new(path).exists()).expect("one of them");
    let words = format!("open-write {path}");
    assert!(tinbox.act("--privileged", &words).ok().contains("opened"));
    for options in ["", "--security-opt systempaths=unconfined", "--network host", "--cap-add SYS_ADMIN"] {
        assert_eq!(tinbox.act(options, &words).fails(1), format!("act: open {path}: EROFS\n"), "{options}");
    }
}

fn a_release_agent() {
    let tinbox = Tinbox::armed();
    let weak = "--privileged --cgroupns host";
    assert!(tinbox.act(weak, "release-agent").ok().contains("opened"));
    assert_eq!(tinbox.act("", "release-agent").fails(1), "act: mount: EPERM\n");
    assert_eq!(tinbox.act(super::NO_FILTER, "release-agent").fails(1), "act: mount: EPERM\n");
}
