//! To be root of something: user_namespaces(7).

use look::kernel;
use nix::errno::Errno;

use super::child::{Attempt, Refusal, become_root, in_child, own_user_namespace};
use super::confinement;
use super::finding::{Advice, Finding, Outcome, Subject};
use super::machine::Machine;
use super::needs::Requirement;
use super::surroundings::Wsl;

const DID: &str = "became root of a new user namespace (an ordinary user) and used a capability there: chroot /";

/// Becomes root, of a user namespace where need be, and uses a capability of root.
pub fn enter() -> Attempt {
    become_root()?;
    Ok(kernel::chroot("/", "only CAP_SYS_CHROOT may")?)
}

/// Tries it; as root tries a user namespace too, which from chapter 8 on root's containers are in.
pub fn probe(machine: &Machine) -> Finding {
    if !machine.is_root() {
        return Requirement::UserNamespaces.probe(DID, "made, mapped, and its capabilities work", machine);
    }
    let found = Requirement::UserNamespaces.probe(DID, "you are root and need none; it can be made too", machine);
    match in_child(own_user_namespace) {
        Err(refusal) if found.outcome == Outcome::Ok => {
            let mut advice = why(&refusal, machine);
            advice.means.insert_str(0, "You are root, so it is only needed from chapter 8 on. ");
            Subject { name: found.name, did: DID, from_chapter: 8, serves: None }.warn(refusal, advice)
        }
        _ => found,
    }
}

/// What stands in the way, from the step that failed, the kernel's answer and the machine's settings.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    if machine.wsl == Some(Wsl::One) {
        return wsl_one();
    }
    let making = refusal.call == "unshare";
    match refusal.errno() {
        // EUSERS is what kernels before 4.9 said.
        Some(Errno::ENOSPC | Errno::EUSERS) if making => limit("user.max_user_namespaces", machine),
        Some(Errno::EINVAL | Errno::ENOSYS) if making => Advice::new(
            "This kernel was built without user namespaces (CONFIG_USER_NS).",
            ["# install your distribution's standard kernel; until then, be root:", "sudo -s"],
        ),
        Some(Errno::EPERM | Errno::EACCES) => forbidden(making, machine),
        _ => Advice::only("This answer is not among those that the manual page user_namespaces(7) speaks of."),
    }
}

/// Who forbids it. Asked for in the order in which the kernel asks.
fn forbidden(making: bool, machine: &Machine) -> Advice {
    if making && !machine.is_root() && machine.sysctl("kernel.unprivileged_userns_clone") == Some(0) {
        return setting(
            "This Debian, or hardened, kernel keeps user namespaces for root.",
            "kernel.unprivileged_userns_clone",
            1,
        );
    }
    if making && machine.chrooted {
        return Advice::new(
            "You are in a chroot, and the kernel gives no user namespace to a process whose root is not that of \
             its mount namespace: it could use it to get out.",
            [
                "# leave the chroot; or enter that tree with a pivot_root instead, from outside, DIR being its place:",
                "sudo systemd-nspawn -D DIR",
            ],
        );
    }
    confinement::explain(machine, true)
}

/// `name` is zero, or used up.
pub fn limit(name: &'static str, machine: &Machine) -> Advice {
    match machine.sysctl(name) {
        Some(0) => setting("This machine allows nobody any (its limit is zero).", name, 15_000),
        at_most => {
            let at_most = at_most.map(|value| format!(" ({value})")).unwrap_or_default();
            Advice::new(
                format!(
                    "The limit{at_most} is used up, here or in a user namespace around this one, or they are 32 deep."
                ),
                ["lsns".to_owned(), format!("sudo sysctl -w {name}=60000")],
            )
        }
    }
}

/// How to change a kernel setting, now and for good.
pub fn setting(means: &str, name: &str, value: i64) -> Advice {
    Advice::new(
        format!("{means} The setting is {name}; in a container it is the host's."),
        [
            "# until the next boot:".to_owned(),
            format!("sudo sysctl -w {name}={value}"),
            "# and for good:".to_owned(),
            format!("echo '{name} = {value}' | sudo tee /etc/sysctl.d/60-tinbox-userns.conf"),
        ],
    )
}

/// What WSL1 means, and how to have a kernel.
pub fn wsl_one() -> Advice {
    Advice::new(
        "This is WSL 1, in which Windows answers the system calls. It has no namespaces, so no containers.",
        ["# in PowerShell, with the name that `wsl --list` shows:", "wsl --set-version NAME 2"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::surroundings::Engine;

    fn machine(sysctls: &[(&'static str, i64)]) -> Machine {
        let target = "/home/me/tinbox/target".into();
        Machine { uid: 1000, target, sysctls: sysctls.iter().copied().collect(), ..Machine::default() }
    }

    fn told(call: &str, errno: Errno, machine: &Machine) -> String {
        let advice = why(&Refusal::new(call, "x", errno), machine);
        format!("{}\n{}", advice.means, advice.fix.join("\n"))
    }

    const UBUNTU: (&str, i64) = ("kernel.apparmor_restrict_unprivileged_userns", 1);
    const DEBIAN: (&str, i64) = ("kernel.unprivileged_userns_clone", 0);

    #[test]
    fn each_answer_has_its_cause() {
        let table: &[(&str, Errno, Machine, &str)] = &[
            ("unshare", Errno::ENOSPC, machine(&[("user.max_user_namespaces", 0)]), "user.max_user_namespaces=15000"),
            ("unshare", Errno::ENOSPC, machine(&[("user.max_user_namespaces", 9)]), "The limit (9) is used up"),
            ("unshare", Errno::EINVAL, machine(&[]), "CONFIG_USER_NS"),
            ("unshare", Errno::EPERM, machine(&[DEBIAN]), "sysctl -w kernel.unprivileged_userns_clone=1"),
            ("unshare", Errno::EPERM, machine(&[DEBIAN, UBUNTU]), "kernel.unprivileged_userns_clone"),
            ("unshare", Errno::EPERM, machine(&[UBUNTU]), "/etc/apparmor.d/tinbox"),
            ("unshare", Errno::EACCES, machine(&[UBUNTU]), "/etc/apparmor.d/tinbox"),
            ("write setgroups", Errno::EACCES, machine(&[UBUNTU]), "/etc/apparmor.d/tinbox"),
            ("write uid_map", Errno::EPERM, machine(&[UBUNTU]), "profile tinbox \"/home/me/tinbox/target/**\""),
            ("write uid_map", Errno::EACCES, machine(&[UBUNTU]), "sudo apparmor_parser -r"),
            ("write uid_map", Errno::EPERM, machine(&[DEBIAN, UBUNTU]), "apparmor_restrict_unprivileged_userns=0"),
            ("chroot", Errno::EPERM, machine(&[UBUNTU]), "sudo tee /etc/sysctl.d/60-tinbox-userns.conf"),
            ("unshare", Errno::EPERM, Machine { chrooted: true, ..machine(&[]) }, "You are in a chroot"),
            ("unshare", Errno::EPERM, Machine { seccomp: true, ..machine(&[]) }, "A seccomp filter"),
            (
                "unshare",
                Errno::EPERM,
                Machine { seccomp: true, engine: Some(Engine::Docker), ..machine(&[]) },
                "--security-opt seccomp=unconfined",
            ),
            (
                "unshare",
                Errno::EPERM,
                Machine { engine: Some(Engine::Codespace), seccomp: true, ..machine(&[]) },
                "\"privileged\": true",
            ),
            ("unshare", Errno::EINVAL, Machine { wsl: Some(Wsl::One), ..machine(&[]) }, "wsl --set-version NAME 2"),
            ("unshare", Errno::EIO, machine(&[]), "not among those"),
        ];
        for (call, errno, machine, expected) in table {
            let told = told(call, *errno, machine);
            assert!(told.contains(expected), "{call} {errno} should tell {expected:?}, but tells:\n{told}");
        }
    }

    #[test]
    fn a_permitted_setting_is_not_blamed() {
        let allowed = machine(&[("kernel.unprivileged_userns_clone", 1), (UBUNTU.0, 0)]);
        let told = told("unshare", Errno::EPERM, &allowed);
        assert!(!told.contains("apparmor.d") && !told.contains("userns_clone"), "{told}");
    }

    #[test]
    fn what_is_for_ordinary_users_is_not_blamed_for_root() {
        let root = Machine { uid: 0, ..machine(&[DEBIAN, UBUNTU]) };
        let told = told("unshare", Errno::EPERM, &root);
        assert!(!told.contains("apparmor.d") && !told.contains("userns_clone"), "{told}");
    }
}
