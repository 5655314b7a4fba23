//! What `tinbox run` was asked for.

use std::path::PathBuf;

use cgroups::Limits;
use namespaces::clocks::Offsets;
use sandbox::capabilities;
use sandbox::filesystems::Tmpfs;
use sandbox::ulimits::Ulimit;

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Remove the container when it ends.
    pub remove: bool,
    /// Pass on standard input.
    pub interactive: bool,
    /// Give it a terminal.
    pub tty: bool,
    /// `KEY=VALUE`, or `KEY` to pass on the caller's.
    pub env: Vec<String>,
    /// Where to start, instead of the image's working directory.
    pub workdir: Option<String>,
    /// `USER[:GROUP]`, instead of the image's user.
    pub user: Option<String>,
    /// Host name, instead of the short id.
    pub hostname: Option<String>,
    /// Name of the container.
    pub name: Option<String>,
    /// Command and arguments, instead of the image's.
    pub command: Vec<String>,
    /// What comes first in the command, instead of the image's entrypoint; empty for nothing.
    pub entrypoint: Option<String>,
    /// `KEY=VALUE` each: what is said about the container.
    pub labels: Vec<String>,
    /// What it wants to be ended with, instead of what the image says.
    pub stop_signal: Option<String>,
    /// Put an init in front of the command.
    pub init: bool,
    /// What it sees.
    pub namespaces: Wanted,
    /// What it gets.
    pub limits: Limits,
    /// What it may do.
    pub confinement: Confinement,
}

impl Options {
    /// Whether a container that may trace others gets to see a process of ours for longer than a moment: an init, or
    /// one that starts another container among its processes.
    pub fn shows_our_program(&self) -> bool {
        let mut added = self.confinement.cap_add.iter().map(|name| capabilities::plain(name));
        let traces = added.any(|name| ["SYS_PTRACE", "ALL"].contains(&name.as_str()));
        traces && (self.init || self.namespaces.pid != Mode::Own)
    }
}

/// Whose namespace of one kind a container is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mode {
    /// A new one.
    #[default]
    Own,
    /// The machine's.
    Host,
    /// Another container's, by its name or id.
    Of(String),
    /// For user namespaces: a new one, in which the caller's id is the same.
    Kept,
}

/// Which namespaces it is in.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Its network.
    pub net: Mode,
    /// Its processes.
    pub pid: Mode,
    /// Its shared memory and message queues.
    pub ipc: Mode,
    /// Its host name.
    pub uts: Mode,
    /// Its top cgroup.
    pub cgroup: Mode,
    /// Its ids.
    pub user: Mode,
    /// Its clocks, if they are not the machine's.
    pub clocks: Option<Offsets>,
}

/// How far the sandbox is opened or closed.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    /// Capabilities to add to the default ones.
    pub cap_add: Vec<String>,
    /// Capabilities to take away.
    pub cap_drop: Vec<String>,
    /// All capabilities and all devices.
    pub privileged: bool,
    /// Devices of the host.
    pub devices: Vec<String>,
    /// Rules for device numbers.
    pub device_rules: Vec<String>,
    /// Nothing can be written to the root.
    pub read_only: bool,
    /// Directories in memory.
    pub tmpfs: Vec<Tmpfs>,
    /// Limits on each process.
    pub ulimits: Vec<Ulimit>,
    /// Settings of its own namespaces.
    pub sysctls: Vec<String>,
    /// More groups for its user.
    pub groups: Vec<String>,
    /// Its filter of kernel calls.
    pub seccomp: Seccomp,
    /// Its AppArmor profile.
    pub apparmor: AppArmor,
    /// Set-user-ID programs keep their effect.
    pub new_privileges: bool,
    /// Nothing in `/proc` and `/sys` is hidden or read-only.
    pub system_paths: bool,
}

/// Which kernel calls are let through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Seccomp {
    /// Those of the default profile.
    #[default]
    Default,
    /// All.
    Unconfined,
    /// Those of the profile in this file.
    File(PathBuf),
}

/// Which AppArmor profile is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AppArmor {
    /// Tinbox's own, where the kernel has AppArmor.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// The one with this name, which must be loaded.
    Profile(String),
}
