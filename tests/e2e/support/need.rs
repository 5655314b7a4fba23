//! What a test needs of the machine.

use std::process::{Command, Stdio};

use nix::unistd::geteuid;

/// Something that not every machine has.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// To make a container at all: root, or user namespaces.
    Containers,
    /// To be root.
    Root,
    /// The program strace.
    Strace,
    /// The program unshare, of util-linux, and leave to use it.
    Unshare,
}

impl Need {
    /// What is missing here, and what to do about it.
    pub fn missing(self) -> Option<&'static str> {
        match self {
            Need::Containers if !containers_work() => Some("no user namespaces; `cargo workshop doctor` tells why"),
            Need::Root if !geteuid().is_root() => Some("needs root"),
            Need::Strace if !runs("strace", &["-V"]) => Some("no strace; install the package of that name"),
            Need::Unshare if !user_namespaces_work() => Some("no unshare of util-linux, or no user namespaces"),
            _ => None,
        }
    }
}

/// Tried in a child process, which a failure cannot hurt.
fn containers_work() -> bool {
    geteuid().is_root() || user_namespaces_work()
}

fn user_namespaces_work() -> bool {
    runs("unshare", &["--user", "--map-root-user", "--mount", "true"])
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let silent =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    silent.is_ok_and(|status| status.success())
}
