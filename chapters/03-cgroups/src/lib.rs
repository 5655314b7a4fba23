//! # Chapter 3: a share of its own
//!
//! A root and a view of its own do not keep a process from taking all of the machine: its memory, its processors,
//! every process id there is. For that the kernel has *control groups*. A cgroup is a set of processes that is
//! counted together and limited together. Children are born into their parent's, so nobody leaves by forking.
//!
//! There is no system call for it. A cgroup is a directory, in a file system of its own kind:
//!
//! - `mkdir` makes one, and the kernel fills it with files;
//! - writing to a file sets a limit: `echo 67108864 > memory.max`;
//! - writing a process id to `cgroup.procs` moves that process in (`0` is whoever writes);
//! - reading tells what is used: `memory.current`, `cpu.stat`, `pids.current`;
//! - `rmdir` takes it away, once no process is in it.
//!
//! | file (cgroup v2)  | what it limits                               | who goes over it …            | Docker's option |
//! |-------------------|----------------------------------------------|-------------------------------|-----------------|
//! | `memory.max`      | memory, with the cache of files              | is killed: 137                | `--memory`      |
//! | `memory.swap.max` | what may be swapped out                      | (then memory is all there is) | `--memory-swap` |
//! | `memory.low`      | nothing: what is left alone when it is scarce| –                             | `--memory-reservation` |
//! | `cpu.max`         | processor time in each period                | waits for the next period     | `--cpus`        |
//! | `cpu.weight`      | nothing: the share when others want it too   | –                             | `--cpu-shares`  |
//! | `cpuset.cpus`     | which processors                             | –                             | `--cpuset-cpus` |
//! | `pids.max`        | processes and threads                        | gets `EAGAIN` from fork       | `--pids-limit`  |
//! | `io.weight`       | nothing: the share of the disks              | –                             | `--blkio-weight`|
//!
//! A *controller* is the part of the kernel behind files of one prefix. A cgroup has the files of those that its
//! parent lists in `cgroup.subtree_control`; and a cgroup that hands controllers to its children holds no
//! processes itself (the root excepted). So processes are in the leaves.
//!
//! **The order matters.** Limits first, then the process ([`confine`]): one that moves in before has moments in
//! which it may take what it likes, and what it took stays its own. A limit that comes later refuses the next
//! process, and chases nobody out.
//!
//! **Moving is dear, being born is cheap.** Before it moves a process, the kernel waits until no processor is in the
//! middle of a fork. After a quiet second that takes 10 to 25 milliseconds, more than all the rest of a container's
//! start. clone3 takes the opened directory of a v2 cgroup ([`Group::born_in`]), and the child has never been
//! anywhere else.
//!
//! ## What is simplified here
//!
//! [`settings`] and [`confine`] are all there is to it on a machine with cgroup v2 whose root you are. [`Group`] is
//! what `tinbox` uses; it also knows
//! - **v1**, with a tree for each controller and other names ([`v1`]), and the mix of both ("hybrid");
//! - ordinary users, who get a part of the tree from whoever owns it, or none;
//! - [`devices`], which are no file in v2 but a small program in the kernel;
//! - [`Usage`], freezing, killing, and how to clear away a cgroup in which something still dies.
//!
//! ## What real runtimes do more
//!
//! - They can ask systemd for the cgroup (a *scope*, over D-Bus), so that it shows up in `systemctl` and there is
//!   one manager of the tree only. Docker calls this the `systemd` cgroup driver; here it is the `cgroupfs` one.
//! - Limits on the rate of single disks (`io.max`), on huge pages, on RDMA; limits that change while a container
//!   runs (`docker update`).

mod check;
mod convert;
pub mod devices;
mod freeze;
mod group;
mod home;
mod limits;
pub mod options;
mod places;
mod remove;
#[cfg(test)]
mod tests;
mod usage;
pub mod v1;
mod write;

use std::path::Path;

use look::Result;
use look::kernel;

pub use convert::{cpu_weight, io_weight};
pub use devices::DeviceRule;
pub use group::Group;
pub use home::parent;
pub use limits::{Limits, parse_bytes, parse_cpus, parse_memory_swap};
pub use remove::{remove_leftover, tidy};
pub use usage::Usage;

/// A file of a cgroup, and what is to be written into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The controller that the file belongs to: `memory`, `cpu`, `cpuset`, `pids`, `io`.
    pub controller: &'static str,
    /// The name of the file in the cgroup's directory.
    pub file: String,
    /// Its new content.
    pub value: String,
}

impl Setting {
    /// `value` in `file`, which begins with the name of its controller.
    pub fn new(controller: &'static str, file: &str, value: impl Into<String>) -> Setting {
        Setting { controller, file: file.to_owned(), value: value.into() }
    }
}

// ANCHOR: settings
/// What to write into which file of cgroup v2, in this order, so that `limits` hold. What is not limited is not
/// written.
///
/// The values are within their ranges: [`Limits::checked`] has seen to that.
pub fn settings(limits: &Limits) -> Vec<Setting> {
    // SOLUTION: settings
    let mut settings = Vec::new();
    let mut set = |controller, file, value: String| settings.push(Setting::new(controller, file, value));
    if let Some(bytes) = limits.memory {
        set("memory", "memory.max", bytes.to_string());
    }
    if let Some(swap) = limits.swap() {
        set("memory", "memory.swap.max", swap.map_or("max".into(), |bytes| bytes.to_string()));
    }
    if let Some(bytes) = limits.memory_reservation {
        set("memory", "memory.low", bytes.to_string());
    }
    if let Some((quota, period)) = limits.bandwidth() {
        set("cpu", "cpu.max", format!("{} {period}", quota.map_or("max".into(), |us| us.to_string())));
    }
    if let Some(shares) = limits.cpu_shares {
        set("cpu", "cpu.weight", cpu_weight(shares).to_string());
    }
    if let Some(list) = &limits.cpuset_cpus {
        set("cpuset", "cpuset.cpus", list.clone());
    }
    if let Some(list) = &limits.cpuset_mems {
        set("cpuset", "cpuset.mems", list.clone());
    }
    if let Some(number) = limits.pids {
        set("pids", "pids.max", if number > 0 { number.to_string() } else { "max".into() });
    }
    if let Some(weight) = limits.blkio_weight {
        set("io", "io.weight", io_weight(weight).to_string());
    }
    settings
    // SOLUTION_END
}
// ANCHOR_END: settings

// ANCHOR: confine
/// Makes the cgroup `dir`, sets its limits, and moves this process into it: in that order.
///
/// The directory above `dir` is a cgroup of v2 that hands on the controllers of all `settings`. On an error this
/// process is where it was; what was made is left for whoever called to take away.
pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    // SOLUTION: confine
    kernel::make_cgroup(dir, "a new group of processes, with nobody in it yet")?;
    for setting in settings {
        kernel::write_cgroup(dir, &setting.file, &setting.value, "the limit is there before anybody it is for")?;
    }
    kernel::write_cgroup(dir, "cgroup.procs", "0", "move in: children will be born here")
    // SOLUTION_END
}
// ANCHOR_END: confine
