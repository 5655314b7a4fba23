//! The kernel calls that build or change a container. Every chapter makes them from here.
//!
//! Each function is one system call. It takes, last, *why* the call is made, in a few words: this is what
//! `--explain` prints, and it is the comment that the reader of the code needs anyway. A failure comes back
//! as `mount proc on /proc: EPERM (Operation not permitted)`, with the usual cause where there is one.
//!
//! Calls that only look (`stat`, `read`) or that every program makes (`open`, `pipe`) are not here.

mod cgroups;
mod descriptors;
mod files;
mod links;
mod mounts;
mod privileges;
mod process;
mod seccomp;
mod trees;

pub use cgroups::{attach_device_program, load_device_program, make_cgroup, remove_cgroup, write_cgroup};
pub use descriptors::close_all_but;
pub use files::{chown, mkdir, mkfile, mknod_block, mknod_char, symlink, write_map, write_setting};
pub use links::link_up;
pub use mounts::{Target, bind_on, chroot, mount, mount_no_devices, mount_on, mount_read_only, pivot_root, umount};
pub use nix::mount::{MntFlags, MsFlags};
pub use nix::sched::CloneFlags;
pub use privileges::{
    CapabilitySet, Resource, drop_bounding, dumpable, no_new_privs, permitted_capabilities, set_capabilities, setrlimit,
};
pub use process::{
    Cloned, chdir, clone3, close_on_exec_from, controlling_terminal, die_with_parent, execveat, fchdir, fork,
    setgroups, sethostname, setns, setresgid, setresuid, setsid, unshare,
};
pub use seccomp::seccomp;
pub use trees::{move_mount, open_tree};
