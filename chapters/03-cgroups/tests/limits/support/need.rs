//! What a test needs of the machine. Found out without the library that is tested.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::geteuid;

/// Something that not every machine has.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// To make a container at all: root, or user namespaces.
    Containers,
    /// To be root.
    Root,
    /// To be allowed to limit what this controller counts.
    Controller(&'static str),
    /// Any tree to make cgroups in, of v2 or v1.
    Cgroups,
    /// A tree of cgroup v2 to make cgroups in, with controllers or without.
    V2,
    /// A tree of cgroup v2 with all controllers.
    PureV2,
}

impl Need {
    /// What is missing here, and what to do about it.
    pub fn missing(self) -> Option<&'static str> {
        let root = geteuid().is_root();
        let missing = match self {
            Need::Containers => {
                (!root && !user_namespaces_work(), "no user namespaces; `cargo workshop doctor` tells why")
            }
            Need::Root => (!root, "needs root"),
            Need::Controller(name) => {
                (!has(name), "no cgroup controller that you may use; see systemd-run -p Delegate=yes")
            }
            Need::Cgroups => {
                (v2().is_none() && !has("memory"), "no cgroups that you may use; see systemd-run -p Delegate=yes")
            }
            Need::V2 => (v2().is_none(), "no cgroup v2 that you may use; see systemd-run -p Delegate=yes"),
            Need::PureV2 => {
                (!has_in_v2("pids"), "no controllers in cgroup v2; boot with systemd.unified_cgroup_hierarchy=1")
            }
        };
        missing.0.then_some(missing.1)
    }
}

fn has(controller: &str) -> bool {
    let v1 = Path::new("/sys/fs/cgroup").join(controller).join("cgroup.procs");
    geteuid().is_root() && v1.exists() || has_in_v2(controller)
}

fn has_in_v2(controller: &str) -> bool {
    let controllers = v2().and_then(|dir| std::fs::read_to_string(dir.join("cgroup.controllers")).ok());
    controllers.is_some_and(|names| names.split_whitespace().any(|name| name == controller))
}

/// The cgroup of v2 that is this user's: the top for root, for others the one that the tests were started in.
fn v2() -> Option<PathBuf> {
    let usual = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    let mount = usual.into_iter().find(|mount| mount.join("cgroup.controllers").exists())?;
    if geteuid().is_root() {
        return Some(mount.to_owned());
    }
    let text = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let own = mount.join(own);
    std::fs::metadata(&own).is_ok_and(|found| found.uid() == geteuid().as_raw()).then_some(own)
}

fn user_namespaces_work() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    unshare.status().is_ok_and(|status| status.success())
}
