//! Names and settings that come from a hostile image or a careless caller: an `/etc/passwd` that is a symlink to the
//! machine's, that never ends or is enormous, ids that overflow to 0 or mean "stay root"; a `--sysctl` whose name leads
//! to another setting.
//!
//! Stopped by: reading the image's files inside its root, as regular files, up to a size; ids from 0 to 4294967294; a
//! list of settings that belong to the container's own namespaces, and names of plain parts only.

use std::fs;

use crate::Test;
use crate::import::{archive, import};
use crate::support::Ended;
use crate::support::Tinbox;
use crate::support::armed::{act_outside, armed_root};
use crate::support::need::Need::{Containers, Root};

pub const TESTS: &[Test] = &[
    ("a_passwd_that_is_the_machines", &[Containers], a_passwd_that_is_the_machines),
    ("a_passwd_that_is_enormous", &[Containers], a_passwd_that_is_enormous),
    ("ids_that_are_none", &[Containers], ids_that_are_none),
    ("an_id_that_means_stay_root", &[Containers, Root], an_id_that_means_stay_root),
    ("sysctl_names_that_lead_elsewhere", &[Containers], sysctl_names_that_lead_elsewhere),
];

/// A Tinbox with an image `hostile` whose root was prepared so.
fn hostile(prepare: impl FnOnce(&std::path::Path)) -> (Tinbox, tempfile::TempDir) {
    let (tinbox, root) = (Tinbox::without_images(), armed_root());
    prepare(root.path());
    import(&tinbox, "hostile", &archive(root.path()));
    (tinbox, root)
}

fn a_passwd_that_is_the_machines() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("passwd");
    fs::write(&secret, "eve:x:0:0::/:\n").unwrap();
    fs::write(outside.path().join("group"), "eves:x:0:\n").unwrap();
    let (tinbox, root) = hostile(|root| {
        for name in ["passwd", "group"] {
            fs::remove_file(root.join("etc").join(name)).unwrap();
            std::os::unix::fs::symlink(outside.path().join(name), root.join("etc").join(name)).unwrap();
        }
    });
    // A runtime that glues the paths together reads the machine's file.
    assert!(fs::read_to_string(root.path().join("etc/passwd")).unwrap().starts_with("eve"));

    let error = tinbox.tinbox("run --rm -u eve hostile true").fails(125);
    assert!(error.contains("unable to find user eve"), "{error}");
    for options in ["-u 1:eves", "--group-add eves"] {
        let error = tinbox.tinbox(&format!("run --rm {options} hostile true")).fails(125);
        assert!(error.contains("unable to find group eves"), "{error}");
    }
}

fn a_passwd_that_is_enormous() {
    let line = "somebody:x:1000:1000:a name that is long enough to fill the file:/home:/bin/sh\n";
    let (tinbox, _root) = hostile(|root| fs::write(root.join("etc/passwd"), line.repeat(60_000)).unwrap());
    let error = tinbox.tinbox("run --rm -u somebody hostile true").fails(125);
    assert!(error.contains("/etc/passwd") && error.contains("longer than"), "{error}");
    assert!(tinbox.leftovers().is_empty());
    let many = |root: &std::path::Path| {
        fs::write(root.join("etc/passwd"), line.repeat(40_000) + "eve:x:1234:0::/:\n").unwrap();
    };
    let (tinbox, _root) = hostile(many);
    assert_eq!(tinbox.tinbox("run --rm -u eve hostile id -u").ok(), "1234\n");
}

fn ids_that_are_none() {
    let (tinbox, _root) = hostile(|root| {
        let lines = "all:x:4294967295:0::/:\nwrap:x:4294967296:0::/:\nminus:x:-1:0::/:\nhex:x:0x0:0::/:\n\
                     space:x: 0:0::/:\nempty:x::::/:\ngid:x:1:4294967296::/:\n";
        fs::write(root.join("etc/passwd"), lines).unwrap();
        fs::write(root.join("etc/group"), "all:x:4294967295:\nwrap:x:4294967296:\nminus:x:-1:\n").unwrap();
    });
    // A reader that keeps 32 bits of a number takes this user for root.
    assert_eq!("4294967296".parse::<u64>().unwrap() as u32, 0);
    for name in ["all", "wrap", "minus", "hex", "space", "empty", "gid"] {
        let error = tinbox.tinbox(&format!("run --rm -u {name} hostile id")).fails(125);
        assert!(error.contains(&format!("unable to find user {name}")), "{error}");
    }
    for group in ["all", "wrap", "minus"] {
        let error = tinbox.tinbox(&format!("run --rm --group-add {group} hostile id")).fails(125);
        assert!(error.contains(&format!("unable to find group {group}")), "{error}");
    }
    for wanted in ["-u 4294967295", "-u 4294967296", "-u 1:4294967295", "--group-add 4294967295"] {
        let error = tinbox.tinbox(&format!("run --rm {wanted} hostile id")).fails(125);
        assert!(error.contains("ids go from 0 to 4294967294"), "{error}");
    }
}

/// setresuid(2) leaves an id as it is when it is told -1.
fn an_id_that_means_stay_root() {
    let root = armed_root();
    let naive = format!("naive-run {} / /bin/act --act as 4294967295 /bin/act who", root.path().display());
    assert_eq!(Ended::of(act_outside(&naive).output().unwrap()).ok(), "0 0\n");
    let tinbox = Tinbox::armed();
    tinbox.act("-u 4294967295", "who").fails(125);
    assert_eq!(tinbox.act("-u 4294967294", "who").ok(), "4294967294 4294967294\n");
}

fn sysctl_names_that_lead_elsewhere() {
    // A runtime that glues the name to /proc/sys; here to a directory that stands for it.
    let sys = tempfile::tempdir().unwrap();
    fs::create_dir_all(sys.path().join("sys/kernel/shm_rmid_forced")).unwrap();
    fs::write(sys.path().join("sys/kernel/shm_rmid_forced/../../../written"), "1").unwrap();
    assert!(sys.path().join("written").exists());

    let tinbox = Tinbox::new();
    let settings = ["kernel/core_pattern", "kernel/domainname", "kernel/hostname", "vm/overcommit_memory"];
    let read = || settings.map(|name| fs::read_to_string(format!("/proc/sys/{name}")).unwrap());
    let before = read();
    for (setting, says) in [
        ("kernel.core_pattern=|/x", "a setting of the whole machine"),
        ("kernel/modprobe=/x", "a setting of the whole machine"),
        ("vm.overcommit_memory=1", "a setting of the whole machine"),
        ("fs.mqueue.x/../../../../kernel/core_pattern=x", "invalid sysctl"),
        ("net/../kernel/core_pattern=x", "invalid sysctl"),
        ("net//ipv4/ip_forward=1", "invalid sysctl"),
        ("net/./ipv4/ip_forward=1", "invalid sysctl"),
        ("/kernel/core_pattern=x", "invalid sysctl"),
        ("net.ipv4.ip_forward=1\nkernel.core_pattern=x", "invalid sysctl"),
        ("kernel.shmmax", "NAME=VALUE"),
    ] {
        let mut command = tinbox.command(["run", "--rm", "--sysctl", setting, "base", "true"]);
        let error = Ended::of(command.output().unwrap()).fails(125);
        assert!(error.contains(says), "{setting}: {error}");
    }
    assert_eq!(read(), before);
}
