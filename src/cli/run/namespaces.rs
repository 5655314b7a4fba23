//! Options about what a container sees: chapter 2.

use anyhow::{Result, bail};
use clap::{Arg, ArgMatches};

use crate::cli::options::{flag, parsed, text, value};
use crate::container::{Mode, Wanted};

/// The options.
pub fn arguments() -> [Arg; 8] {
    [
        value("network", "none|host|container:NAME", "Whose network [default: its own, with a loopback link only]")
            .alias("net"),
        value("pid", "host|container:NAME", "Whose processes it sees [default: its own]"),
        value("ipc", "private|host|container:NAME", "Whose shared memory and message queues [default: private]"),
        value("uts", "host", "Share the machine's host name"),
        value("cgroupns", "private|host", "Where its cgroups seem to begin [default: private]"),
        value("userns", "host|keep-id", "Which ids it has: keep-id keeps yours (ordinary users)"),
        value("time-offset", "[CLOCK=]SECONDS", "Clocks of its own, this far from the machine's: boottime, monotonic"),
        flag("init", "Put an init in front of the command: it reaps zombies and passes on signals"),
    ]
}

/// What they say.
pub fn read(matches: &ArgMatches) -> Result<Wanted> {
    let hostname = text(matches, "hostname").is_some_and(|name| !name.is_empty());
    let wanted = Wanted {
        net: mode(matches, "network", &["none", "host", "container"])?,
        pid: mode(matches, "pid", &["private", "host", "container"])?,
        ipc: mode(matches, "ipc", &["private", "shareable", "host", "container"])?,
        uts: mode(matches, "uts", &["private", "host"])?,
        cgroup: mode(matches, "cgroupns", &["private", "host"])?,
        user: mode(matches, "userns", &["private", "host", "keep-id"])?,
        clocks: parsed(matches, "time-offset", |text| text.parse().map_err(anyhow::Error::msg))?,
    };
    if hostname && wanted.uts == Mode::Host {
        bail!("conflicting options: hostname and the UTS mode: with --uts host the name is the machine's");
    }
    if hostname && matches!(wanted.net, Mode::Of(_)) {
        bail!("conflicting options: hostname and the network mode: the name is the other container's");
    }
    Ok(wanted)
}

/// Reads whose namespace is wanted. `known` are the words that this option takes.
fn mode(matches: &ArgMatches, option: &str, known: &[&str]) -> Result<Mode> {
    // Nothing stands for the default, as when a variable in a script is empty.
    let Some(given) = text(matches, option).filter(|given| !given.is_empty()) else { return Ok(Mode::Own) };
    let (word, name) = given.split_once(':').map_or((given, None), |(word, name)| (word, Some(name)));
    Ok(match (word, name) {
        _ if !known.contains(&word) => bail!("--{option} {given}: {}", refusal(option, known)),
        ("container", Some(name)) if !name.is_empty() => Mode::Of(name.to_owned()),
        ("host", None) => Mode::Host,
        ("keep-id", None) => Mode::Kept,
        ("container", _) | (_, Some(_)) => bail!("--{option} {given}: a container is named as container:NAME"),
        _ => Mode::Own,
    })
}

fn refusal(option: &str, known: &[&str]) -> String {
    let known = known.join(", ").replace("container", "container:NAME");
    match option {
        "network" => format!("there are no networks to connect to yet (chapter 6); there are {known}"),
        _ => format!("invalid mode; there are {known}"),
    }
}
