//! What a process may take: `--ulimit`, setrlimit(2).

use std::str::FromStr;

use look::Result;
use look::kernel::{self, Resource};
use nix::sys::resource::RLIM_INFINITY;

/// A soft limit, which a process may raise as far as the hard one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulimit {
    resource: Resource,
    soft: u64,
    hard: u64,
}

/// Docker's names, which are those of limits.conf(5).
const NAMES: [(&str, Resource); 15] = [
    ("as", Resource::RLIMIT_AS),
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("fsize", Resource::RLIMIT_FSIZE),
    ("locks", Resource::RLIMIT_LOCKS),
    ("memlock", Resource::RLIMIT_MEMLOCK),
    ("msgqueue", Resource::RLIMIT_MSGQUEUE),
    ("nice", Resource::RLIMIT_NICE),
    ("nofile", Resource::RLIMIT_NOFILE),
    ("nproc", Resource::RLIMIT_NPROC),
    ("rss", Resource::RLIMIT_RSS),
    ("rtprio", Resource::RLIMIT_RTPRIO),
    ("sigpending", Resource::RLIMIT_SIGPENDING),
    ("stack", Resource::RLIMIT_STACK),
];

impl FromStr for Ulimit {
    type Err = String;

    /// `NAME=SOFT[:HARD]`, where -1 is "no limit".
    fn from_str(text: &str) -> std::result::Result<Ulimit, String> {
        let (name, limits) =
            text.split_once('=').ok_or_else(|| format!("invalid ulimit argument: {text}; it is NAME=SOFT[:HARD]"))?;
        let resource = NAMES.iter().find(|(known, _)| *known == name).map(|(_, resource)| *resource);
        let resource = resource.ok_or_else(|| format!("invalid ulimit type: {name}; there are {}", names()))?;
        let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
        let (soft, hard) = (limit(soft)?, limit(hard)?);
        if soft > hard {
            return Err(format!("ulimit {name}: the soft limit must not be higher than the hard one: {limits}"));
        }
        Ok(Ulimit { resource, soft, hard })
    }
}

fn names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

fn limit(text: &str) -> std::result::Result<u64, String> {
    match text {
        "-1" | "unlimited" => Ok(RLIM_INFINITY),
        number => number.parse().map_err(|_| format!("ulimit: '{number}' is no number, and not -1 for no limit")),
    }
}

impl Ulimit {
    /// Sets it for this process, its children, and what they become.
    pub fn apply(&self) -> Result<()> {
        kernel::setrlimit(self.resource, self.soft, self.hard, "as much of it as was asked for")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_both_limits() {
        let both = Ulimit { resource: Resource::RLIMIT_NOFILE, soft: 64, hard: 64 };
        assert_eq!("nofile=64".parse(), Ok(both));
        assert_eq!("nofile=64:-1".parse(), Ok(Ulimit { hard: RLIM_INFINITY, ..both }));
    }

    #[test]
    fn what_is_refused() {
        for (text, says) in [
            ("nofile", "invalid ulimit argument: nofile"),
            ("files=3", "invalid ulimit type: files"),
            ("cpu=2:1", "the soft limit must not be higher"),
            ("cpu=x", "'x' is no number"),
        ] {
            let problem = text.parse::<Ulimit>().unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
    }
}
