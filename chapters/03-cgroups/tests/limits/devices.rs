//! Devices: what is not on the list cannot be opened, on v1 by its files, on v2 by the program.

use std::os::fd::AsFd;

use cgroups::devices::program::assemble;
use cgroups::{DeviceRule, Limits};
use look::kernel;

use crate::Test;
use crate::support::need::Need::{Root, V2};
use crate::support::{Made, ch03_script, ended, root};

pub const TESTS: &[Test] = &[
    ("what_is_not_on_the_list_cannot_be_opened", &[Root], what_is_not_on_the_list_cannot_be_opened),
    ("the_kernel_takes_the_program_and_obeys_it", &[Root, V2], the_kernel_takes_the_program_and_obeys_it),
    ("a_long_list_is_taken_too", &[Root, V2], a_long_list_is_taken_too),
];

/// Opens the kernel's messages in the container, as far as the rules let it.
fn opens(options: &[&str]) -> bool {
    let mut words: Vec<&str> = options.to_vec();
    let root = root();
    words.extend([root.to_str().unwrap(), "/bin/sh", "-c", "head -c 0 /dev/kmsg && head -c 1 /dev/zero"]);
    let ended = ch03_script("run", &words);
    assert!(ended.status == 0 || ended.stderr.contains("Operation not permitted"), "{ended:?}");
    ended.status == 0
}

fn what_is_not_on_the_list_cannot_be_opened() {
    for (name, major, minor) in [("kmsg", 1, 11), ("zero", 1, 5)] {
        let (mode, node) = (nix::sys::stat::Mode::from_bits_truncate(0o666), nix::sys::stat::makedev(major, minor));
        nix::sys::stat::mknod(&root().join("dev").join(name), nix::sys::stat::SFlag::S_IFCHR, mode, node).unwrap();
    }
    assert!(opens(&[]));
    assert!(!opens(&["--device-cgroup-rule", "c 10:229 rwm"]));
    assert!(!opens(&["--device-cgroup-rule", "c 1:11 w"]));
    assert!(opens(&["--device-cgroup-rule", "c 1:11 rw"]));
}

fn the_kernel_takes_the_program_and_obeys_it() {
    let made = Made::new("program", &Limits::default());
    let program = kernel::load_device_program(&assemble(&DeviceRule::defaults()), "a test").unwrap();
    let group = made.0.born_in().unwrap();
    assert_eq!(ended(&mut made.command("head -c 0 /dev/kmsg")).status, 0);
    kernel::attach_device_program(group, "the test's group", program.as_fd(), "a test").unwrap();
    drop(program);
    let refused = ended(&mut made.command("head -c 0 /dev/kmsg"));
    assert!(refused.stderr.contains("Operation not permitted"), "{refused:?}");
    assert_eq!(ended(&mut made.command("head -c 1 /dev/zero")).ok(), "\0");
}

fn a_long_list_is_taken_too() {
    let rules: Vec<DeviceRule> =
        (0..300).map(|minor| DeviceRule { minor: Some(minor), ..DeviceRule::defaults()[2] }).collect();
    kernel::load_device_program(&assemble(&rules), "a test").unwrap();
}
