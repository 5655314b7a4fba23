//! diagnosis: shares-leave-the-scale
//!
//! A hundred is to 1024 as the weight is to the shares. Made by those who try it with the usual value.

use cgroups::{Limits, Setting, cpu_weight, io_weight};

pub fn settings(limits: &Limits) -> Vec<Setting> {
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
        set("cpu", "cpu.weight", (shares * 100 / 1024).to_string());
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
}
