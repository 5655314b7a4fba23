//! A command that is alone in the machine: chapters 1 and 2 put together, in their simplest form. The programs of this
//! chapter and of those after it start commands with it.

use std::path::Path;

use chroot::inside::Root;
use look::Result;
use look::kernel::{self, CloneFlags, MsFlags};
use nix::sys::signal::SigSet;
use nix::unistd::{getegid, geteuid};

use crate::identity::{self, Identity};

/// The namespaces that such a command has of its own; for an ordinary user a user namespace is one of them. (The cgroup
/// namespace comes later: it begins where a process is when it is made.)
pub fn namespaces() -> CloneFlags {
    let own = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNET;
    if identity::is_the_machines_root() { own } else { own | CloneFlags::CLONE_NEWUSER }
}

/// Who the caller is, as [`settle`] needs to know. Ask before the process is born: afterwards it is nobody.
pub fn caller() -> Option<Identity> {
    let ids = (geteuid().as_raw(), getegid().as_raw());
    (!identity::is_the_machines_root()).then(|| Identity::new(ids, false, None))
}

/// Inside, as the first process of these namespaces: makes `root` its root, once `furnish` has mounted what belongs in
/// there ([`mount_proc`](crate::mount_proc) at least), takes `hostname` as its name, and brings up its loopback link. It
/// dies with its parent.
pub fn settle(
    caller: Option<&Identity>,
    root: &Path,
    hostname: &str,
    furnish: impl FnOnce(&Root) -> Result<()>,
) -> Result<()> {
    if let Some(caller) = caller {
        caller.map_self()?;
    }
    kernel::die_with_parent("nobody is left alone when the program outside is killed")?;
    kernel::unshare(CloneFlags::CLONE_NEWCGROUP, "its cgroup looks like the top one from here on")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    kernel::mount("", "/", "", private, "", "nothing mounted from here on reaches the machine")?;
    furnish(&Root::new(root)?)?;
    chroot::enter_root(root)?;
    kernel::sethostname(hostname, "its name, in its own UTS namespace")?;
    kernel::link_up("lo", "a network of its own has only a loopback link, and that is down")
}

/// Becomes the command. Comes back only if it cannot be run: prints why, and answers with the shell's status for that.
pub fn execute(program: &str, words: &[String]) -> u8 {
    use std::os::unix::process::CommandExt;

    let Some((command, arguments)) = words.split_first() else { return 127 };
    // A command begins with no signal blocked, whatever an init or a supervisor did.
    let _ = SigSet::empty().thread_set_mask();
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let error = std::process::Command::new(command).args(arguments).env("PATH", path).exec();
    eprintln!("{program}: run {command}: {error}");
    if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }
}
