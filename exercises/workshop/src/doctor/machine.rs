//! What can be read about this machine before anything is tried: it explains a refusal, it never replaces a try.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};

use super::os::Os;
use super::surroundings::{self, Engine, Wsl};

/// The facts that a diagnosis rests on.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The effective user id.
    pub uid: u32,
    /// Its name, or the number where it has none.
    pub user: String,
    /// Where that user's files are.
    pub home: Option<PathBuf>,
    /// The distribution.
    pub os: Os,
    /// `uname -r`.
    pub release: String,
    /// Which WSL, if it is one.
    pub wsl: Option<Wsl>,
    /// Whose container, if it is one.
    pub engine: Option<Engine>,
    /// The settings of [`SYSCTLS`] that this kernel has.
    pub sysctls: BTreeMap<&'static str, i64>,
    /// A seccomp filter decides on this process's system calls.
    pub seccomp: bool,
    /// Set-user-ID programs give nothing to this process.
    pub no_new_privs: bool,
    /// The AppArmor profile that this process is confined by.
    pub apparmor: Option<String>,
    /// SELinux enforces its policy.
    pub selinux: bool,
    /// The root of this process is not that of its mount namespace.
    pub chrooted: bool,
    /// systemd runs this machine.
    pub systemd: bool,
    /// The kernel's command line is set in `/etc/default/grub`.
    pub grub: bool,
    /// The program that is running.
    pub program: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
}

/// The settings that can forbid what the course does.
const SYSCTLS: [&str; 7] = [
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.unprivileged_userns_clone",
    "user.max_user_namespaces",
    "user.max_mnt_namespaces",
    "user.max_pid_namespaces",
    "user.max_net_namespaces",
    "net.ipv4.ip_forward",
];

impl Machine {
    /// This machine, as this process sees it.
    pub fn here() -> Machine {
        let mut machine = Machine::read(Path::new("/"), geteuid().as_raw(), |name| std::env::var(name).ok());
        let entry = User::from_uid(geteuid()).ok().flatten();
        machine.user = entry.as_ref().map_or_else(|| machine.uid.to_string(), |user| user.name.clone());
        machine.home = machine.home.or(entry.map(|user| user.dir));
        machine.program = std::env::current_exe().unwrap_or_default();
        machine.target = target_of(&machine.program);
        machine
    }

    /// A machine whose files are below `root`, seen by `uid` with an environment.
    pub fn read(root: &Path, uid: u32, variable: impl Fn(&str) -> Option<String>) -> Machine {
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
        let release = read("proc/sys/kernel/osrelease").trim().to_owned();
        let status = read("proc/self/status");
        let flag = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        Machine {
            uid,
            user: uid.to_string(),
            home: variable("HOME").filter(|home| home.starts_with('/')).map(PathBuf::from),
            os: Os::parse(&read("etc/os-release")),
            wsl: surroundings::wsl(&release, variable("WSL_INTEROP").is_some(), variable("WSL_DISTRO_NAME").is_some()),
            engine: surroundings::engine(root, variable),
            release,
            sysctls: SYSCTLS.into_iter().filter_map(|name| Some((name, sysctl(root, name)?))).collect(),
            seccomp: flag("Seccomp:") == Some("2"),
            no_new_privs: flag("NoNewPrivs:") == Some("1"),
            apparmor: confined(&read("proc/self/attr/apparmor/current")),
            selinux: read("sys/fs/selinux/enforce").trim() == "1",
            chrooted: is_chrooted(&read("proc/self/mountinfo"), &read("proc/1/mountinfo")),
            grub: root.join("etc/default/grub").exists(),
            systemd: root.join("run/systemd/system").is_dir(),
            program: PathBuf::new(),
            target: PathBuf::new(),
        }
    }

    /// Whether this is root, who needs no user namespace.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// A kernel setting by its name, where this kernel has it.
    pub fn sysctl(&self, name: &str) -> Option<i64> {
        self.sysctls.get(name).copied()
    }

    /// Whether this kernel calls itself older than `major.minor`.
    pub fn is_older_than(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(here_major)), Some(Ok(here_minor))) => (here_major, here_minor) < (major, minor),
            _ => false,
        }
    }
}

fn sysctl(root: &Path, name: &str) -> Option<i64> {
    let path = root.join("proc/sys").join(name.replace('.', "/"));
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// `docker-default (enforce)` → the name; `unconfined` and profiles that only name a program → nothing.
fn confined(label: &str) -> Option<String> {
    let (name, mode) = label.trim().rsplit_once(' ')?;
    (mode != "(unconfined)").then(|| name.to_owned())
}

/// Whether the mount table says that this process has been through chroot(2), which the kernel holds against it
/// when it asks for a user namespace.
///
/// The table lists only what is reachable from the process's root. So there is no `/` in it when the root is a
/// mere directory; and when it is a mount, PID 1, who is not chrooted, sees the same mount somewhere else.
fn is_chrooted(own: &str, of_init: &str) -> bool {
    let id_and_target = |line: &str| {
        let mut fields = line.split(' ');
        Some((fields.next()?.to_owned(), fields.nth(3)?.to_owned()))
    };
    let root = own.lines().filter_map(id_and_target).rfind(|(_, target)| target == "/");
    match root {
        None => !own.is_empty(),
        Some((root, _)) => of_init.lines().filter_map(id_and_target).any(|(id, target)| id == root && target != "/"),
    }
}

/// The directory that cargo builds into, from the path of a program in it. Cargo marks it with `CACHEDIR.TAG`.
fn target_of(program: &Path) -> PathBuf {
    let marked = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists());
    marked.or(program.parent()).unwrap_or(program).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_read_from_its_files() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/sys/kernel/osrelease", "6.8.0-45-generic\n");
        write("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
        write("proc/sys/user/max_user_namespaces", "62345\n");
        write("proc/self/status", "Name:\tx\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n");
        write("proc/self/attr/apparmor/current", "docker-default (enforce)\n");
        write("etc/os-release", "ID=ubuntu\nVERSION_ID=\"24.04\"\n");
        let machine = Machine::read(root.path(), 1000, |_| None);
        assert_eq!(machine.sysctl("kernel.apparmor_restrict_unprivileged_userns"), Some(1));
        assert_eq!(machine.sysctl("kernel.unprivileged_userns_clone"), None);
        assert_eq!((machine.seccomp, machine.no_new_privs), (true, true));
        assert_eq!(machine.apparmor.as_deref(), Some("docker-default"));
        assert!(!machine.is_root() && !machine.chrooted && !machine.selinux);
        assert!(machine.is_older_than(6, 9) && !machine.is_older_than(6, 8) && !machine.is_older_than(5, 12));
    }

    #[test]
    fn only_a_profile_that_confines_counts() {
        assert_eq!(confined("unconfined\n"), None);
        assert_eq!(confined("vscode (unconfined)\n"), None);
        assert_eq!(confined("snap.code.code (complain)\n").as_deref(), Some("snap.code.code"));
        assert_eq!(confined(""), None);
    }

    const INIT: &str = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 8:2 / /srv/debian rw - ext4 /dev/sda2 rw\n";

    #[test]
    fn a_chroot_shows_in_the_mount_table() {
        assert!(!is_chrooted(INIT, INIT));
        assert!(is_chrooted("50 40 0:5 / /proc rw - proc proc rw\n", INIT), "a directory as root");
        assert!(is_chrooted("40 22 8:2 / / rw - ext4 /dev/sda2 rw\n", INIT), "a mount as root");
        assert!(!is_chrooted("90 80 8:2 / / rw - ext4 /dev/sda2 rw\n", INIT), "another mount namespace");
        assert!(!is_chrooted("", ""), "nothing is known without /proc");
    }

    #[test]
    fn releases_that_are_no_numbers() {
        let machine = Machine { release: "unknown".into(), ..Machine::default() };
        assert!(!machine.is_older_than(99, 0));
    }

    #[test]
    fn the_target_directory_is_the_one_that_cargo_marked() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("debug/deps/workshop");
        assert_eq!(target_of(&program), root.path().join("debug/deps"));
        std::fs::write(root.path().join("CACHEDIR.TAG"), "").unwrap();
        assert_eq!(target_of(&program), root.path());
    }
}
