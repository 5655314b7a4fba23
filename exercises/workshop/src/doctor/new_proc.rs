//! A new `/proc` for a new PID namespace, and a new `/sys` for a new network namespace.
//!
//! Both file systems show things of the whole machine too. So in a user namespace the kernel mounts a new one
//! only where an old one is fully visible already: had the machine's administrator, or the container engine
//! around us, covered a part of it, then a fresh copy would uncover that part (mount_namespaces(7) does not say
//! so; fs/namespace.c does, in `mount_too_revealing`).

use look::kernel::{self, CloneFlags, MsFlags};
use look::mountinfo::{Mount, mounts_of};
use nix::errno::Errno;
use nix::unistd::Pid;

use super::child::{Attempt, Refusal, in_child, own_mounts};
use super::confinement::{self, lift};
use super::finding::{Advice, Finding, Subject};
use super::machine::Machine;
use super::needs::Requirement;
use super::{mount_namespace, user_namespace};

const DID: &str = "mounted a new /proc in new mount and PID namespaces, as their PID 1";

const SYS: Subject = Subject {
    name: "new /sys",
    did: "mounted a new /sys in new mount and network namespaces",
    from_chapter: 2,
    serves: None,
};

const QUIET: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

/// Mounts a `/proc` as the first process of a PID namespace.
pub fn enter() -> Attempt {
    kernel::unshare(CloneFlags::CLONE_NEWPID, "the next child is its PID 1")?;
    in_child(|| Ok(kernel::mount("proc", "/proc", "proc", QUIET, "", "a /proc of that namespace")?))
}

/// Tries `/proc`.
pub fn probe(machine: &Machine) -> Finding {
    Requirement::NewProc.probe(DID, "mounted", machine)
}

/// Tries `/sys`.
pub fn probe_sys(machine: &Machine) -> Finding {
    let attempt: Attempt = in_child(|| {
        own_mounts()?;
        kernel::unshare(CloneFlags::CLONE_NEWNET, "the links in /sys are those of a network namespace")?;
        Ok(kernel::mount("sysfs", "/sys", "sysfs", QUIET, "", "a /sys of that namespace")?)
    });
    match attempt {
        Ok(()) => SYS.ok("mounted"),
        Err(refusal) => SYS.warn(&refusal, why(&refusal, machine)),
    }
}

/// What stands in the way.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    let covered = mounts_of(Pid::this()).map(|mounts| covers(&mounts, place(refusal))).unwrap_or_default();
    explain(refusal, &covered, machine)
}

/// Where the file system was to be mounted.
fn place(refusal: &Refusal) -> &'static str {
    if refusal.object.contains("/sys") { "/sys" } else { "/proc" }
}

/// What is mounted over parts of `place`. What the kernel itself provides as a mount point hides nothing.
fn covers(mounts: &[Mount], place: &str) -> Vec<String> {
    let below = format!("{place}/");
    let harmless = |target: &str| {
        target == "/proc/sys/fs/binfmt_misc" || target.starts_with("/sys/fs/") || target.starts_with("/sys/kernel/")
    };
    let targets = mounts.iter().map(|mount| mount.target.as_str());
    targets.filter(|target| target.starts_with(&below) && !harmless(target)).map(str::to_owned).collect()
}

fn explain(refusal: &Refusal, covered: &[String], machine: &Machine) -> Advice {
    let place = place(refusal);
    if refusal.call == "unshare" && refusal.errno() == Some(Errno::ENOSPC) && refusal.object != "NEWUSER" {
        let kind = if place == "/sys" { "user.max_net_namespaces" } else { "user.max_pid_namespaces" };
        return user_namespace::limit(kind, machine);
    }
    let of_the_file_system = refusal.call == "mount" && refusal.object.contains(place);
    match refusal.errno() {
        Some(Errno::EPERM) if of_the_file_system => {}
        // A security module answers EACCES; the rule about visible parts never does.
        Some(Errno::EACCES) if of_the_file_system => return confinement::explain(machine, true),
        _ => return mount_namespace::why(refusal, machine),
    }
    let parts = match covered {
        [] => "it is mounted read-only, or in parts".to_owned(),
        some => format!("covered here: {}", shortened(some)),
    };
    let means = format!(
        "The kernel mounts a new {place} in a user namespace only where the one around it is fully visible; {parts}."
    );
    match &machine.engine {
        Some(engine) => {
            Advice::new(format!("{means} {} does this.", capital(&engine.to_string())), lift(engine, machine))
        }
        None => Advice::new(
            means,
            [format!("grep ' {place}' /proc/self/mountinfo"), "# unmount what covers it, or start from outside".into()],
        ),
    }
}

fn shortened(targets: &[String]) -> String {
    match targets {
        [a, b, c, _, ..] => format!("{a}, {b}, {c} and {} more", targets.len() - 3),
        few => few.join(", "),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::surroundings::Engine;

    fn mounted(targets: &[&str]) -> Vec<Mount> {
        let mount = |target: &&str| Mount {
            id: 1,
            parent: 1,
            root: "/".into(),
            target: (*target).into(),
            fstype: "tmpfs".into(),
            source: "x".into(),
            options: vec![],
            propagation: vec![],
        };
        targets.iter().map(mount).collect()
    }

    #[test]
    fn what_covers_proc_and_what_belongs_there() {
        let docker = ["/", "/proc", "/proc/bus", "/proc/sys", "/proc/kcore", "/proc/keys", "/sys/firmware"];
        assert_eq!(covers(&mounted(&docker), "/proc").len(), 4);
        assert_eq!(covers(&mounted(&docker), "/sys"), ["/sys/firmware"]);
        let host = ["/", "/proc", "/proc/sys/fs/binfmt_misc", "/sys/fs/cgroup", "/sys/kernel/security", "/process"];
        assert_eq!(covers(&mounted(&host), "/proc"), [""; 0]);
        assert_eq!(covers(&mounted(&host), "/sys"), [""; 0]);
    }

    #[test]
    fn a_covered_proc_is_told_with_what_covers_it() {
        let covered: Vec<String> = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"].map(str::to_owned).into();
        let refusal = Refusal::new("mount", "proc on /proc", Errno::EPERM);
        let inside = Machine { uid: 1000, engine: Some(Engine::Docker), ..Machine::default() };
        let advice = explain(&refusal, &covered, &inside);
        assert!(advice.means.contains("/proc/bus, /proc/fs, /proc/irq and 1 more"), "{advice:?}");
        assert!(advice.means.ends_with("A Docker container does this."), "{advice:?}");
        assert!(advice.fix[0].contains("systempaths=unconfined"), "{advice:?}");
        let bare = explain(&refusal, &covered, &Machine { uid: 1000, ..Machine::default() });
        assert_eq!(bare.fix[0], "grep ' /proc' /proc/self/mountinfo");
    }

    #[test]
    fn a_limit_on_pid_namespaces_is_not_one_on_user_namespaces() {
        let mut machine = Machine { uid: 1000, ..Machine::default() };
        machine.sysctls.insert("user.max_pid_namespaces", 0);
        let advice = explain(&Refusal::new("unshare", "NEWPID", Errno::ENOSPC), &[], &machine);
        assert!(advice.means.contains("user.max_pid_namespaces"), "{advice:?}");
    }
}
