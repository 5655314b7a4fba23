//! What a test needs of the machine.

use std::process::{Command, Stdio};

use nix::unistd::geteuid;

use super::armed::act_outside;
use super::cgroups;

/// Something that not every machine has.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// To make a container at all: root, or user namespaces.
    Containers,
    /// To be root.
    Root,
    /// To be an ordinary user.
    OrdinaryUser,
    /// The program strace.
    Strace,
    /// The program unshare, of util-linux, and leave to use it.
    Unshare,
    /// To be allowed to limit what this cgroup controller counts.
    Controller(&'static str),
    /// Any tree to make cgroups in, of v2 or v1.
    Cgroups,
    /// To be an ordinary user to whom no part of the cgroup tree was given.
    NoDelegation,
    /// A device that no container has by default ([`device`]).
    Device,
    /// A tree of cgroup v1 with the memory controller.
    CgroupV1,
    /// A user's own range of ids, and the programs that lend it.
    Ranges,
    /// A call that this kernel answers when nothing filters it, by the name that `acts/calls.rs` has for it.
    Call(&'static str),
    /// A kernel with AppArmor, and the parser of its profiles.
    AppArmor,
    /// An address of this machine besides the loopback's ([`own_address`]).
    Address,
    /// A program, installed or not.
    Program(&'static str),
    /// `TIOCSTI`, typing into one's own terminal.
    Typing,
}

impl Need {
    /// What is missing here, and what to do about it.
    pub fn missing(self) -> Option<String> {
        let (there, missing) = match self {
            Need::Containers => (containers_work(), "no user namespaces; `cargo workshop doctor` tells why"),
            Need::Root => (geteuid().is_root(), "needs root"),
            Need::OrdinaryUser => (!geteuid().is_root(), "needs an ordinary user"),
            Need::Strace => (runs("strace", &["-V"]), "no strace; install the package of that name"),
            Need::Unshare => (user_namespaces_work(), "no unshare of util-linux, or no user namespaces"),
            Need::Controller(name) => {
                let missing = format!("no cgroup with {name} that you may use; see systemd-run -p Delegate=yes");
                return (!cgroups::has(name)).then_some(missing);
            }
            Need::Cgroups => (cgroups::any(), "no cgroups that you may use; see systemd-run -p Delegate=yes"),
            Need::NoDelegation => (!cgroups::any(), "needs a user without a cgroup; this one has one"),
            Need::Device => (device().is_some(), "none of these devices: /dev/net/tun, /dev/fuse, /dev/loop-control"),
            Need::CgroupV1 => (cgroups::v1("memory").is_some(), "no memory controller in cgroup v1"),
            Need::Ranges => {
                (ranges(), "no newuidmap (package uidmap), or no lines for you in /etc/subuid, /etc/subgid")
            }
            Need::Call(name) => {
                return (!calls(name)).then(|| format!("this kernel, unfiltered, does not do the call {name}"));
            }
            Need::Address => (own_address().is_some(), "this machine has no address but the loopback's"),
            Need::AppArmor => {
                (apparmor_works(), "no AppArmor in this kernel, or no apparmor_parser (package apparmor)")
            }
            Need::Program(name) => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let there = std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
                return (!there).then(|| format!("no {name} in your PATH"));
            }
            Need::Typing => (typing_works(), "the kernel lets only root type into terminals: dev.tty.legacy_tiocsti"),
        };
        (!there).then(|| missing.to_owned())
    }
}

/// Tried in a child process, which a failure cannot hurt.
fn containers_work() -> bool {
    geteuid().is_root() || user_namespaces_work()
}

fn user_namespaces_work() -> bool {
    runs("unshare", &["--user", "--map-root-user", "--mount", "true"])
}

fn apparmor_works() -> bool {
    sandbox::apparmor::is_enabled() && runs("apparmor_parser", &["--version"])
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    succeeds(Command::new(program).args(arguments))
}

fn calls(name: &str) -> bool {
    succeeds(&mut act_outside(&format!("call {name}")))
}

fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    silent.is_ok_and(|status| status.success())
}

fn typing_works() -> bool {
    let switch = std::fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti");
    geteuid().is_root() || switch.map_or(true, |switch| switch.trim() == "1")
}

fn ranges() -> bool {
    let user = nix::unistd::User::from_uid(geteuid()).ok().flatten().map(|user| user.name).unwrap_or_default();
    let listed = |file| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.lines().any(|line| line.split(':').next() == Some(user.as_str()))
    };
    let installed = |program| Command::new(program).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    listed("/etc/subuid") && listed("/etc/subgid") && installed("newuidmap") && installed("newgidmap")
}

/// A device that is harmless to open, and that no container has by default.
pub fn device() -> Option<&'static str> {
    let candidates = ["/dev/net/tun", "/dev/fuse", "/dev/loop-control"];
    candidates.into_iter().find(|path| std::fs::File::options().read(true).write(true).open(path).is_ok())
}

/// The address from which this machine would speak with others. Nothing is sent to find out.
pub fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // Of a network that is for documentation (RFC 5737).
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}
