//! Who forbids a thing that the kernel itself would allow: a container engine, a security module, a filter.

use super::apparmor;
use super::finding::Advice;
use super::machine::Machine;
use super::surroundings::Engine;

/// Why a call was refused with EPERM or EACCES, as far as what surrounds this process explains it.
///
/// `of_user_namespace`: it was a step into a user namespace or a use of its capabilities, which Ubuntu restricts.
pub fn explain(machine: &Machine, of_user_namespace: bool) -> Advice {
    let restricted = machine.sysctl("kernel.apparmor_restrict_unprivileged_userns").is_some_and(|value| value != 0);
    if of_user_namespace && restricted && !machine.is_root() && machine.apparmor.is_none() {
        return apparmor::restricted(machine);
    }
    if let Some(engine) = &machine.engine {
        let means = format!("This is {engine}, and its engine forbids it. {}", which(machine));
        return Advice::new(means.trim_end(), lift(engine, machine));
    }
    if let Some(profile) = &machine.apparmor {
        return Advice::new(
            format!("The AppArmor profile {profile}, under which this process runs, forbids it."),
            ["# start from a terminal that is not part of a confined program, such as a snap; or:", "ssh localhost"],
        );
    }
    if machine.seccomp {
        return Advice::new(
            "A seccomp filter that this process inherited forbids it: whatever started your shell put it there \
             (a sandbox, or a systemd unit with RestrictNamespaces= or SystemCallFilter=).",
            ["# find the first parent that has it, and start from outside of it:", "grep Seccomp: /proc/$PPID/status"],
        );
    }
    if machine.selinux {
        return Advice::new(
            "SELinux is enforcing, and may have forbidden it.",
            ["sudo ausearch -m AVC -ts recent", "# if it says so, until the next boot:", "sudo setenforce 0"],
        );
    }
    if machine.is_root() {
        return Advice::new(
            "You are root without the capabilities of root: whatever started your shell took them away.",
            ["grep Cap /proc/self/status", "# start from a login of root's own, or as an ordinary user"],
        );
    }
    Advice::new(
        "Neither a kernel setting nor a container explains it. A chroot does too, and so may a security module.",
        [
            "ls -di /          # in a chroot this is often not 2 (ext4), 128 (xfs) or 256 (btrfs)",
            "cat /sys/kernel/security/lsm",
            "sudo dmesg | tail",
        ],
    )
}

fn which(machine: &Machine) -> String {
    let seccomp = machine.seccomp.then(|| "its seccomp filter".to_owned());
    let apparmor = machine.apparmor.as_ref().map(|profile| format!("its AppArmor profile ({profile})"));
    let found: Vec<String> = seccomp.into_iter().chain(apparmor).collect();
    if found.is_empty() { String::new() } else { format!("Active here: {}.", found.join(", ")) }
}

/// How to start the container so that containers can be made in it.
pub fn lift(engine: &Engine, machine: &Machine) -> Vec<String> {
    let capabilities = if machine.is_root() { " --cap-add SYS_ADMIN --cap-add NET_ADMIN" } else { "" };
    let lines: &[&str] = match engine {
        Engine::Docker => &[
            &format!(
                "docker run{capabilities} --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
                 --security-opt systempaths=unconfined …"
            ),
            "# in a dev container, in .devcontainer/devcontainer.json, and rebuild it:  \"privileged\": true",
        ],
        Engine::Podman => &[&format!(
            "podman run{capabilities} --security-opt seccomp=unconfined --security-opt unmask=ALL \
             --security-opt label=disable …"
        )],
        Engine::Codespace => &[
            "# in .devcontainer/devcontainer.json, on a line of its own:  \"privileged\": true,",
            "gh codespace rebuild --full",
        ],
        Engine::Kubernetes => &["# in the pod's specification:  securityContext: { privileged: true }"],
        Engine::Lxc => &[
            "# on the host, with the container's name:",
            "incus config set NAME security.nesting=true && incus restart NAME",
            "# where it is LXD instead of Incus:",
            "lxc config set NAME security.nesting=true && lxc restart NAME",
            "# where it is Proxmox, with the container's number:",
            "pct set NUMBER --features nesting=1 && pct reboot NUMBER",
        ],
        Engine::Other(_) => &["# use the machine itself, or a virtual machine"],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(engine: Option<Engine>, apparmor: Option<&str>, seccomp: bool) -> Machine {
        Machine { uid: 1000, engine, apparmor: apparmor.map(str::to_owned), seccomp, ..Machine::default() }
    }

    #[test]
    fn docker_is_told_to_let_go_of_each_part() {
        let advice = explain(&machine(Some(Engine::Docker), Some("docker-default"), true), true);
        assert!(advice.means.contains("a Docker container"), "{advice:?}");
        assert!(advice.means.contains("its seccomp filter, its AppArmor profile (docker-default)"), "{advice:?}");
        for option in ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"] {
            assert!(advice.fix[0].contains(option), "{advice:?}");
        }
        assert!(!advice.fix[0].contains("--cap-add"), "an ordinary user gets capabilities from the namespace");
    }

    #[test]
    fn root_in_a_container_lacks_capabilities() {
        let advice = explain(&Machine { uid: 0, ..machine(Some(Engine::Docker), None, true) }, false);
        assert!(advice.fix[0].contains("--cap-add SYS_ADMIN"), "{advice:?}");
    }

    #[test]
    fn a_restriction_of_the_host_is_not_blamed_on_a_confined_container() {
        let mut inside = machine(Some(Engine::Docker), Some("docker-default"), true);
        inside.sysctls.insert("kernel.apparmor_restrict_unprivileged_userns", 1);
        assert!(explain(&inside, true).means.contains("Docker"));
    }

    #[test]
    fn without_a_container_the_filter_or_the_module_is_named() {
        assert!(explain(&machine(None, Some("snap.code.code"), true), true).means.contains("snap.code.code"));
        assert!(explain(&machine(None, None, true), true).means.contains("seccomp filter"));
        assert!(explain(&Machine { selinux: true, ..machine(None, None, false) }, true).means.contains("SELinux"));
        assert!(explain(&machine(None, None, false), true).means.contains("A chroot does too"));
    }
}
