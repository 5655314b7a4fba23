//! Kernel calls that containers have no business with: new ways into old bugs. Each is tried through the usual table of
//! calls, and where there is one through the 32-bit table: a filter that looks at numbers alone takes one call for
//! another there.
//!
//! Stopped by: the seccomp filter, which knows each table. User namespaces from inside: by the same, as root too.

use super::NO_FILTER;
use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::{Call, Containers, Root};

pub const TESTS: &[Test] = &[
    ("user_namespaces_by_unshare", &[Containers, Call("unshare-user")], || call("unshare-user", "EPERM")),
    ("user_namespaces_by_clone", &[Containers, Call("clone-user")], || call("clone-user", "EPERM")),
    ("user_namespaces_by_clone3", &[Containers, Call("clone3-user")], || call("clone3-user", "ENOSYS")),
    ("io_uring", &[Containers, Call("io_uring")], || call("io_uring", "EPERM")),
    ("af_alg", &[Containers, Call("af-alg")], || call("af-alg", "EPERM")),
    ("vsock", &[Containers, Call("vsock")], || call("vsock", "EPERM")),
    ("the_session_keyring", &[Containers, Call("keyctl")], || call("keyctl", "EPERM")),
    #[cfg(target_arch = "x86_64")]
    ("user_namespaces_by_the_32_bit_table", &[Containers, Call("int80-unshare-user")], || {
        call("int80-unshare-user", "EPERM");
    }),
    #[cfg(target_arch = "x86_64")]
    ("the_session_keyring_by_the_32_bit_table", &[Containers, Call("int80-keyctl")], || call("int80-keyctl", "EPERM")),
    #[cfg(target_arch = "x86_64")]
    ("user_namespaces_by_the_x32_table", &[Containers, Call("x32-getpid")], || call("x32-unshare-user", "EPERM")),
    ("files_by_their_handles", &[Containers, Root], files_by_their_handles),
];

/// It works where nothing is filtered, and not by default, whoever the user is and however generous the rest.
#[track_caller]
fn call(name: &str, refusal: &str) {
    let tinbox = Tinbox::armed();
    let words = format!("call {name}");
    assert_eq!(tinbox.act(NO_FILTER, &words).ok(), format!("{name}: done\n"));
    for options in ["", "-u 1234", "--security-opt no-new-privileges=false", "--init"] {
        assert_eq!(tinbox.act(options, &words).fails(1), format!("act: {refusal}\n"), "{options}");
    }
}

/// The way past every root, of 2014: a file by its number in its file system.
fn files_by_their_handles() {
    let tinbox = Tinbox::armed();
    // Any file of a file system that has such numbers will do.
    let words = "by-handle /dev/null";
    let worked = tinbox.act("--cap-add DAC_READ_SEARCH", words);
    assert!(worked.stdout.contains("opened by its handle"), "{worked:?}");
    assert_eq!(tinbox.act("", words).fails(1), "act: open_by_handle_at: EPERM\n");
    // The capability is missing too.
    assert_eq!(tinbox.act(NO_FILTER, words).fails(1), "act: open_by_handle_at: EPERM\n");
}
