//! What this system runs in: WSL, a container, a codespace. Each is recognised by a mark that it leaves.

use std::path::Path;

use serde::Serialize;

/// A Windows Subsystem for Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Wsl {
    /// Windows that answers Linux system calls. It has no namespaces.
    One,
    /// A Linux kernel in a virtual machine.
    Two,
}

/// Whose container this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Engine {
    /// A GitHub codespace or another dev container in the cloud: Docker, with a configuration file of its own.
    Codespace,
    /// A pod.
    Kubernetes,
    /// Docker, dev containers of an editor included.
    Docker,
    /// Podman, toolbx and distrobox included.
    Podman,
    /// LXC, LXD or Incus.
    Lxc,
    /// Something else, by the name that it gives itself.
    Other(String),
}

/// Tells the two generations of WSL apart from `release` (uname -r) and the variable `WSL_INTEROP`, which only
/// the second sets and which a kernel of one's own does not hide.
pub fn wsl(release: &str, interop: bool, distribution: bool) -> Option<Wsl> {
    let lower = release.to_ascii_lowercase();
    if interop || lower.contains("wsl2") || lower.contains("microsoft-standard") {
        Some(Wsl::Two)
    } else if release.ends_with("-Microsoft") || distribution {
        Some(Wsl::One)
    } else {
        None
    }
}

/// Finds out whose container the files below `root` and the environment speak of, if any.
pub fn engine(root: &Path, variable: impl Fn(&str) -> Option<String>) -> Option<Engine> {
    let exists = |path: &str| root.join(path).exists();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    if variable("CODESPACES").is_some_and(|value| value == "true") {
        return Some(Engine::Codespace);
    }
    if variable("KUBERNETES_SERVICE_HOST").is_some() {
        return Some(Engine::Kubernetes);
    }
    if exists(".flatpak-info") {
        return Some(Engine::Other("flatpak".into()));
    }
    // A file can have been carried along from a container's root to a machine's; these mounts cannot.
    let names_mounted = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].map(|file| format!(" {file} "));
    let mounts = read("proc/self/mountinfo");
    if names_mounted.iter().any(|file| mounts.contains(file)) {
        if exists("run/.containerenv") {
            return Some(Engine::Podman);
        }
        if exists(".dockerenv") {
            return Some(Engine::Docker);
        }
    }
    let of_init = read("proc/1/environ");
    let of_init = of_init.split('\0').find_map(|pair| pair.strip_prefix("container="));
    let declared = [read("run/systemd/container").trim().to_owned(), of_init.unwrap_or_default().to_owned()]
        .into_iter()
        .chain(variable("container"))
        .find(|name| !name.is_empty() && name != "wsl");
    declared.map(named).or_else(|| by_cgroup(&read("proc/1/cgroup")))
}

/// The word that systemd's Container Interface asks engines to give.
fn named(word: String) -> Engine {
    match word.as_str() {
        "docker" => Engine::Docker,
        "podman" | "oci" => Engine::Podman,
        "lxc" | "lxc-libvirt" => Engine::Lxc,
        _ => Engine::Other(word),
    }
}

/// The cgroup of PID 1, where the container has no cgroup namespace: `4:memory:/docker/0123…`.
fn by_cgroup(of_init: &str) -> Option<Engine> {
    let marks = [
        ("kubepods", Engine::Kubernetes),
        ("libpod-", Engine::Podman),
        ("/docker", Engine::Docker),
        ("/lxc", Engine::Lxc),
        ("/machine.slice/", Engine::Other("systemd-nspawn".into())),
    ];
    let path = |line: &str| line.splitn(3, ':').nth(2).unwrap_or_default().to_owned();
    of_init
        .lines()
        .map(path)
        .find_map(|path| marks.iter().find(|(mark, _)| path.contains(mark)).map(|(_, engine)| engine.clone()))
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Engine::Codespace => "a codespace",
            Engine::Kubernetes => "a Kubernetes pod",
            Engine::Docker => "a Docker container",
            Engine::Podman => "a Podman container",
            Engine::Lxc => "an LXC container",
            Engine::Other(name) => return write!(f, "a container ({name})"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_of_wsl() {
        for (release, interop, distribution, expected) in [
            ("4.4.0-19041-Microsoft", false, true, Some(Wsl::One)),
            ("5.15.153.1-microsoft-standard-WSL2", true, true, Some(Wsl::Two)),
            ("5.15.153.1-microsoft-standard-WSL2", false, false, Some(Wsl::Two)),
            ("6.6.0-of-my-own", true, true, Some(Wsl::Two)),
            ("6.8.0-45-generic", false, false, None),
            ("6.1.0-1-azure-microsoft", false, false, None),
        ] {
            assert_eq!(wsl(release, interop, distribution), expected, "{release}");
        }
    }

    fn in_tree(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Option<Engine> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        engine(root.path(), find)
    }

    #[test]
    fn each_engine_by_the_mark_it_leaves() {
        let hosts = ("proc/self/mountinfo", "9 8 8:1 /containers/0123/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n");
        assert_eq!(in_tree(&[(".dockerenv", ""), hosts], &[]), Some(Engine::Docker));
        assert_eq!(in_tree(&[(".dockerenv", "")], &[("CODESPACES", "true")]), Some(Engine::Codespace));
        assert_eq!(in_tree(&[("run/.containerenv", "engine=\"podman-4.3\""), hosts], &[]), Some(Engine::Podman));
        assert_eq!(in_tree(&[], &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]), Some(Engine::Kubernetes));
        assert_eq!(in_tree(&[("proc/1/environ", "TERM=x\0container=lxc\0")], &[]), Some(Engine::Lxc));
        assert_eq!(in_tree(&[("proc/1/cgroup", "4:memory:/docker/0123\n")], &[]), Some(Engine::Docker));
        assert_eq!(in_tree(&[("proc/1/cgroup", "0::/kubepods.slice/x\n")], &[]), Some(Engine::Kubernetes));
        assert_eq!(
            in_tree(&[("run/systemd/container", "systemd-nspawn\n")], &[]),
            Some(Engine::Other("systemd-nspawn".into()))
        );
    }

    #[test]
    fn a_machine_is_not_a_container() {
        assert_eq!(in_tree(&[("proc/1/cgroup", "0::/init.scope\n"), ("proc/1/environ", "HOME=/\0")], &[]), None);
        assert_eq!(in_tree(&[("run/systemd/container", "wsl\n")], &[]), None);
        assert_eq!(in_tree(&[], &[("CODESPACES", "false")]), None);
        assert_eq!(in_tree(&[(".dockerenv", "")], &[]), None, "a disk made from an image");
    }
}
