//! `ch01-chroot` and its attack as they are typed, as far as no root is needed. What they do in one is tested with
//! the runtime's other end-to-end tests, which can make roots.

use assert_cmd::Command;

fn complaint(program: &str, arguments: &[&str], status: i32) -> String {
    let assert = Command::new(program).args(arguments).assert().failure().code(status);
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

#[test]
fn a_root_that_is_none_is_refused() {
    let chroot = env!("CARGO_BIN_EXE_ch01-chroot");
    for root in ["/no/such/directory", "/etc/passwd"] {
        let says = complaint(chroot, &[root], 125);
        assert!(says.contains(&format!("{root} is not a directory")) && says.contains("cargo workshop root"), "{says}");
    }
    assert!(complaint(chroot, &[], 2).contains("<ROOT>"));
}

#[test]
fn the_attack_says_how_it_is_used() {
    assert_eq!(complaint(env!("CARGO_BIN_EXE_escape"), &[], 1), "usage: escape CMD…\n");
}
