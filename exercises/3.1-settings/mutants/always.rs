//! diagnosis: sets-what-nobody-asked-for
//!
//! Writes every file, with `max` where there is no limit. Made by the thorough.

use cgroups::{Limits, Setting, cpu_weight, io_weight};

pub fn settings(limits: &Limits) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut set = |controller, file, value: String| settings.push(Setting::new(controller, file, value));
    set("memory", "memory.max", limits.memory.map_or("max".into(), |bytes| bytes.to_string()));
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
    let pids = limits.pids.filter(|number| *number > 0);
    set("pids", "pids.max", pids.map_or("max".into(), |number| number.to_string()));
    if let Some(weight) = limits.blkio_weight {
        set("io", "io.weight", io_weight(weight).to_string());
    }
    settings
}
