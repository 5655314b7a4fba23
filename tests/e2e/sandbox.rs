//! What a container may do, as asked for: each option opens or closes what it names, and nothing else.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use look::Evidence;
use nix::unistd::{geteuid, mkfifo};

use crate::Test;
use crate::support::need::Need::{Containers, Device, OrdinaryUser, Ranges, Root};
use crate::support::{Ended, Tinbox};

pub const TESTS: &[Test] = &[
    ("capabilities_are_added_and_dropped", &[Containers], capabilities_are_added_and_dropped),
    ("capabilities_of_another_user", &[Containers], capabilities_of_another_user),
    ("set_user_id_programs", &[Containers, Root], set_user_id_programs),
    ("a_filter_by_default_or_none", &[Containers], a_filter_by_default_or_none),
    ("a_filter_from_a_file", &[Containers], a_filter_from_a_file),
    ("filters_that_are_none", &[Containers], filters_that_are_none),
    ("a_filter_that_allows_nothing", &[Containers], a_filter_that_allows_nothing),
    ("read_only_paths", &[Containers], read_only_paths),
    ("system_paths_can_be_opened", &[Containers, Root], system_paths_can_be_opened),
    ("dev_holds_what_it_should", &[Containers], dev_holds_what_it_should),
    ("a_device_of_the_machine", &[Containers], a_device_of_the_machine),
    ("a_device_only_for_reading", &[Containers, Root, Device], a_device_only_for_reading),
    ("rules_for_devices", &[Containers, Root, Device], rules_for_devices),
    ("rules_need_root", &[Containers, OrdinaryUser], rules_need_root),
    ("devices_that_are_none", &[Containers], devices_that_are_none),
    ("a_read_only_root", &[Containers], a_read_only_root),
    ("directories_in_memory", &[Containers], directories_in_memory),
    ("directories_in_memory_are_mounted_inside", &[Containers], directories_in_memory_are_mounted_inside),
    ("options_of_tmpfs_that_are_none", &[], options_of_tmpfs_that_are_none),
    ("limits_of_each_process", &[Containers], limits_of_each_process),
    ("limits_of_each_process_that_are_none", &[], limits_of_each_process_that_are_none),
    ("settings_of_its_own_namespaces", &[Containers], settings_of_its_own_namespaces),
    ("settings_of_shared_namespaces", &[Containers], settings_of_shared_namespaces),
    ("more_groups", &[Containers, Root], more_groups),
    ("more_groups_of_your_range", &[Containers, OrdinaryUser, Ranges], more_groups_of_your_range),
    ("more_groups_without_ranges", &[Containers, OrdinaryUser], more_groups_without_ranges),
    ("privileged", &[Containers], privileged),
    ("options_of_the_sandbox_that_are_none", &[], options_of_the_sandbox_that_are_none),
];

const WAITING: &str = "echo ready; read never";

fn evidence(options: &str) -> Evidence {
    Tinbox::new().start(options, WAITING).evidence()
}

fn capabilities_are_added_and_dropped() {
    let held = |options: &str| {
        let capabilities = evidence(options).capabilities;
        assert_eq!(capabilities.effective, capabilities.bounding, "{options}");
        assert_eq!(capabilities.permitted, capabilities.bounding, "{options}");
        assert!(capabilities.inheritable.is_empty() && capabilities.ambient.is_empty(), "{options}");
        capabilities.bounding
    };
    let usual = held("");
    let has = |set: &[String], name: &str| set.iter().any(|held| held == name);
    assert_eq!(held("--cap-drop ALL"), [""; 0]);
    assert_eq!(held("--cap-drop ALL --cap-add NET_BIND_SERVICE --cap-add cap_chown"), ["CHOWN", "NET_BIND_SERVICE"]);
    let added = held("--cap-add SYS_TIME");
    assert!(added.len() == usual.len() + 1 && has(&added, "SYS_TIME"), "{added:?}");
    let dropped = held("--cap-drop CAP_NET_RAW --cap-drop kill");
    assert!(dropped.len() == usual.len() - 2 && !has(&dropped, "NET_RAW") && !has(&dropped, "KILL"), "{dropped:?}");
    let most = held("--cap-add ALL --cap-drop SYS_ADMIN");
    assert!(most.len() > usual.len() && !has(&most, "SYS_ADMIN") && has(&most, "SYS_PTRACE"), "{most:?}");
    let error = Tinbox::new().sh("--cap-add EVERYTHING", "true").fails(125);
    assert!(error.contains("invalid capability: EVERYTHING"), "{error}");
}

fn capabilities_of_another_user() {
    let capabilities = evidence("-u 1234 --cap-add SYS_TIME").capabilities;
    assert!(capabilities.effective.is_empty() && capabilities.permitted.is_empty() && capabilities.ambient.is_empty());
}

fn set_user_id_programs() {
    let tinbox = Tinbox::armed();
    let script = "cp /bin/act /suid; chmod 4755 /suid; exec /bin/act --act as 1234 /suid who";
    let who = |options: &str| {
        let mut command = tinbox.command(["run", "--rm"]);
        command.args(options.split_whitespace()).args([crate::support::armed::IMAGE, "sh", "-c", script]);
        Ended::of(command.output().unwrap()).ok()
    };
    assert_eq!(who("--security-opt no-new-privileges=false"), "1234 0\n");
    for options in ["", "--security-opt no-new-privileges", "--security-opt no-new-privileges:true", "--init"] {
        assert_eq!(who(options), "1234 1234\n", "{options}");
    }
    assert!(evidence("").no_new_privs);
    assert!(!evidence("--security-opt no-new-privileges=false").no_new_privs);
}

fn a_filter_by_default_or_none() {
    assert_eq!(evidence("").seccomp, "filter");
    assert_eq!(evidence("--security-opt seccomp=builtin").seccomp, "filter");
    assert_eq!(evidence("--security-opt no-new-privileges=false").seccomp, "filter");
    assert_eq!(evidence("--security-opt seccomp=unconfined").seccomp, "disabled");
    assert_eq!(evidence("--security-opt seccomp:unconfined --init").seccomp, "disabled");
}

/// Runs a script under the profile with this text.
fn filtered(profile: &[u8], script: &str) -> Ended {
    let tinbox = Tinbox::new();
    std::fs::write(tinbox.path("profile.json"), profile).unwrap();
    let ended = tinbox.sh(&format!("--security-opt seccomp={}", tinbox.path("profile.json").display()), script);
    assert!(tinbox.leftovers().is_empty());
    ended
}

fn a_filter_from_a_file() {
    let profile = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
        {"names": ["no_such_call_anywhere"], "action": "SCMP_ACT_KILL"}]}"#;
    let ended = filtered(profile.as_bytes(), "mkdir /a; echo $?; touch /b; ls /b");
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "1\n/b\n"), "{ended:?}");
    assert!(ended.stderr.contains("No space left on device"), "{ended:?}");
    // The profile is looked for where the caller stands.
    let tinbox = Tinbox::new();
    std::fs::write(tinbox.path("here.json"), profile).unwrap();
    let mut command = tinbox.sh_command("--security-opt seccomp=here.json", "mkdir /a 2>/dev/null; echo $?");
    assert_eq!(Ended::of(command.current_dir(tinbox.path("")).output().unwrap()).ok(), "1\n");
}

fn filters_that_are_none() {
    let deep = "[".repeat(200_000);
    let long = format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "x": "{}"}}"#, "x".repeat(5 << 20));
    for (profile, says) in [
        ("", "profile.json"),
        ("no JSON", "profile.json"),
        ("[]", "profile.json"),
        ("{}", "profile.json"),
        (r#"{"defaultAction": "SCMP_ACT_DANCE"}"#, "SCMP_ACT_DANCE"),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": 7}"#, "profile.json"),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "x"}]}"#, "profile.json"),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO",
                "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]}"#,
            "profile.json",
        ),
        (&deep, "profile.json"),
        (&long, "longer than"),
        ("\u{0}\u{0}", "profile.json"),
    ] {
        let error = filtered(profile.as_bytes(), "true").fails(125);
        assert!(error.contains(says), "{}: {error}", &profile[..profile.len().min(80)]);
    }
    filtered(b"\xff\xfe{}", "true").fails(125);
    let tinbox = Tinbox::new();
    mkfifo(&tinbox.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("loop", tinbox.path("loop")).unwrap();
    for file in ["fifo", "loop", "missing", ""] {
        let option = format!("--security-opt seccomp={}", tinbox.path(file).display());
        let error = tinbox.sh(&option, "true").fails(125);
        assert!(error.contains("the seccomp profile"), "{file}: {error}");
    }
    tinbox.sh("--security-opt seccomp=/dev/zero", "true").fails(125);
}

/// It cannot even start, and the end is clean.
fn a_filter_that_allows_nothing() {
    for action in ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO", "SCMP_ACT_TRAP"] {
        let ended = filtered(format!(r#"{{"defaultAction": "{action}"}}"#).as_bytes(), "true");
        assert!(ended.status != 0 && ended.stdout.is_empty(), "{action}: {ended:?}");
    }
}

fn read_only_paths() {
    let mounts = evidence("").mounts.value().unwrap().clone();
    for path in sandbox::filesystems::READ_ONLY.iter().filter(|path| std::path::Path::new(path).exists()) {
        let mount = mounts.iter().rfind(|mount| mount.target == **path).unwrap_or_else(|| panic!("{path}"));
        assert!(mount.options.iter().any(|option| option == "ro"), "{mount:?}");
    }
    let sys = mounts.iter().rfind(|mount| mount.target == "/sys").unwrap();
    assert!(sys.options.iter().any(|option| option == "ro"), "{sys:?}");
}

fn system_paths_can_be_opened() {
    let script = "test -w /proc/sys/kernel/core_pattern && head -c 1 /proc/interrupts | wc -c";
    assert_eq!(Tinbox::new().sh("--security-opt systempaths=unconfined", script).ok().trim(), "1");
}

fn dev_holds_what_it_should() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("", WAITING);
    let dev = std::path::PathBuf::from(format!("/proc/{}/root/dev", running.init()));
    let host = std::path::Path::new("/dev");
    for name in ["null", "zero", "full", "random", "urandom", "tty"] {
        let (ours, theirs) = (std::fs::metadata(dev.join(name)).unwrap(), std::fs::metadata(host.join(name)).unwrap());
        assert!(ours.file_type().is_char_device(), "{name}");
        assert_eq!(ours.rdev(), theirs.rdev(), "{name}");
        assert_eq!(ours.mode() & 0o666, 0o666, "{name}");
    }
    for (name, to) in [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("ptmx", "pts/ptmx")] {
        assert_eq!(std::fs::read_link(dev.join(name)).unwrap().to_str(), Some(to));
    }
    assert_eq!(std::fs::metadata(dev.join("shm")).unwrap().mode() & 0o7777, 0o1777);
    assert_eq!(std::fs::read_dir(dev.join("pts")).unwrap().count(), 1, "no terminals but its own");
}

fn a_device_of_the_machine() {
    let tinbox = Tinbox::new();
    let head = |device: &str| tinbox.sh(&format!("--device {device}"), "head -c 2 /dev/another | wc -c");
    assert_eq!(head("/dev/zero:/dev/another").ok().trim(), "2");
    let read_only = head("/dev/zero:/dev/another:r");
    match nix::unistd::geteuid().is_root() {
        true => assert_eq!(read_only.ok().trim(), "2"),
        false => assert!(read_only.fails(125).contains("nobody to enforce that only some access is allowed")),
    }
    assert_eq!(tinbox.sh("--device /dev/zero:/dev/sub/dir/zero", "ls /dev/sub/dir").ok(), "zero\n");
    // One that every container has is no mistake, but another in its place is not done in silence.
    let ended = tinbox.sh("--device /dev/zero:/dev/null", "head -c 2 /dev/null | wc -c");
    assert!(ended.stdout.trim() == "2" || ended.status == 125 && ended.stderr.contains("null"), "{ended:?}");
    assert_eq!(tinbox.sh("--device /dev/null --device /dev/zero", "echo fine").ok(), "fine\n");
}

/// A device that no container has by default: its path, and its numbers.
fn device() -> (&'static str, String) {
    let path = crate::support::need::device().unwrap();
    let number = std::fs::metadata(path).unwrap().rdev();
    (path, format!("{}:{}", nix::sys::stat::major(number), nix::sys::stat::minor(number)))
}

fn a_device_only_for_reading() {
    let (path, _) = device();
    let tinbox = Tinbox::new();
    let script = "(: < /dev/x) && echo read; (: >> /dev/x) && echo written; true";
    let opened = |access: &str| tinbox.sh(&format!("--device {path}:/dev/x:{access}"), script);
    assert_eq!(opened("rwm").ok(), "read\nwritten\n");
    let ended = opened("r");
    assert_eq!(ended.stdout, "read\n");
    assert!(ended.stderr.contains("Operation not permitted"), "{ended:?}");
    assert_eq!(opened("w").stdout, "written\n");
}

fn rules_for_devices() {
    let (_, number) = device();
    let tinbox = Tinbox::armed();
    let words = format!("open-device c {number}");
    let with = |rule: &str| {
        let mut command = tinbox.command(["run", "--rm", "--cap-add", "MKNOD", "--device-cgroup-rule", rule]);
        command.arg(crate::support::armed::IMAGE).args(crate::support::armed::act(&words));
        Ended::of(command.output().unwrap())
    };
    assert_eq!(tinbox.act("--cap-add MKNOD", &words).fails(1), "act: open: EPERM\n");
    assert_eq!(with(&format!("c {number} r")).ok(), "made and opened\n");
    assert_eq!(with(&format!("c {number} w")).fails(1), "act: open: EPERM\n");
    let (major, _) = number.split_once(':').unwrap();
    assert_eq!(with(&format!("c {major}:* rwm")).ok(), "made and opened\n");
    assert_eq!(with(&format!("b {major}:* rwm")).fails(1), "act: open: EPERM\n");
    assert_eq!(with("a *:* rwm").ok(), "made and opened\n");
    assert!(with("c all").fails(125).contains("invalid device cgroup format 'c all'"));
    assert!(tinbox.leftovers().is_empty());
}

fn rules_need_root() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.command(["run", "--rm", "--device-cgroup-rule", "c 1:3 r", "base", "true"]);
    let error = Ended::of(command.output().unwrap()).fails(125);
    assert!(error.contains("--device-cgroup-rule: an ordinary user cannot make device nodes"), "{error}");
    assert!(tinbox.leftovers().is_empty());
}

fn devices_that_are_none() {
    let tinbox = Tinbox::new();
    for (device, says) in [
        ("/dev/nothing-like-this", "/dev/nothing-like-this"),
        ("/etc/passwd", "/etc/passwd"),
        ("/dev/null:/etc/passwd", "a device can only be put below /dev"),
        ("/dev/null:/dev/../etc/null", "a device can only be put below /dev"),
        ("/dev/null:/dev/x:rx", "rx"),
        ("dev/null", "dev/null"),
    ] {
        let error = tinbox.sh(&format!("--device {device}"), "true").fails(125);
        assert!(error.contains(says), "{device}: {error}");
        assert!(tinbox.leftovers().is_empty(), "{device}");
    }
}

fn a_read_only_root() {
    let tinbox = Tinbox::new();
    let script = "for dir in / /tmp /etc /made; do (: > $dir/x) 2>/dev/null && echo $dir; done; \
                  for dir in /dev/shm /run; do (: > $dir/x) && echo $dir; done";
    assert_eq!(tinbox.sh("--read-only --tmpfs /run -w /made", script).ok(), "/dev/shm\n/run\n");
    assert_eq!(tinbox.sh("--read-only", "mount -o remount,rw / 2>/dev/null && echo opened; true").ok(), "");
}

fn directories_in_memory() {
    let running =
        Tinbox::new().start("--tmpfs /run --tmpfs /made/here:rw,exec,size=64k,mode=1770,nr_inodes=50", WAITING);
    let mounts = running.evidence().mounts.value().unwrap().clone();
    let mount = |path: &str| mounts.iter().find(|mount| mount.target == path).unwrap();
    let has = |path: &str, wanted: &str| mount(path).options.iter().any(|option| option == wanted);
    assert!(["nosuid", "nodev", "noexec"].iter().all(|option| has("/run", option)), "{:?}", mount("/run"));
    assert!(has("/made/here", "nosuid") && has("/made/here", "nodev") && !has("/made/here", "noexec"));
    let tinbox = Tinbox::armed();
    let run = "cp /bin/act /run/act && /run/act --act who";
    let sh = |options: &str, script: &str| {
        let mut command = tinbox.command(["run", "--rm"]);
        command.args(options.split_whitespace()).args([crate::support::armed::IMAGE, "sh", "-c", script]);
        Ended::of(command.output().unwrap())
    };
    assert_eq!(sh("--tmpfs /run:exec", run).ok(), "0 0\n");
    assert_eq!(sh("--tmpfs /run", run).status, 126);
    let fill = "head -c 100000 /dev/zero > /run/x 2>/dev/null; wc -c < /run/x; stat -c %a /run";
    assert_eq!(
        sh("--tmpfs /run:size=64k,mode=1770", fill).ok().split_whitespace().collect::<Vec<_>>(),
        ["65536", "1770"]
    );
    assert_eq!(sh("--tmpfs /run:ro", "(: > /run/x) 2>/dev/null || echo no").ok(), "no\n");
}

/// Symlinks of the image, absolute and relative, mean what they mean inside.
fn directories_in_memory_are_mounted_inside() {
    let outside = tempfile::tempdir().unwrap();
    let tinbox = Tinbox::without_images();
    let archive = crate::import::archive_of_base(&[], |archive| {
        let target = outside.path().to_str().unwrap();
        crate::import::entry(archive, tar::EntryType::Symlink, "absolute", target);
        crate::import::entry(archive, tar::EntryType::Symlink, "up", "../../../..");
    });
    crate::import::import(&tinbox, "hostile", &archive);
    for path in ["/absolute/in", "/up/made", "/up/up/up/etc"] {
        let ended = tinbox.tinbox(&format!("run --rm --tmpfs {path}:size=444k hostile cat /proc/mounts"));
        match ended.status {
            0 => assert_eq!(ended.stdout.matches("size=444k").count(), 1, "{path}: {ended:?}"),
            // A link to what is not there.
            _ => assert!(ended.fails(125).contains(path)),
        }
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

fn options_of_tmpfs_that_are_none() {
    let tinbox = Tinbox::without_images();
    for (option, says) in [
        ("relative", "the path must be absolute, and not /"),
        ("/", "the path must be absolute, and not /"),
        ("/a/../..", "the path must be absolute, and not /"),
        ("/a:bogus", "invalid tmpfs option 'bogus'"),
        ("/a:size=1,lowerdir=/etc", "invalid tmpfs option 'lowerdir=/etc'"),
        ("/a:size=", "invalid tmpfs option 'size='"),
    ] {
        let error = tinbox.sh(&format!("--tmpfs {option}"), "true").fails(125);
        assert!(error.contains(says), "{error}");
    }
    assert!(tinbox.leftovers().is_empty());
}

fn limits_of_each_process() {
    let running = Tinbox::new().start("--ulimit nofile=64:128 --ulimit core=0 --ulimit cpu=77", WAITING);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.init())).unwrap();
    let of = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("Max open files"), ["64", "128"]);
    assert_eq!(of("Max core file size"), ["0", "0"]);
    assert_eq!(of("Max cpu time"), ["77", "77"]);
    assert_eq!(Tinbox::new().sh("--ulimit nofile=64 -u 1234 --init", "ulimit -n").ok(), "64\n");
}

fn limits_of_each_process_that_are_none() {
    let tinbox = Tinbox::without_images();
    for (option, says) in [
        ("nofile", "invalid ulimit argument: nofile"),
        ("files=3", "invalid ulimit type: files"),
        ("nofile=2:1", "the soft limit must not be higher"),
        ("nofile=x", "'x' is no number"),
        ("nofile=1:2:3", "'2:3' is no number"),
    ] {
        let error = tinbox.sh(&format!("--ulimit {option}"), "true").fails(125);
        assert!(error.contains(says), "{error}");
    }
    assert!(tinbox.leftovers().is_empty());
}

fn settings_of_its_own_namespaces() {
    let tinbox = Tinbox::new();
    for (name, file, value) in [
        ("net.ipv4.ip_unprivileged_port_start", "net/ipv4/ip_unprivileged_port_start", "80"),
        ("net/ipv4/conf/lo/forwarding", "net/ipv4/conf/lo/forwarding", "1"),
        ("kernel.msgmax", "kernel/msgmax", "4096"),
        ("kernel.shm_rmid_forced", "kernel/shm_rmid_forced", "1"),
    ] {
        let file = format!("/proc/sys/{file}");
        let before = std::fs::read_to_string(&file).unwrap();
        assert_ne!(before.trim(), value, "the machine's is this already");
        let script = format!("cat {file}; (echo 5 > {file}) 2>/dev/null && echo written; true");
        assert_eq!(tinbox.sh(&format!("--sysctl {name}={value}"), &script).ok().trim(), value, "{name}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "{name}");
    }
    let error = tinbox.sh("--sysctl net.ipv4.no_such_setting=1", "true").fails(125);
    assert!(error.contains("/proc/sys/net/ipv4/no_such_setting"), "{error}");
    assert!(tinbox.leftovers().is_empty());
}

fn settings_of_shared_namespaces() {
    let tinbox = Tinbox::new();
    let _one = tinbox.start("--name one", WAITING);
    for options in [
        "--network host --sysctl net.ipv4.ip_forward=1",
        "--network container:one --sysctl net.ipv4.ip_forward=1",
        "--ipc host --sysctl kernel.msgmax=4096",
        "--ipc container:one --sysctl fs.mqueue.msg_max=5",
        "--uts host --sysctl kernel.domainname=x",
    ] {
        let error = tinbox.sh(options, "true").fails(125);
        assert!(error.contains("the container has no such namespace of its own"), "{options}: {error}");
    }
}

fn more_groups() {
    let tinbox = Tinbox::new();
    assert_eq!(tinbox.sh("-u 1234 --group-add 77 --group-add nobody", "id -G").ok(), "0 77 65534\n");
    assert_eq!(tinbox.sh("-u 1234:1235 --group-add 77", "id -G").ok(), "1235 77\n");
    let error = tinbox.sh("--group-add nobodys", "true").fails(125);
    assert!(error.contains("unable to find group nobodys"), "{error}");
}

fn more_groups_of_your_range() {
    assert_eq!(Tinbox::new().sh("--group-add 77", "id -G").ok(), "0 77\n");
}

/// An ordinary user's one group is all there is: not to give another is not to be done in silence.
fn more_groups_without_ranges() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.sh_command("--group-add 77", "id -G");
    let error = Ended::of(command.env("PATH", "/nowhere").output().unwrap()).fails(125);
    assert!(error.contains("--group-add"), "{error}");
    assert!(tinbox.leftovers().is_empty());
}

fn privileged() {
    let usual = evidence("");
    let open = evidence("--privileged");
    assert!(open.capabilities.effective.len() > usual.capabilities.effective.len());
    assert!(open.capabilities.effective.iter().any(|name| name == "SYS_ADMIN"));
    assert_eq!((open.seccomp.as_str(), open.no_new_privs), ("disabled", false));
    let mounts = open.mounts.value().unwrap();
    assert!(mounts.iter().all(|mount| !mount.target.starts_with("/proc/")), "{mounts:?}");
    assert!(!mounts.iter().any(|mount| mount.target == "/sys" && mount.options.iter().any(|option| option == "ro")));
    if geteuid().is_root() {
        let devices = |options: &str| Tinbox::new().sh(options, "ls /dev | wc -l").ok().trim().parse::<u32>().unwrap();
        assert!(devices("--privileged") > devices(""));
    }
    // Namespaces stay.
    let me = Evidence::of(nix::unistd::Pid::this()).unwrap();
    let shared = look::Comparison::of(&me, &open).shared_namespaces();
    assert!(shared.len() <= 2, "{shared:?}");
}

fn options_of_the_sandbox_that_are_none() {
    let tinbox = Tinbox::without_images();
    for (option, says) in [
        ("nonsense", "invalid --security-opt: nonsense"),
        ("seccomp=", "invalid --security-opt: seccomp="),
        ("no-new-privileges=perhaps", "invalid --security-opt"),
        ("label=type:x", "there are no SELinux labels here"),
        ("systempaths=masked", "invalid --security-opt"),
    ] {
        let error = tinbox.sh(&format!("--security-opt {option}"), "true").fails(125);
        assert!(error.contains(says), "{error}");
    }
    assert!(tinbox.leftovers().is_empty());
}
