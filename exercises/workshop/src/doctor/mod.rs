//! `doctor`: what this machine lets you do, found out by doing it.
//!
//! Whether a container can be made here depends on the kernel, on its settings, on security modules, and on the
//! container or virtual machine that you may be in already. A version number tells little of that. So each probe
//! does the thing itself, in a child process and in namespaces that end with it ([`child`]), and keeps what the
//! kernel answered. Only when something is refused are settings read ([`machine`]), to say why, and what to type.
//!
//! Every probe is a function that gives a [`Finding`]; one that exercises depend on is also a [`Requirement`],
//! which [`blocked_by`] tries before each check. The reasoning from an answer and the settings to the words is in
//! functions without side effects (`why`), tested with tables of answers of machines that are not at hand.
//!
//! | file                                             | what it proves                                       |
//! |--------------------------------------------------|------------------------------------------------------|
//! | `kernel_calls.rs`                                | the calls that older kernels lack                    |
//! | `user_namespace.rs`, `apparmor.rs`               | being root of something                              |
//! | `mount_namespace.rs`, `new_proc.rs`              | mounting, and a new `/proc` and `/sys`               |
//! | `network.rs`                                     | a network namespace                                  |
//! | `id_ranges.rs`                                   | more than one id for an ordinary user                |
//! | `directories.rs`, `overlay.rs`                   | where things are built and kept, and layers there    |
//! | `deletions.rs`                                   | what a layer deletes                                 |
//! | `own_cgroup.rs`                                  | a cgroup to make others in                           |
//! | `cgroups.rs`, `cgroup_limits.rs`, `cgroup_advice.rs` | limits                                           |
//! | `forwarding.rs`, `nftables.rs`, `legacy_iptables.rs` | that nobody drops a container's packets          |
//! | `place.rs`, `surroundings.rs`, `os.rs`           | nothing: what this system is, and what it runs in    |

mod apparmor;
mod cgroup_advice;
mod cgroup_limits;
mod cgroups;
mod child;
mod confinement;
mod deletions;
mod directories;
mod finding;
mod forwarding;
mod id_ranges;
mod kernel_calls;
mod legacy_iptables;
mod machine;
mod mount_namespace;
mod needs;
mod network;
mod new_proc;
mod nftables;
mod os;
mod overlay;
mod own_cgroup;
mod place;
mod report;
mod surroundings;
#[cfg(test)]
mod tests;
mod user_namespace;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};

pub use needs::{Requirement, blocked_by};

use crate::format;
use finding::{Advice, Finding};
use machine::Machine;
use report::Report;

/// `doctor` and its options.
pub fn command() -> Command {
    Command::new("doctor")
        .about("Find out what this machine lets you do, and how to change what it does not")
        .arg(format::argument())
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .help("Say of everything what was done and answered, not only of what is not well")
                .action(ArgAction::SetTrue),
        )
        .after_help("The status is 0 if nothing that today's exercises need is blocked here, else 2.")
}

/// Examines this machine for `exercises`, each with what it needs, and says what it found.
pub fn run(arguments: &ArgMatches, exercises: &[(&str, &[Requirement])]) -> Result<ExitCode> {
    let report = Report::new(examine(&Machine::here()), exercises);
    let text = if format::is_json(arguments) {
        serde_json::to_string_pretty(&report).context("write the report as JSON")? + "\n"
    } else {
        report.as_text(arguments.get_flag("verbose"))
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads may stop: `doctor | head`.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error).context("write the report"),
        _ => {}
    }
    Ok(ExitCode::from(report.status()))
}

fn examine(machine: &Machine) -> Vec<Finding> {
    let mut findings = vec![
        kernel_calls::probe(machine),
        user_namespace::probe(machine),
        mount_namespace::probe(machine),
        network::probe(machine),
        new_proc::probe(machine),
        new_proc::probe_sys(machine),
        directories::probe_target(machine),
        directories::probe_state(machine),
        overlay::probe(machine),
        overlay::probe_in_memory(machine),
        deletions::probe(machine),
        id_ranges::probe(machine),
        own_cgroup::probe(machine),
        cgroups::probe(machine),
        forwarding::probe(machine),
    ];
    findings.insert(0, place::probe(machine, &findings));
    refer_back(&mut findings);
    findings
}

/// What failed at the same step as something before it needs no second explanation.
fn refer_back(findings: &mut [Finding]) {
    for index in 1..findings.len() {
        let (before, rest) = findings.split_at_mut(index);
        let finding = &mut rest[0];
        let same = before.iter().find(|earlier| earlier.advice.is_some() && earlier.said == finding.said);
        if let (Some(earlier), Some(advice)) = (same, &mut finding.advice) {
            *advice = Advice::only(format!("This needs what did not work above: {}.", earlier.name));
        }
    }
}
