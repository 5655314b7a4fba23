//! diagnosis: swap-is-the-total
//!
//! Takes the number of --memory-swap as it is. Made by those who read the name of the option and not its text.

use cgroups::{Limits, Setting, cpu_weight, io_weight};

pub fn settings(limits: &Limits) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut set = |controller, file, value: String| settings.push(Setting::new(controller, file, value));
    if let Some(bytes) = limits.memory {
        set("memory", "memory.max", bytes.to_string());
    }
    if let Some(memory) = limits.memory {
        set("memory", "memory.swap.max", match limits.memory_swap {
            Some(-1) => "max".into(),
            Some(bytes) => bytes.to_string(),
            None => memory.to_string(),
        });
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
}
