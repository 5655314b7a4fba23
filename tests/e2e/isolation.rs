//! What a container has of its own and what it cannot reach, by the kernel's evidence.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;

use look::{Comparison, Evidence, Kind};
use nix::unistd::{Pid, geteuid};

use crate::Test;
use crate::support::need::Need::{self, Containers, Root};
use crate::support::{Tinbox, host_mounts};

pub const TESTS: &[Test] = &[
    ("namespaces_of_its_own", &[Containers], namespaces_of_its_own),
    ("its_root_is_all_that_is_mounted", &[Containers], its_root_is_all_that_is_mounted),
    ("the_host_notices_no_mounts", &[Containers], the_host_notices_no_mounts),
    ("nothing_of_the_caller_stays_open", &[Containers], nothing_of_the_caller_stays_open),
    ("it_sees_only_its_own_processes", &[Containers], it_sees_only_its_own_processes),
    ("privileges", &[Containers], privileges),
    ("inheritable_capabilities_stay_outside", &[Containers, Root], inheritable_capabilities_stay_outside),
    ("another_user_has_no_privileges", &[Containers], another_user_has_no_privileges),
    ("an_ordinary_user_gives_only_itself", &[Containers], an_ordinary_user_gives_only_itself),
    ("settings_of_the_machine_are_read_only", &[Containers], settings_of_the_machine_are_read_only),
    ("devices", &[Containers], devices),
    ("devices_cannot_be_made", &[Containers], devices_cannot_be_made),
    ("devices_of_an_image_do_not_open", &[Containers, Root], devices_of_an_image_do_not_open),
    ("the_state_is_private", &[Containers], the_state_is_private),
];

const WAITING: &str = "echo ready; read never";

fn namespaces_of_its_own() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("", WAITING);
    let me = Evidence::of(Pid::this()).unwrap();
    let shared = Comparison::of(&me, &running.evidence()).shared_namespaces();
    let mut expected = vec![Kind::Time];
    if geteuid().is_root() {
        expected.insert(0, Kind::User);
    }
    assert_eq!(shared, expected);
}

fn its_root_is_all_that_is_mounted() {
    let tinbox = Tinbox::new();
    let evidence = tinbox.start("", WAITING).evidence();
    let mounts = evidence.mounts.value().unwrap();
    let root = mounts.iter().find(|mount| mount.target == "/").unwrap();
    assert_eq!((root.fstype.as_str(), root.root.as_str()), ("overlay", "/"));
    assert!(mounts.iter().all(|mount| mount.propagation == ["private"]), "{mounts:?}");
    let below = |path: &str| {
        ["/proc", "/sys", "/dev", "/etc/hostname", "/etc/hosts"]
            .iter()
            .any(|dir| path == *dir || path.starts_with(&format!("{dir}/")))
    };
    let strangers: Vec<_> = mounts.iter().filter(|mount| mount.target != "/" && !below(&mount.target)).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    assert_eq!(evidence.cwd.value().unwrap().inode, evidence.root.value().unwrap().inode);
}

fn the_host_notices_no_mounts() {
    let tinbox = Tinbox::new();
    let before = host_mounts();
    let running = tinbox.start("", WAITING);
    assert_eq!(host_mounts(), before);
    drop(running);
    assert_eq!(host_mounts(), before);
}

fn nothing_of_the_caller_stays_open() {
    let tinbox = Tinbox::new();
    let secret = std::fs::File::open("/etc/passwd").unwrap();
    let mut command = tinbox.sh_command("-i", WAITING);
    // A descriptor that survives execve, as a careless shell leaves them.
    // SAFETY: dup2 is safe to call between fork and exec.
    unsafe {
        command.pre_exec(move || {
            nix::errno::Errno::result(libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&secret), 9))?;
            Ok(())
        })
    };
    let running = crate::support::Running::start(command);
    let leaked: Vec<_> = Evidence::of(running.monitor())
        .unwrap()
        .descriptors
        .value()
        .unwrap()
        .iter()
        .filter(|d| d.number == 9)
        .cloned()
        .collect();
    assert_eq!(leaked[0].target, "/etc/passwd", "the test itself must leak it");
    let evidence = running.evidence();
    let numbers: Vec<u32> = evidence.descriptors.value().unwrap().iter().map(|descriptor| descriptor.number).collect();
    // dash keeps 10 for its terminal; it has none here.
    assert_eq!(numbers, [0, 1, 2], "{:?}", evidence.descriptors);
}

fn it_sees_only_its_own_processes() {
    let tinbox = Tinbox::new();
    assert_eq!(tinbox.sh("", "echo $$; cd /proc; echo [0-9]*").ok(), "1\n1\n");
}

fn privileges() {
    let evidence = Tinbox::new().start("", WAITING).evidence();
    insta::assert_snapshot!(evidence.capabilities.bounding.join(" "), @"CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT AUDIT_WRITE SETFCAP");
    assert_eq!(evidence.capabilities.effective, evidence.capabilities.bounding);
    assert_eq!(evidence.capabilities.permitted, evidence.capabilities.bounding);
    assert!(evidence.capabilities.inheritable.is_empty() && evidence.capabilities.ambient.is_empty());
    assert!(evidence.no_new_privs);
}

/// CVE-2022-24769: with inheritable capabilities, a program in the image with the right file capabilities gains them.
fn inheritable_capabilities_stay_outside() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.sh_command("-i", WAITING);
    // SAFETY: capset reads a header (version 3, this thread) and two sets of three words, all on the stack; it is a
    // single system call, safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            let all: [u32; 6] = [KEPT_HERE, KEPT_HERE, 1 << NET_ADMIN, 0, 0, 0];
            let header: [u32; 2] = [0x2008_0522, 0];
            Ok(nix::errno::Errno::result(libc::syscall(libc::SYS_capset, header.as_ptr(), all.as_ptr())).map(drop)?)
        })
    };
    let running = crate::support::Running::start(command);
    let monitor = Evidence::of(running.monitor()).unwrap();
    assert_eq!(monitor.capabilities.inheritable, ["NET_ADMIN"], "the test itself must set it");
    assert!(running.evidence().capabilities.inheritable.is_empty());
}

const NET_ADMIN: u32 = 12;

/// This machine may lack SYS_RESOURCE (24), which cannot be asked for then.
const KEPT_HERE: u32 = !(1 << 24);

fn another_user_has_no_privileges() {
    let evidence = Tinbox::new().start("-u 1234:5678", WAITING).evidence();
    assert!(evidence.capabilities.effective.is_empty() && evidence.capabilities.permitted.is_empty());
    assert!(evidence.no_new_privs);
}

fn an_ordinary_user_gives_only_itself() {
    let evidence = Tinbox::new().start("", WAITING).evidence();
    let ids = (evidence.ids.uid.effective, evidence.ids.gid.effective);
    assert_eq!(ids, (geteuid().as_raw(), nix::unistd::getegid().as_raw()));
    let map = &evidence.ids.uid_map;
    let first = (map[0].inside, map[0].outside, map[0].count);
    match geteuid().is_root() {
        true => assert_eq!(first, (0, 0, u32::MAX)),
        false => assert_eq!(first, (0, geteuid().as_raw(), 1)),
    }
    // Others only if the administrator lent them.
    assert!(map.len() == 1 || Need::Ranges.missing().is_none(), "{map:?}");
}

fn settings_of_the_machine_are_read_only() {
    let script = "for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /sys/power/state; do
        test -e $f || continue
        (cat $f > /tmp/was; : >> $f) 2>/dev/null && echo writable $f
    done; echo done";
    assert_eq!(Tinbox::new().sh("", script).ok(), "done\n");
}

fn devices() {
    let script = "echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; \
                  (echo x > /dev/full) 2>/dev/null || echo full; echo hi > /dev/shm/x; cat /dev/shm/x; cd /dev; echo *";
    assert_eq!(
        Tinbox::new().sh("", script).ok().replace(' ', ""),
        "2\n3\nfull\nhi\nfdfullmqueuenullptmxptsrandomshmstderrstdinstdoutttyurandomzero\n"
    );
}

fn devices_cannot_be_made() {
    let script =
        "mknod /zero c 1 5 2>/dev/null && echo made; mknod /dev/zero2 c 1 5 2>/dev/null && echo made; echo done";
    assert_eq!(Tinbox::new().sh("", script).ok(), "done\n");
}

/// As root, an archive may bring device nodes of any kind. Zero stands for the machine's disk.
fn devices_of_an_image_do_not_open() {
    let tinbox = Tinbox::without_images();
    let archive = crate::import::archive_of_base(&[], |archive| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Char);
        header.set_mode(0o666);
        header.set_device_major(1).unwrap();
        header.set_device_minor(5).unwrap();
        for set in [tar::Header::set_uid, tar::Header::set_gid, tar::Header::set_mtime, tar::Header::set_size] {
            set(&mut header, 0);
        }
        archive.append_data(&mut header, "trap", std::io::empty()).unwrap();
    });
    crate::import::import(&tinbox, "trap", &archive);
    let ended = tinbox.tinbox("run --rm trap head -c 1 /trap");
    assert!(ended.status != 0 && ended.stderr.contains("Permission denied"), "{ended:?}");
}

fn the_state_is_private() {
    let tinbox = Tinbox::without_images();
    tinbox.tinbox("run --rm base true");
    for dir in ["images", "containers", "names", "run", "root"] {
        assert_eq!(std::fs::metadata(tinbox.path(dir)).unwrap().mode() & 0o777, 0o700, "{dir}");
    }
}
