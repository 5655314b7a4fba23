//! Clocks of its own: time_namespaces(7).
//!
//! A time namespace moves two clocks: the one that counts from boot, and the monotonic one. What day it is stays
//! the machine's. It is there so that a container can be moved to another machine without its clocks jumping;
//! you ask for it when you want to see what a program does on a machine that has been up for a year.

use std::fmt;
use std::str::FromStr;

use look::Result;
use look::kernel::{self, CloneFlags};

/// How far the clocks of a new time namespace are from the machine's, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offsets {
    /// The monotonic clock.
    pub monotonic: i64,
    /// The clock that counts from boot: `uptime`.
    pub boottime: i64,
}

impl FromStr for Offsets {
    type Err = String;

    /// `3600` for both clocks, or `monotonic=…`, `boottime=…`, separated by a comma.
    fn from_str(text: &str) -> std::result::Result<Offsets, String> {
        let mut offsets = Offsets::default();
        for part in text.split(',') {
            let (clock, seconds) = part.split_once('=').unwrap_or(("both", part));
            let seconds: i64 = seconds.parse().map_err(|_| format!("'{part}': not a number of seconds"))?;
            match clock {
                "both" => offsets = Offsets { monotonic: seconds, boottime: seconds },
                "monotonic" => offsets.monotonic = seconds,
                "boottime" => offsets.boottime = seconds,
                other => return Err(format!("'{other}': there are the clocks monotonic and boottime")),
            }
        }
        Ok(offsets)
    }
}

impl fmt::Display for Offsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "monotonic={},boottime={}", self.monotonic, self.boottime)
    }
}

/// Makes a time namespace, which the children of this process will be in; from Linux 6.3 on, this process too, when
/// it next becomes another program.
pub fn unshare_clocks(offsets: Offsets) -> Result<()> {
    let time = CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
    kernel::unshare(time, "clocks of its own, for the processes to come")?;
    let lines = format!("monotonic {} 0\nboottime {} 0\n", offsets.monotonic, offsets.boottime);
    kernel::write_map("self", "timens_offsets", &lines, "how far they are from the machine's")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_for_both_clocks_or_for_one() {
        assert_eq!("60".parse(), Ok(Offsets { monotonic: 60, boottime: 60 }));
        assert_eq!("boottime=-5".parse(), Ok(Offsets { monotonic: 0, boottime: -5 }));
        assert_eq!("monotonic=1,boottime=2".parse(), Ok(Offsets { monotonic: 1, boottime: 2 }));
        assert_eq!("x".parse::<Offsets>(), Err("'x': not a number of seconds".to_owned()));
        assert_eq!(
            "realtime=1".parse::<Offsets>(),
            Err("'realtime': there are the clocks monotonic and boottime".into())
        );
    }
}
