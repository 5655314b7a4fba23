//! Why cgroups cannot be made here, and how to be allowed to.

use super::cgroups::Layout;
use super::child::Refusal;
use super::finding::Advice;
use super::machine::Machine;
use super::os::Family;
use super::surroundings::{Engine, Wsl};

const CONSEQUENCE: &str = "Until then containers run without limits.";

/// Why a cgroup v2 tree does not let this user make and limit a cgroup.
pub fn why(refusal: &Refusal, machine: &Machine) -> Advice {
    if let Some(engine) = &machine.engine {
        let fix: &[&str] = match engine {
            Engine::Docker => &["docker run --privileged --cgroupns=private …"],
            Engine::Podman => &["podman run --security-opt unmask=ALL --cgroupns=private …"],
            _ => &[],
        };
        let means = format!("This is {engine}: its cgroups are not yours to change. {CONSEQUENCE}");
        return Advice::new(means, fix.iter().copied());
    }
    if refusal.call == "read" && refusal.errno.is_none() {
        return controllers_missing(refusal, machine);
    }
    if machine.is_root() {
        return Advice::new(
            format!("Even root may not change cgroups here. {CONSEQUENCE}"),
            ["grep cgroup /proc/self/mountinfo   # is it mounted ro?"],
        );
    }
    if machine.systemd {
        return Advice::new(
            format!(
                "The cgroup that you are in belongs to root, as that of a login session does; your own are below \
                 user@{}.service. {CONSEQUENCE}",
                machine.uid
            ),
            [
                "# run what shall have limits in a cgroup of your own:",
                "systemd-run --user --scope -p Delegate=yes bash",
            ],
        );
    }
    Advice::new(
        format!("Nobody has delegated a cgroup to you, and there is no systemd to ask for one. {CONSEQUENCE}"),
        by_hand(&machine.user),
    )
}

fn controllers_missing(refusal: &Refusal, machine: &Machine) -> Advice {
    let means = format!("Your cgroup was delegated without the controllers ({}). {CONSEQUENCE}", refusal.object);
    if machine.systemd && !machine.is_root() {
        return Advice::new(
            means,
            [
                "sudo mkdir -p /etc/systemd/system/user@.service.d",
                "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | \
                 sudo tee /etc/systemd/system/user@.service.d/delegate.conf",
                "sudo systemctl daemon-reload",
                "# log out and in again, then:",
                "systemd-run --user --scope -p Delegate=yes bash",
            ],
        );
    }
    let disabled = "# a controller that is missing at the top was turned off at boot; look for cgroup_disable= in:";
    if machine.is_root() {
        return Advice::new(means, [disabled, "cat /proc/cmdline"]);
    }
    Advice::new(means, by_hand(&machine.user))
}

/// A delegation without systemd: cgroup-v2.rst, "Model of Delegation".
fn by_hand(user: &str) -> Vec<String> {
    let group = format!("/sys/fs/cgroup/{user}");
    vec![
        "echo '+cpu +memory +pids' | sudo tee /sys/fs/cgroup/cgroup.subtree_control".into(),
        format!("sudo mkdir -p {group}"),
        format!("sudo chown {user} {group} {group}/cgroup.procs {group}/cgroup.threads {group}/cgroup.subtree_control"),
        format!("echo $$ | sudo tee {group}/cgroup.procs   # moves this shell there"),
    ]
}

/// What it means that there is no pure v2 tree, and how to have one.
pub fn why_not_v2(layout: &Layout, machine: &Machine) -> Advice {
    let means = match layout {
        Layout::V2(_) => "The cgroup mount shows a part of the tree in which you are not.".to_owned(),
        Layout::Hybrid(_) => {
            "The course teaches cgroup v2, but here v1 has the controllers: as root Tinbox sets limits \
                              through v1, as an ordinary user none."
                .to_owned()
        }
        Layout::V1(_) => "Only cgroup v1 is mounted: as root Tinbox sets limits through it, as an ordinary user none, \
                          and what chapter 3 shows looks different here."
            .to_owned(),
        Layout::None => format!("No cgroup file system is mounted. {CONSEQUENCE}"),
    };
    let fix = match (layout, &machine.engine, machine.wsl) {
        (Layout::None, None, _) => vec!["sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup".to_owned()],
        (Layout::V2(_), ..) | (_, Some(_), _) => Vec::new(),
        (_, None, Some(Wsl::Two)) => vec![
            "# in Windows, in the file %UserProfile%\\.wslconfig:".to_owned(),
            "[wsl2]\nkernelCommandLine = cgroup_no_v1=all".to_owned(),
            "# then, in PowerShell:".to_owned(),
            "wsl --shutdown".to_owned(),
        ],
        _ if machine.systemd => machine.os.boot_with("systemd.unified_cgroup_hierarchy=1", machine.grub),
        _ if machine.os.family() == Family::Alpine => {
            vec!["sudo sed -i 's/^#*rc_cgroup_mode=.*/rc_cgroup_mode=\"unified\"/' /etc/rc.conf && sudo reboot".into()]
        }
        _ => machine.os.boot_with("cgroup_no_v1=all", machine.grub),
    };
    Advice::new(means, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::os::Os;
    use nix::errno::Errno;

    fn text(advice: &Advice) -> String {
        format!("{}\n{}", advice.means, advice.fix.join("\n"))
    }

    fn user() -> Machine {
        Machine { uid: 1000, user: "me".into(), systemd: true, ..Machine::default() }
    }

    #[test]
    fn each_refusal_has_its_cause() {
        let forbidden = Refusal::new("mkdir", "/sys/fs/cgroup/user.slice/x", Errno::EACCES);
        let without = Refusal::wrong("read", "cgroup.controllers", "it has no memory");
        for (refusal, machine, expected) in [
            (&forbidden, user(), "systemd-run --user --scope -p Delegate=yes"),
            (&forbidden, Machine { systemd: false, ..user() }, "sudo chown me /sys/fs/cgroup/me "),
            (&forbidden, Machine { engine: Some(Engine::Docker), ..user() }, "docker run --privileged"),
            (&forbidden, Machine { uid: 0, ..user() }, "Even root"),
            (&without, user(), "Delegate=cpu cpuset io memory pids"),
            (&without, Machine { uid: 0, ..user() }, "cat /proc/cmdline"),
        ] {
            let told = text(&why(refusal, &machine));
            assert!(told.contains(expected), "{refusal} should tell {expected:?}, but tells:\n{told}");
        }
    }

    #[test]
    fn the_way_to_v2_depends_on_the_system() {
        let hybrid = Layout::Hybrid(Vec::new());
        let wsl = Machine { wsl: Some(Wsl::Two), ..user() };
        assert!(text(&why_not_v2(&hybrid, &wsl)).contains("[wsl2]\nkernelCommandLine = cgroup_no_v1=all"));
        let fedora = Machine { os: Os::parse("ID=rhel"), grub: true, ..user() };
        let told = text(&why_not_v2(&hybrid, &fedora));
        assert!(told.contains("grubby --update-kernel=ALL --args=\"systemd.unified_cgroup_hierarchy=1\""), "{told}");
        let plain = Machine { systemd: false, os: Os::parse("ID=debian"), grub: true, ..user() };
        assert!(text(&why_not_v2(&hybrid, &plain)).contains("cgroup_no_v1=all /' /etc/default/grub"));
        let no_grub = Machine { grub: false, ..plain.clone() };
        assert!(text(&why_not_v2(&hybrid, &no_grub)).contains("reboot: cgroup_no_v1=all"));
        let alpine = Machine { os: Os::parse("ID=alpine"), ..no_grub };
        assert!(text(&why_not_v2(&hybrid, &alpine)).contains("/etc/rc.conf"));
        assert!(text(&why_not_v2(&Layout::None, &plain)).contains("mount -t cgroup2"));
    }
}
