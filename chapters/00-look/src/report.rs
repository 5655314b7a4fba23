//! Evidence about one process, for people.

use std::fmt::Write;

use colored::Colorize;
use look::evidence::Place;
use look::{Evidence, Seen};

/// All about `evidence` in lines for a terminal.
pub fn report(evidence: &Evidence) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{} {value}", format!("{name:<14}").bold());
    };
    line("process", format!("{} {} (parent {})", evidence.pid, evidence.command, evidence.parent));
    line(
        "namespaces",
        show(&evidence.namespaces, |all| {
            all.iter().map(|(kind, inode)| format!("{kind}:{inode}")).collect::<Vec<_>>().join("  ")
        }),
    );
    line("root", show(&evidence.root, place));
    line("directory", show(&evidence.cwd, place));
    line(
        "mounts",
        show(&evidence.mounts, |mounts| {
            let shared = mounts.iter().filter(|mount| mount.is_shared()).count();
            let root = mounts.iter().find(|mount| mount.target == "/");
            let root = root.map(|mount| format!("; / is {} ({})", mount.fstype, mount.source)).unwrap_or_default();
            format!("{}, {shared} of them shared{root}", mounts.len())
        }),
    );
    line("user", format!("{} (group {}){}", evidence.ids.uid.effective, evidence.ids.gid.effective, groups(evidence)));
    line(
        "capabilities",
        format!(
            "{} of {}: {}",
            evidence.capabilities.effective.len(),
            look::status::CAPABILITIES.len(),
            few(&evidence.capabilities.effective)
        ),
    );
    line("seccomp", format!("{}{}", evidence.seccomp, if evidence.no_new_privs { ", no new privileges" } else { "" }));
    line(
        "cgroups",
        show(&evidence.cgroups, |all| {
            all.iter()
                .map(|c| format!("{}:{}{}", c.hierarchy, c.path, limits(&c.limits)))
                .collect::<Vec<_>>()
                .join("  ")
        }),
    );
    line(
        "descriptors",
        show(&evidence.descriptors, |all| {
            all.iter().map(|d| format!("{} → {}", d.number, d.target)).collect::<Vec<_>>().join("  ")
        }),
    );
    line(
        "network",
        show(&evidence.network, |network| format!("{}  ({})", network.links.join(" "), network.addresses.join(" "))),
    );
    out
}

fn show<T>(fact: &Seen<T>, text: impl Fn(&T) -> String) -> String {
    match fact {
        Seen::Value(value) => text(value),
        Seen::Hidden(reason) => format!("hidden: {reason}").yellow().to_string(),
    }
}

fn place(place: &Place) -> String {
    format!("{} (device {}, inode {})", place.path, place.device, place.inode)
}

fn groups(evidence: &Evidence) -> String {
    if evidence.ids.groups.is_empty() {
        return String::new();
    }
    format!(", also in groups {:?}", evidence.ids.groups)
}

/// The first few names; the rest is counted.
fn few(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        names if names.len() <= 6 => names.join(" "),
        names => format!("{} and {} more", names[..5].join(" "), names.len() - 5),
    }
}

fn limits(limits: &[(String, String)]) -> String {
    if limits.is_empty() {
        return String::new();
    }
    let limits: Vec<_> = limits.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!(" [{}]", limits.join(" "))
}
