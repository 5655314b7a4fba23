//! The limits as options of a command line, as Docker names them. This chapter's program and `tinbox run` have them
//! from here.

use std::str::FromStr;

use clap::builder::ValueParser;
use clap::{Arg, ArgMatches};

use crate::{Limits, parse_bytes, parse_cpus, parse_memory_swap};

/// One option for each limit.
pub fn arguments() -> Vec<Arg> {
    let option = |name: &'static str, value: &'static str, parser: ValueParser, help: &'static str| {
        // A limit may be -1.
        Arg::new(name).long(name).value_name(value).help(help).value_parser(parser).allow_negative_numbers(true)
    };
    vec![
        option("memory", "BYTES", ValueParser::new(parse_bytes), "Memory, such as 64m").short('m'),
        option(
            "memory-swap",
            "BYTES",
            ValueParser::new(parse_memory_swap),
            "Memory and swap together; -1 for any swap",
        ),
        option(
            "memory-reservation",
            "BYTES",
            ValueParser::new(parse_bytes),
            "Memory that is left to it when it is scarce",
        ),
        option("cpus", "NUMBER", ValueParser::new(parse_cpus), "Processor time, such as 0.5"),
        option(
            "cpu-shares",
            "SHARES",
            ValueParser::new(u64::from_str),
            "Share of processor time when it is scarce; usually 1024",
        )
        .short('c'),
        option("cpu-quota", "µs", ValueParser::new(i64::from_str), "Processor time in each period"),
        option("cpu-period", "µs", ValueParser::new(u64::from_str), "Length of a period"),
        option("cpuset-cpus", "LIST", ValueParser::string(), "Which processors, such as 0-2,5"),
        option("cpuset-mems", "LIST", ValueParser::string(), "Which memory nodes"),
        option("pids-limit", "NUMBER", ValueParser::new(i64::from_str), "Processes and threads; -1 for no limit")
            .visible_alias("pids"),
        option(
            "blkio-weight",
            "WEIGHT",
            ValueParser::new(u16::from_str),
            "Share of the disks when others want them: 10 to 1000",
        ),
    ]
}

/// What was given for [`arguments`].
pub fn limits(given: &ArgMatches) -> Limits {
    Limits {
        memory: given.get_one("memory").copied(),
        memory_swap: given.get_one("memory-swap").copied(),
        memory_reservation: given.get_one("memory-reservation").copied(),
        cpus: given.get_one("cpus").copied(),
        cpu_shares: given.get_one("cpu-shares").copied(),
        cpu_quota: given.get_one("cpu-quota").copied(),
        cpu_period: given.get_one("cpu-period").copied(),
        cpuset_cpus: given.get_one("cpuset-cpus").cloned(),
        cpuset_mems: given.get_one("cpuset-mems").cloned(),
        pids: given.get_one("pids-limit").copied(),
        blkio_weight: given.get_one("blkio-weight").copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Limits, String> {
        let command = clap::Command::new("run").args(arguments());
        let given = command.try_get_matches_from(format!("run {words}").split_whitespace());
        given.map(|given| limits(&given)).map_err(|error| error.to_string())
    }

    #[test]
    fn all_of_them() {
        let words = "-m 64m --memory-swap -1 --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpu-quota -1 \
                     --cpu-period 50000 --cpuset-cpus 0,1 --cpuset-mems 0 --pids-limit -1 --blkio-weight 300";
        let expected = Limits {
            memory: Some(64 << 20),
            memory_swap: Some(-1),
            memory_reservation: Some(32 << 20),
            cpus: Some(500_000_000),
            cpu_shares: Some(512),
            cpu_quota: Some(-1),
            cpu_period: Some(50_000),
            cpuset_cpus: Some("0,1".into()),
            cpuset_mems: Some("0".into()),
            pids: Some(-1),
            blkio_weight: Some(300),
        };
        assert_eq!(read(words).unwrap(), expected);
        assert_eq!(read("").unwrap(), Limits::default());
        assert_eq!(read("--pids 20").unwrap().pids, Some(20));
    }

    #[test]
    fn what_is_no_limit_is_refused_by_name() {
        for words in ["--memory lots", "--cpus -1", "--pids-limit many", "--blkio-weight 70000", "--memory-swap -2"] {
            let (option, value) = words.split_once(' ').unwrap();
            let error = read(words).unwrap_err();
            assert!(error.contains(option) && error.contains(value), "{error}");
        }
    }
}
