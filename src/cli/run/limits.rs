//! Options about what a container gets: chapter 3.

use anyhow::{Context, Result};
use cgroups::{Limits, parse_bytes, parse_cpus, parse_memory_swap};
use clap::{Arg, ArgMatches};

use super::arguments::{parsed, text, value};

/// The options.
pub fn arguments() -> [Arg; 11] {
    [
        value("memory", "SIZE", "Memory limit: a number with b, k, m or g; over it, processes are killed").short('m'),
        value("memory-swap", "SIZE", "Memory and swap together; -1 for swap without limit [default: twice the memory]")
            .allow_hyphen_values(true),
        value("memory-reservation", "SIZE", "Memory that is left to it when others have more"),
        value("cpus", "NUMBER", "How many processors' time, such as 0.5"),
        value("cpu-shares", "NUMBER", "Its share when others want the processors too; everybody has 1024").short('c'),
        value("cpu-quota", "MICROSECONDS", "Processor time in each period").allow_hyphen_values(true),
        value("cpu-period", "MICROSECONDS", "The length of a period [default: 100000]"),
        value("cpuset-cpus", "LIST", "Which processors: 0-2,5"),
        value("cpuset-mems", "LIST", "Which memory nodes"),
        value("pids-limit", "NUMBER", "How many processes and threads; -1 for no limit").allow_hyphen_values(true),
        value("blkio-weight", "10-1000", "Its share when others want the disks too"),
    ]
}

/// What they say, checked as far as that needs no look at the machine.
pub fn read(matches: &ArgMatches) -> Result<Limits> {
    fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
        text.parse().ok().with_context(|| format!("'{text}' is not such a number"))
    }
    Ok(Limits {
        memory: parsed(matches, "memory", parse_bytes)?,
        memory_swap: parsed(matches, "memory-swap", parse_memory_swap)?,
        memory_reservation: parsed(matches, "memory-reservation", parse_bytes)?,
        cpus: parsed(matches, "cpus", parse_cpus)?,
        cpu_shares: parsed(matches, "cpu-shares", number)?,
        cpu_quota: parsed(matches, "cpu-quota", number)?,
        cpu_period: parsed(matches, "cpu-period", number)?,
        cpuset_cpus: text(matches, "cpuset-cpus").map(str::to_owned),
        cpuset_mems: text(matches, "cpuset-mems").map(str::to_owned),
        pids: parsed(matches, "pids-limit", number)?,
        blkio_weight: parsed(matches, "blkio-weight", number)?,
    })
}
