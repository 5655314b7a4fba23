//! Docker's numbers are those of cgroup v1. These are the ways from v1's weights to v2's.

/// The `cpu.weight` (1 to 10 000, usually 100) for shares (2 to 262 144, usually 1024).
///
/// Both ranges span some powers of ten, so the way leads over logarithms: a parabola through the two ends and the
/// two usual values. This is what runc (since 1.3.2) and crun (since 1.23) do. Before, a straight line through the
/// ends made 39 of 1024: a container that asked for the usual share got less than half of it.
pub fn cpu_weight(shares: u64) -> u64 {
    match shares {
        0..=2 => 1,
        262_144.. => 10_000,
        shares => {
            let bits = (shares as f64).log2();
            let digits = (bits * bits + 125.0 * bits) / 612.0 - 7.0 / 34.0;
            10_f64.powf(digits).ceil() as u64
        }
    }
}

/// The `io.weight` (1 to 10 000) for a weight of v1's disk scheduler (10 to 1000): a straight line.
pub fn io_weight(weight: u16) -> u64 {
    1 + u64::from(weight.saturating_sub(10)) * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_usual() {
        for (shares, weight) in [(0, 1), (2, 1), (3, 2), (1024, 100), (262_144, 10_000), (u64::MAX, 10_000)] {
            assert_eq!(cpu_weight(shares), weight, "{shares}");
        }
        for (blkio, io) in [(10, 1), (500, 4950), (1000, 10_000)] {
            assert_eq!(io_weight(blkio), io, "{blkio}");
        }
    }

    #[test]
    fn more_is_never_less() {
        let weights: Vec<u64> = (2..=262_144).map(cpu_weight).collect();
        assert!(weights.is_sorted());
    }
}
