//! # Chapter 8: the sandbox
//!
//! After the chapters before this one a container sees little and gets little. But root in it is still root: the
//! kernel checks user 0 and its capabilities, and does not know the word "container". This chapter takes away what
//! root could do to the machine, in layers that do not rely on one another:
//!
//! | layer                     | what it stops                                                | here               |
//! |---------------------------|--------------------------------------------------------------|--------------------|
//! | capabilities              | root's powers over the machine: mounting, modules, raw disks | [`drop_privileges`], [`capabilities`] |
//! | `no_new_privs`            | getting them back through a set-user-ID program              | [`drop_privileges`] |
//! | seccomp                   | kernel calls that containers have no business with           | [`seccomp`]        |
//! | masks, read-only paths    | files of `/proc` and `/sys` that are the machine's           | [`mask`], [`filesystems`] |
//! | a `/dev` from scratch     | the machine's devices                                        | [`devices`]        |
//! | limits and sysctls        | what a process may take; settings of its own namespaces only | [`ulimits`], [`sysctls`] |
//! | a security module         | the same once more, by path and by name                      | [`apparmor`]       |
//! | a small program in between| reaching Tinbox's own binary                                 | [`shim`]           |
//!
//! Every layer can be opened by an option (`--cap-add`, `--security-opt`, `--device`, …), and `--privileged` opens
//! all of them but the namespaces.
//!
//! ## Two rules
//!
//! **A container's files are hostile, and a path is a question.** Between asking a path twice, its answer may change. So
//! a path in an image is opened once, without following symlinks, and what is mounted or read after that is what was
//! opened.
//!
//! **What is dropped is dropped in the right order.** A group can only be changed while there is the power to do
//! so, a capability only be taken from the bounding set by who has another. The order in [`drop_privileges`] is the
//! only one that works.
//!
//! ## What is simplified here
//!
//! - Privileges are given away in the container's first process, once. runc does it again for every `exec`.
//! - There is an AppArmor profile, but no SELinux label: that needs a policy that knows Tinbox.
//!
//! ## What real runtimes do more
//!
//! - gVisor puts a kernel of its own, written in Go, between the container and the machine's; Kata and Firecracker
//!   put a virtual machine. Then a mistake in the kernel is not yet a way out.
//! - Landlock (Linux 5.13) lets a process give away paths without root. Runtimes are beginning to use it.

pub mod apparmor;
pub mod capabilities;
pub mod devices;
pub mod filesystems;
pub mod probe;
pub mod seccomp;
pub mod shim;
pub mod sysctls;
pub mod ulimits;
pub mod user;

use std::os::fd::AsFd;

use chroot::inside::Root;
use look::kernel::{self, CapabilitySet, MsFlags, Target};
use look::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag};
use nix::unistd::{Gid, Uid};

/// What a process is to be left with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privileges {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its supplementary groups.
    pub groups: Vec<u32>,
    /// Whether supplementary groups can be changed at all: not in a user namespace with a single group, where
    /// leaving a group could open what the group is there to deny (user_namespaces(7)).
    pub may_set_groups: bool,
    /// The most that any program in the container can have. Root has it; any other user starts with nothing.
    pub keep: CapabilitySet,
    /// Whether set-user-ID programs lose their effect (`no_new_privs`).
    pub no_new_privs: bool,
}

// ANCHOR: drop_privileges
/// Makes this process the user that `privileges` names, with no more than they allow, for good.
pub fn drop_privileges(privileges: &Privileges) -> Result<()> {
    // SOLUTION: drop_privileges
    let Privileges { uid, gid, keep, .. } = *privileges;
    kernel::drop_bounding(keep, "powers over the machine that no program here ever gets back")?;
    if privileges.may_set_groups {
        let groups: Vec<Gid> = privileges.groups.iter().copied().map(Gid::from_raw).collect();
        kernel::setgroups(&groups, "the groups that the image gives this user, and none of the host's")?;
    }
    // The group first: after the user there is no power left to change it.
    kernel::setresgid(Gid::from_raw(gid), "its group: real, effective and saved")?;
    kernel::setresuid(Uid::from_raw(uid), "its user: real, effective and saved")?;
    let held = if uid == 0 { keep } else { CapabilitySet::NONE };
    kernel::set_capabilities(held, "of root's powers only these, and none that an execve would pass on")?;
    if privileges.no_new_privs {
        kernel::no_new_privs("set-user-ID programs do not give any of it back")?;
    }
    Ok(())
    // SOLUTION_END
}
// ANCHOR_END: drop_privileges

// ANCHOR: mask
/// Hides what is at `path` in `root`: a file under `/dev/null`, a directory under an empty one that is read-only.
///
/// What is not there need not be hidden. A symlink on the way is not followed, and is an error.
pub fn mask(root: &Root, path: &str) -> Result<()> {
    // SOLUTION: mask
    let failed = |errno| Error::call("openat2", path, errno);
    let opened = match root.open_no_symlinks(path, OFlag::O_PATH, Mode::empty()) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    let kind = SFlag::from_bits_truncate(nix::sys::stat::fstat(&opened).map_err(failed)?.st_mode) & SFlag::S_IFMT;
    let target = Target { fd: opened.as_fd(), name: path };
    if kind == SFlag::S_IFDIR {
        let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        return kernel::mount_on("tmpfs", target, "tmpfs", flags, "nr_inodes=1", "nothing to see here");
    }
    let null = nix::fcntl::open("/dev/null", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
    let null = null.map_err(|errno| Error::call("open", "/dev/null", errno))?;
    kernel::bind_on(null.as_fd(), "/dev/null", target, "nothing to read here")
    // SOLUTION_END
}
// ANCHOR_END: mask
