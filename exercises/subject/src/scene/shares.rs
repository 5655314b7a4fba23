//! Chapter 3: answers that say what a limit is, and that set one.

use std::path::Path;

use cgroups::{Limits, Setting};
use look::Result;

use super::{Stage, nothing};
use crate::host::CGROUPS;
use crate::protocol::{Call, Said};
use crate::try_it::try_it;

/// What is asked about, as Docker's options say it.
pub fn asked() -> Vec<(&'static str, Limits)> {
    let none = Limits::default;
    let megabytes = |number: u64| Some(number << 20);
    vec![
        ("no option", none()),
        ("-m 64m", Limits { memory: megabytes(64), ..none() }),
        ("-m 64m --memory-swap 96m", Limits { memory: megabytes(64), memory_swap: Some(96 << 20), ..none() }),
        ("-m 64m --memory-swap -1", Limits { memory: megabytes(64), memory_swap: Some(-1), ..none() }),
        ("--memory-reservation 32m", Limits { memory_reservation: megabytes(32), ..none() }),
        ("--cpus 0.5", Limits { cpus: Some(500_000_000), ..none() }),
        ("--cpu-quota 5000 --cpu-period 20000", Limits { cpu_quota: Some(5000), cpu_period: Some(20_000), ..none() }),
        ("--cpu-quota -1", Limits { cpu_quota: Some(-1), ..none() }),
        ("--cpu-shares 2", Limits { cpu_shares: Some(2), ..none() }),
        ("--cpu-shares 512", Limits { cpu_shares: Some(512), ..none() }),
        ("--cpu-shares 1024", Limits { cpu_shares: Some(1024), ..none() }),
        ("--cpu-shares 262144", Limits { cpu_shares: Some(262_144), ..none() }),
        ("--cpuset-cpus 0-2", Limits { cpuset_cpus: Some("0-2".into()), ..none() }),
        ("--cpuset-mems 0", Limits { cpuset_mems: Some("0".into()), ..none() }),
        ("--pids-limit 20", Limits { pids: Some(20), ..none() }),
        ("--pids-limit -1", Limits { pids: Some(-1), ..none() }),
        ("--pids-limit 0", Limits { pids: Some(0), ..none() }),
        ("--blkio-weight 10", Limits { blkio_weight: Some(10), ..none() }),
        ("--blkio-weight 500", Limits { blkio_weight: Some(500), ..none() }),
        ("--blkio-weight 1000", Limits { blkio_weight: Some(1000), ..none() }),
    ]
}

/// 3.1
pub(super) fn settings(stage: &Stage<'_>, settings: fn(&Limits) -> Vec<Setting>) {
    let all = || asked().iter().map(|(_, limits)| shown(settings(limits))).collect();
    stage.report(Call::TheFunction, try_it(|| Ok(Said::Lines(all()))));
}

/// `memory.max 64, memory.swap.max 0`; the order makes no difference to the kernel.
fn shown(settings: Vec<Setting>) -> String {
    let one = |setting: Setting| {
        let Setting { controller, file, value } = setting;
        let of =
            if file.starts_with(&format!("{controller}.")) { String::new() } else { format!(" (of {controller})") };
        format!("{file} {}{of}", value.trim_end())
    };
    let mut all: Vec<String> = settings.into_iter().map(one).collect();
    all.sort();
    if all.is_empty() { "nothing".into() } else { all.join(", ") }
}

/// The limits that every cgroup has, whatever controllers there are, and what is written to them.
pub const LIMITS: [(&str, &str); 2] = [("cgroup.max.depth", "3"), ("cgroup.max.descendants", "17")];

/// 3.2
pub(super) fn confine(stage: &Stage<'_>, confine: fn(&Path, &[Setting]) -> Result<()>) {
    let place = Path::new(CGROUPS);
    let [depth, descendants] = LIMITS.map(|(file, value)| Setting::new("cgroup", file, value));
    let possible = [depth.clone(), descendants];
    stage.report(Call::TheFunction, nothing(|| confine(&place.join("container"), &possible)));
    let impossible = [depth, Setting::new("cgroup", "cgroup.max.fun", "0")];
    stage.report(Call::ImpossibleLimit, nothing(|| confine(&place.join("another"), &impossible)));
}
