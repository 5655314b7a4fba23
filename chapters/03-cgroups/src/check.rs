//! Whether limits make sense, before anything is made. The words are Docker's where it has some.

use anyhow::{Context, Result, bail, ensure};

use crate::Limits;

/// Less than this, and a container cannot even start.
const MEMORY_MINIMUM: u64 = 6 << 20;

impl Limits {
    /// The same limits, with what means "none" (0, or an empty list) taken out, if each is within its range and goes
    /// with the others.
    ///
    /// The error says what is wrong, and which values there are.
    pub fn checked(&self) -> Result<Limits> {
        let limits = self.without_empty();
        limits.check_memory()?;
        limits.check_cpu()?;
        limits.check_lists()?;
        if let Some(pids) = limits.pids {
            ensure!(pids >= -1, "invalid pids limit {pids}: a number of processes, or -1 for no limit");
        }
        if let Some(weight) = limits.blkio_weight {
            ensure!((10..=1000).contains(&weight), "range of blkio weight is from 10 to 1000, and not {weight}");
        }
        Ok(limits)
    }

    fn without_empty(&self) -> Limits {
        let list = |list: &Option<String>| list.clone().filter(|list| !list.trim().is_empty());
        Limits {
            memory: self.memory.filter(|bytes| *bytes > 0),
            // Any swap is what there is without a limit on memory too.
            memory_swap: self.memory_swap.filter(|bytes| *bytes != 0 && !(*bytes == -1 && self.memory.is_none())),
            memory_reservation: self.memory_reservation.filter(|bytes| *bytes > 0),
            cpus: self.cpus.filter(|billionths| *billionths > 0),
            cpu_shares: self.cpu_shares.filter(|shares| *shares > 0),
            cpu_quota: self.cpu_quota.filter(|us| *us != 0),
            cpu_period: self.cpu_period.filter(|us| *us > 0),
            cpuset_cpus: list(&self.cpuset_cpus),
            cpuset_mems: list(&self.cpuset_mems),
            pids: self.pids.filter(|number| !matches!(number, 0 | -1)),
            blkio_weight: self.blkio_weight.filter(|weight| *weight > 0),
        }
    }

    fn check_memory(&self) -> Result<()> {
        if let Some(memory) = self.memory {
            ensure!(memory >= MEMORY_MINIMUM, "minimum memory limit allowed is 6MB, and not {memory} bytes");
        }
        if let Some(swap) = self.memory_swap {
            ensure!(swap >= -1, "invalid memory+swap limit {swap}: a size, or -1 for swap without limit");
            let Some(memory) = self.memory else {
                bail!("a memory+swap limit needs a memory limit: give --memory too");
            };
            ensure!(
                swap == -1 || u64::try_from(swap).is_ok_and(|swap| swap >= memory),
                "minimum memory+swap limit should be larger than the memory limit: it is the sum of both"
            );
        }
        if let Some(reservation) = self.memory_reservation {
            ensure!(
                reservation >= MEMORY_MINIMUM,
                "minimum memory reservation allowed is 6MB, and not {reservation} bytes"
            );
            let fits = self.memory.is_none_or(|memory| memory >= reservation);
            ensure!(fits, "the memory limit can not be less than the memory reservation");
        }
        Ok(())
    }

    fn check_cpu(&self) -> Result<()> {
        if let Some(billionths) = self.cpus {
            let conflict = self.cpu_quota.is_some() || self.cpu_period.is_some();
            ensure!(
                !conflict,
                "conflicting options: --cpus says the same as --cpu-quota and --cpu-period; give one of them"
            );
            let there = processors()?;
            ensure!(
                (10_000_000..=there * 1_000_000_000).contains(&billionths),
                "range of CPUs is from 0.01 to {there}.00, as there are only {there} CPUs available"
            );
        }
        if let Some(period) = self.cpu_period {
            let range = 1000..=1_000_000;
            ensure!(range.contains(&period), "CPU period can not be less than 1ms (1000) or larger than 1s (1000000)");
        }
        if let Some(quota) = self.cpu_quota {
            ensure!(quota == -1 || quota >= 1000, "CPU quota can not be less than 1ms (1000); -1 is no limit");
        }
        if let Some(shares) = self.cpu_shares {
            ensure!((2..=262_144).contains(&shares), "range of CPU shares is from 2 to 262144, and not {shares}");
        }
        Ok(())
    }

    fn check_lists(&self) -> Result<()> {
        if let Some(list) = &self.cpuset_cpus {
            within(list, "/sys/devices/system/cpu/online", "CPUs")?;
        }
        match &self.cpuset_mems {
            Some(list) => within(list, "/sys/devices/system/node/online", "memory nodes"),
            None => Ok(()),
        }
    }
}

/// On how many processors this process may run.
fn processors() -> Result<u64> {
    let allowed = nix::sched::sched_getaffinity(nix::unistd::Pid::this()).context("ask how many CPUs there are")?;
    Ok((0..nix::sched::CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).count() as u64)
}

/// Whether all of `list` is in the list that `file` holds.
fn within(list: &str, file: &str, what: &str) -> Result<()> {
    let asked = parse_list(list).with_context(|| format!("invalid list of {what} '{list}': such as 0-2,5"))?;
    // A kernel without NUMA has no such file, and one node.
    let available = std::fs::read_to_string(file).unwrap_or_else(|_| "0".into());
    let there = parse_list(available.trim()).with_context(|| format!("{file} is no list"))?;
    let all = asked.iter().all(|(first, last)| there.iter().any(|(from, to)| from <= first && last <= to));
    ensure!(all, "requested {what} are not available: requested {list}, available: {}", available.trim());
    Ok(())
}

/// The ranges of `0-2,5`.
fn parse_list(list: &str) -> Option<Vec<(u32, u32)>> {
    let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    list.split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(limits: &Limits) -> String {
        limits.checked().unwrap_err().to_string()
    }

    #[test]
    fn none_and_zero_are_no_limit() {
        let zeros = Limits {
            memory: Some(0),
            memory_swap: Some(0),
            cpus: Some(0),
            cpu_shares: Some(0),
            cpuset_cpus: Some(String::new()),
            blkio_weight: Some(0),
            ..Limits::default()
        };
        assert_eq!(zeros.checked().unwrap(), Limits::default());
    }

    #[test]
    fn memory() {
        let limits = |memory, memory_swap| Limits { memory, memory_swap, ..Limits::default() };
        assert!(refused(&limits(Some(4 << 20), None)).starts_with("minimum memory limit allowed is 6MB"));
        assert!(refused(&limits(None, Some(64 << 20))).contains("give --memory too"));
        assert!(refused(&limits(Some(64 << 20), Some(32 << 20))).contains("should be larger than the memory limit"));
        assert!(refused(&limits(Some(64 << 20), Some(-2))).contains("-2"));
        assert!(limits(Some(64 << 20), Some(-1)).checked().is_ok());
        assert!(limits(Some(64 << 20), Some(64 << 20)).checked().is_ok());
        let reserved = Limits { memory_reservation: Some(65 << 20), ..limits(Some(64 << 20), None) };
        assert!(refused(&reserved).contains("reservation"));
    }

    #[test]
    fn processors_and_their_time() {
        let there = processors().unwrap();
        let cpus = |billionths| Limits { cpus: Some(billionths), ..Limits::default() };
        assert!(cpus(there * 1_000_000_000).checked().is_ok());
        let message = format!("range of CPUs is from 0.01 to {there}.00, as there are only {there} CPUs available");
        assert_eq!(refused(&cpus(there * 1_000_000_000 + 1)), message);
        assert_eq!(refused(&cpus(1)), message);
        let both = Limits { cpu_quota: Some(50_000), ..cpus(500_000_000) };
        assert!(refused(&both).starts_with("conflicting options"));
        assert!(refused(&Limits { cpu_period: Some(10), ..Limits::default() }).contains("period"));
        assert!(refused(&Limits { cpu_quota: Some(10), ..Limits::default() }).contains("quota"));
        assert!(refused(&Limits { cpu_shares: Some(1), ..Limits::default() }).contains("from 2 to 262144"));
    }

    #[test]
    fn lists() {
        let cpus = |list: &str| Limits { cpuset_cpus: Some(list.into()), ..Limits::default() };
        assert!(cpus("0").checked().is_ok());
        for list in ["a", "0-", "-1", "2-1", "0,,1", "0 1", "+1"] {
            assert!(refused(&cpus(list)).starts_with(&format!("invalid list of CPUs '{list}'")), "{list}");
        }
        assert!(
            refused(&cpus("0-9999")).starts_with("requested CPUs are not available: requested 0-9999, available: 0")
        );
        let mems = Limits { cpuset_mems: Some("4000".into()), ..Limits::default() };
        assert!(refused(&mems).starts_with("requested memory nodes are not available"));
    }

    #[test]
    fn the_rest() {
        assert!(refused(&Limits { pids: Some(-2), ..Limits::default() }).contains("-2"));
        assert!(Limits { pids: Some(-1), ..Limits::default() }.checked().is_ok());
        assert!(refused(&Limits { blkio_weight: Some(9), ..Limits::default() }).contains("from 10 to 1000"));
    }
}
