//! What a container may use, as Docker's options say it.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// What a container may use. `None` is no limit; the units are those of Docker's API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Memory, in bytes, with the cache of the files it reads and writes.
    pub memory: Option<u64>,
    /// Memory and swap together, in bytes; -1 for swap without limit. Without it, as much swap as memory.
    pub memory_swap: Option<i64>,
    /// Memory that is not taken back from the container as long as others have more, in bytes.
    pub memory_reservation: Option<u64>,
    /// Processor time, in billionths of one processor (Docker's `NanoCpus`).
    pub cpus: Option<u64>,
    /// The share of processor time when others want it too; 1024 is what everybody has.
    pub cpu_shares: Option<u64>,
    /// Processor time in each period, in microseconds; -1 for no limit.
    pub cpu_quota: Option<i64>,
    /// The length of a period, in microseconds; 100 000 when it is not given.
    pub cpu_period: Option<u64>,
    /// Which processors: `0-2,5`.
    pub cpuset_cpus: Option<String>,
    /// Which memory nodes, likewise.
    pub cpuset_mems: Option<String>,
    /// How many processes and threads; 0 or -1 for no limit.
    pub pids: Option<i64>,
    /// The share of the disks when others want them too: 10 to 1000.
    pub blkio_weight: Option<u16>,
}

/// The period when none is given, in microseconds: the kernel's own.
const PERIOD: u64 = 100_000;

impl Limits {
    /// How much may be swapped out, in bytes: what `memory_swap` has beyond `memory`. The outer `None` is nothing to
    /// set, the inner one no limit.
    pub fn swap(&self) -> Option<Option<u64>> {
        let memory = self.memory?;
        match self.memory_swap {
            None => Some(Some(memory)),
            Some(total) => Some(u64::try_from(total).ok().map(|total| total.saturating_sub(memory))),
        }
    }

    /// How many microseconds of processor time there are in each period of how many. The outer `None` is nothing to
    /// set, the inner one no limit.
    pub fn bandwidth(&self) -> Option<(Option<u64>, u64)> {
        let period = self.cpu_period.unwrap_or(PERIOD);
        if let Some(billionths) = self.cpus {
            return Some((Some((u128::from(billionths) * u128::from(period) / 1_000_000_000) as u64), period));
        }
        if self.cpu_quota.is_none() && self.cpu_period.is_none() {
            return None;
        }
        Some((self.cpu_quota.and_then(|quota| u64::try_from(quota).ok()), period))
    }
}

/// Reads a size as Docker does: `64m`, `1.5g`, `1024`, `512kb`, `2GiB`. Units are powers of 1024.
pub fn parse_bytes(text: &str) -> Result<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let shift = match unit.trim_start_matches(' ') {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        "p" | "pb" | "pib" => 50,
        _ => bail!("invalid size: '{text}': a number and b, k, m or g, such as 64m"),
    };
    let wrong = || format!("invalid size: '{text}': a number and b, k, m or g, such as 64m");
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(1 << shift),
        Err(_) => {
            let number: f64 = number.parse().with_context(wrong)?;
            Some(number * (1_u64 << shift) as f64).filter(|bytes| *bytes < i64::MAX as f64).map(|bytes| bytes as u64)
        }
    };
    bytes.filter(|bytes| i64::try_from(*bytes).is_ok()).with_context(|| format!("invalid size: '{text}' is too large"))
}

/// Reads what Docker takes for `--memory-swap`: a size, or -1.
pub fn parse_memory_swap(text: &str) -> Result<i64> {
    if text == "-1" { Ok(-1) } else { Ok(parse_bytes(text)? as i64) }
}

/// Reads a number of processors, `0.5`, as billionths of one.
pub fn parse_cpus(text: &str) -> Result<u64> {
    let wrong = || format!("invalid number of CPUs: '{text}': such as 0.5 or 2");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    ensure!(!(whole.is_empty() && fraction.is_empty()), wrong());
    ensure!(whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()), wrong());
    ensure!(
        fraction.len() <= 9,
        "invalid number of CPUs: '{text}' is too precise: at most nine digits after the point"
    );
    let whole: u64 = format!("0{whole}").parse().with_context(wrong)?;
    let fraction: u64 = format!("{fraction:0<9}").parse().with_context(wrong)?;
    whole.checked_mul(1_000_000_000).and_then(|billionths| billionths.checked_add(fraction)).with_context(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let good = [
            ("0", 0),
            ("64m", 64 << 20),
            ("64M", 64 << 20),
            ("64mb", 64 << 20),
            ("1.5g", 3 << 29),
            ("2GiB", 2 << 30),
            ("10 k", 10 << 10),
            ("7b", 7),
        ];
        for (text, bytes) in good {
            assert_eq!(parse_bytes(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "m", "-1", "64x", "1e3", "1..5m", "m64", "64 m b", "99999999999g", "9223372036854775808", "∞"]
        {
            let error = parse_bytes(text).unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }

    #[test]
    fn swap() {
        assert_eq!(parse_memory_swap("-1").unwrap(), -1);
        assert_eq!(parse_memory_swap("1k").unwrap(), 1024);
        assert!(parse_memory_swap("-2").is_err());
        let swap = |memory, memory_swap| Limits { memory, memory_swap, ..Limits::default() }.swap();
        assert_eq!(swap(None, None), None);
        assert_eq!(swap(Some(100), None), Some(Some(100)));
        assert_eq!(swap(Some(100), Some(150)), Some(Some(50)));
        assert_eq!(swap(Some(100), Some(100)), Some(Some(0)));
        assert_eq!(swap(Some(100), Some(-1)), Some(None));
    }

    #[test]
    fn processors() {
        for (text, billionths) in
            [("0.5", 500_000_000), ("2", 2_000_000_000), (".25", 250_000_000), ("1.", 1_000_000_000)]
        {
            assert_eq!(parse_cpus(text).unwrap(), billionths, "{text}");
        }
        for text in ["", ".", "-1", "1.5.5", "0.0000000001", "+1", "99999999999999999999", "half"] {
            assert!(parse_cpus(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bandwidth() {
        let limits = |cpus, cpu_quota, cpu_period| Limits { cpus, cpu_quota, cpu_period, ..Limits::default() };
        assert_eq!(limits(None, None, None).bandwidth(), None);
        assert_eq!(limits(Some(500_000_000), None, None).bandwidth(), Some((Some(50_000), 100_000)));
        assert_eq!(limits(None, Some(20_000), None).bandwidth(), Some((Some(20_000), 100_000)));
        assert_eq!(limits(None, None, Some(50_000)).bandwidth(), Some((None, 50_000)));
        assert_eq!(limits(None, Some(-1), Some(50_000)).bandwidth(), Some((None, 50_000)));
    }
}
