//! Writing one limit, and what to say when it cannot be had.

use std::path::Path;

use anyhow::{Result, anyhow};
use look::kernel;

use crate::places::Layout;
use crate::{Limits, Setting};

/// Writes one setting. Where its file is not there, `hand_on` is to bring it.
pub fn setting(dir: &Path, setting: &Setting, limits: &Limits, hand_on: &dyn Fn()) -> Result<()> {
    let there = |file: &str| dir.join(file).exists();
    let file = setting.file.as_str();
    let swap = matches!(file, "memory.swap.max" | "memory.memsw.limit_in_bytes");
    if swap && limits.memory_swap.is_none() && !there(file) {
        // Not every kernel counts swap, and who did not ask for a limit on it does not have to know.
        return Ok(());
    }
    if !there(file) {
        hand_on();
    }
    let (file, value) = match (file, limits.blkio_weight) {
        (file, _) if there(file) => (file, setting.value.clone()),
        // The scheduler bfq has files of its own, with v1's range in both.
        ("io.weight", Some(weight)) if there("io.bfq.weight") => ("io.bfq.weight", weight.to_string()),
        ("blkio.weight", Some(weight)) if there("blkio.bfq.weight") => ("blkio.bfq.weight", weight.to_string()),
        _ => return Err(anyhow!(not_there(dir, setting))),
    };
    Ok(kernel::write_cgroup(dir, file, &value, "the limit is there before anybody it is for")?)
}

fn not_there(dir: &Path, setting: &Setting) -> String {
    let controller = setting.controller;
    let help = match controller {
        "io" | "blkio" => "this kernel has no weights for disks; leave out --blkio-weight".to_owned(),
        "memory" if setting.file.contains("sw") => {
            "this kernel does not count swap (boot it with swapaccount=1); leave out --memory-swap".to_owned()
        }
        _ => format!(
            "the {controller} controller is not handed on to here: as an ordinary user, ask for it with \
             Delegate={controller} in the unit user@.service; as root, see that the kernel has it: cat /proc/cgroups"
        ),
    };
    format!("limit {controller}: there is no {} in {}\n  help: {help}", setting.file, dir.display())
}

/// On a machine with v1 only.
pub const NO_TREE: &str = "no cgroups here have that controller\n  help: cat /proc/cgroups shows which the kernel has; \
                       mount its tree, or leave the limit out";

/// Why a limit cannot be had where there is no cgroup at all for it.
pub fn no_place(layout: &Layout) -> String {
    let (why, help) = match (&layout.v2, layout.v1("memory")) {
        (None, None) => ("no cgroups are mounted here", "mount them: mount -t cgroup2 cgroup2 /sys/fs/cgroup"),
        (_, Some(_)) => (
            "on this machine only root may make cgroups (cgroup v1 does not give parts of its trees to users)",
            "run it as root, or without limits; with systemd.unified_cgroup_hierarchy=1 on its command line the \
             kernel has cgroup v2 only",
        ),
        _ => (
            "no cgroup here belongs to you",
            "have systemd give you one: systemd-run --user --scope -p Delegate=yes COMMAND; or run it as root",
        ),
    };
    format!("limits need a cgroup, and {why}\n  help: {help}")
}
