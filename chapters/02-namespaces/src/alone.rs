//! A command that is alone in the machine: chapters 1 and 2 put together, in their simplest form. The programs of this
//! chapter and of those after it start commands with it.

use std::ffi::CString;
use std::path::Path;

use chroot::inside::Root;
use look::Result;
use look::kernel::{self, CloneFlags, MsFlags};
use nix::errno::Errno;
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
    // A command begins with no signal blocked, whatever a supervisor did.
    let _ = SigSet::empty().thread_set_mask();
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
///
/// It makes no other kernel call than execve, so that a filter may leave that and little else.
pub fn execute(program: &str, words: &[String]) -> u8 {
    let Some(command) = words.first() else { return 127 };
    let c_string = |word: &str| CString::new(word).unwrap_or_default();
    let arguments: Vec<CString> = words.iter().map(|word| c_string(word)).collect();
    let variables = std::env::vars().filter(|(name, _)| name != "PATH").chain([("PATH".to_owned(), PATH.to_owned())]);
    let environment: Vec<CString> = variables.map(|(name, value)| c_string(&format!("{name}={value}"))).collect();
    let directories: Vec<&str> = if command.contains('/') { vec![""] } else { PATH.split(':').collect() };
    let mut problem = Errno::ENOENT;
    for directory in directories {
        let path = if directory.is_empty() { command.clone() } else { format!("{directory}/{command}") };
        match nix::unistd::execve(&c_string(&path), &arguments, &environment) {
            Err(Errno::ENOENT) => {}
            Err(other) => problem = other,
            Ok(never) => match never {},
        }
    }
    eprintln!("{program}: run {command}: {}", look::describe(problem));
    if problem == Errno::ENOENT { 127 } else { 126 }
}

/// Where commands are, in any image.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
