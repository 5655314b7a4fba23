//! `diff`: what is told of it.

use super::{CHANGE, MAKE, ran};
use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::Containers;

pub const TESTS: &[Test] = &[
    ("diff_tells_what_is_different", &[Containers], diff_tells_what_is_different),
    ("diff_sees_through_directories_that_were_replaced", &[Containers], replaced_directories),
    ("diff_of_nobody", &[Containers], diff_of_nobody),
];

fn diff_tells_what_is_different() {
    let tinbox = Tinbox::new();
    ran(&tinbox, "idle", "base", "true");
    assert_eq!(tinbox.tinbox("diff idle").ok(), "", "what it is mounted on is not its doing");
    ran(&tinbox, "busy", "base", "rm /etc/group; echo x >> /etc/passwd; mkdir -p '/a\tb' /a-b; : > '/a-b/new\nline'");
    let expected = "A /a\\tb\nA /a-b\nA /a-b/new\\nline\nC /etc\nD /etc/group\nC /etc/passwd\n";
    assert_eq!(tinbox.tinbox("diff busy").ok(), expected);
    let mut running = tinbox.start("--name runs", "mkdir /while; echo ready; cat; exit 3");
    assert_eq!(tinbox.tinbox("diff runs").ok(), "A /while\n");
    drop(running.stdin.take());
    assert_eq!(running.wait(), 3);
}

fn replaced_directories() {
    let tinbox = Tinbox::without_images();
    ran(&tinbox, "first", "base", MAKE);
    tinbox.tinbox("commit first made").ok();
    ran(&tinbox, "second", "made", CHANGE);
    let expected = "C /work\nC /work/dir\nD /work/dir/below\nA /work/dir/new\nD /work/dir/old\nD /work/dir/twin\n\
                    C /work/empty\nC /work/fifo\nD /work/file\nC /work/hidden\nC /work/leads\nC /work/link\n\
                    A /work/moved\nD /work/program\nA /work/second\nC /work/sparse\nC /work/stays\nC /work/ünïcode\n";
    assert_eq!(tinbox.tinbox("diff second").ok(), expected);
}

fn diff_of_nobody() {
    let tinbox = Tinbox::new();
    assert!(tinbox.tinbox("diff nobody").fails(1).contains("No such container: nobody"));
    assert!(tinbox.tinbox("export nobody").fails(1).contains("No such container: nobody"));
    assert!(tinbox.tinbox("commit nobody").fails(1).contains("No such container: nobody"));
}
