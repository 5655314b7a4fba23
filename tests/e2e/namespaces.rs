//! What a container sees: each namespace its own, the machine's or another container's, by the kernel's numbers for
//! them; an init; clocks; ids.

use look::{Comparison, Evidence, Kind};
use nix::poll::PollTimeout;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getegid, geteuid};

use crate::Test;
use crate::support::need::Need::{Containers, OrdinaryUser, Ranges};
use crate::support::process::Process;
use crate::support::{Ended, Running, Tinbox, children};

pub const TESTS: &[Test] = &[
    ("its_own_or_the_machines", &[Containers], its_own_or_the_machines),
    ("another_containers", &[Containers], another_containers),
    ("shared_processes_and_memory_are_there", &[Containers], shared_processes_and_memory_are_there),
    ("a_container_that_is_not_there_cannot_be_joined", &[Containers], a_container_that_is_not_there),
    ("an_ordinary_user_joins_one_container", &[Containers, OrdinaryUser], an_ordinary_user_joins_one_container),
    ("a_name_that_is_not_its_own_cannot_be_set", &[], a_name_that_is_not_its_own_cannot_be_set),
    ("words_that_are_no_mode", &[], words_that_are_no_mode),
    ("users_that_cannot_be", &[], users_that_cannot_be),
    ("a_network_of_its_own_is_a_loop", &[Containers], a_network_of_its_own_is_a_loop),
    ("its_cgroup_is_the_top_one", &[Containers], its_cgroup_is_the_top_one),
    ("without_an_init_orphans_stay", &[Containers], without_an_init_orphans_stay),
    ("an_init_collects_orphans", &[Containers], an_init_collects_orphans),
    ("an_init_passes_on_signals", &[Containers], an_init_passes_on_signals),
    ("an_init_passes_on_the_status", &[Containers], an_init_passes_on_the_status),
    ("an_init_ends_with_tinbox", &[Containers], an_init_ends_with_tinbox),
    ("clocks_of_its_own", &[Containers], clocks_of_its_own),
    ("your_id_is_kept", &[Containers, OrdinaryUser], your_id_is_kept),
    ("your_id_is_kept_without_ranges", &[Containers, OrdinaryUser], your_id_is_kept_without_ranges),
    ("other_users_are_of_your_range", &[Containers, OrdinaryUser, Ranges], other_users_are_of_your_range),
];

const WAITING: &str = "echo ready; read never";

fn shared(a: &Evidence, b: &Evidence) -> Vec<Kind> {
    Comparison::of(a, b).shared_namespaces()
}

fn with_usual(more: &[Kind], usual: &[Kind]) -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| more.contains(kind) || usual.contains(kind)).collect()
}

fn its_own_or_the_machines() {
    let tinbox = Tinbox::new();
    let me = Evidence::of(Pid::this()).unwrap();
    let usual: &[Kind] = if geteuid().is_root() { &[Kind::User, Kind::Time] } else { &[Kind::Time] };
    let all = [Kind::Net, Kind::Pid, Kind::Ipc, Kind::Uts, Kind::Cgroup];
    for (options, more) in [
        ("", &[][..]),
        ("--network none --ipc private --cgroupns private", &[]),
        ("--network host", &[Kind::Net]),
        ("--net host", &[Kind::Net]),
        ("--pid host", &[Kind::Pid]),
        ("--ipc host", &[Kind::Ipc]),
        ("--uts host", &[Kind::Uts]),
        ("--cgroupns host", &[Kind::Cgroup]),
        ("--network host --pid host --ipc host --uts host --cgroupns host", &all),
        ("--privileged", &[]),
    ] {
        let running = tinbox.start(options, WAITING);
        assert_eq!(shared(&me, &running.evidence()), with_usual(more, usual), "{options}");
    }
}

fn another_containers() {
    let tinbox = Tinbox::new();
    let one = tinbox.start("--name one", WAITING);
    // An ordinary user's container is in a user namespace that goes with the rest.
    let usual = [Kind::User, Kind::Time];
    for (options, more) in [
        // A network and its host name belong together, as docker has it.
        ("--network container:one", &[Kind::Net, Kind::Uts][..]),
        ("--pid container:one", &[Kind::Pid]),
        ("--ipc container:one", &[Kind::Ipc]),
        (
            "--network container:one --pid container:one --ipc container:one",
            &[Kind::Net, Kind::Uts, Kind::Pid, Kind::Ipc],
        ),
    ] {
        let two = tinbox.start(options, WAITING);
        assert_eq!(shared(&one.evidence(), &two.evidence()), with_usual(more, &usual), "{options}");
        assert_eq!(two.end(), 1);
    }
    let id = tinbox.tinbox("ps -q").ok();
    let two = tinbox.start(&format!("--ipc container:{}", id.trim()), WAITING);
    assert!(shared(&one.evidence(), &two.evidence()).contains(&Kind::Ipc));
}

fn shared_processes_and_memory_are_there() {
    let tinbox = Tinbox::new();
    let _one = tinbox.start("--name one --hostname box", &format!("echo told > /dev/shm/note; {WAITING}"));
    assert_eq!(tinbox.sh("--ipc container:one", "cat /dev/shm/note").ok(), "told\n");
    assert_eq!(tinbox.sh("--pid container:one", "cat /proc/1/comm").ok(), "sh\n");
    assert_eq!(tinbox.sh("--network container:one", "hostname").ok(), "box\n");
    // Nothing of it is there otherwise.
    assert_eq!(tinbox.sh("", "ls /dev/shm; cd /proc; echo [0-9]*").ok(), "1\n");
    // The other way round, too, and its files are its own.
    assert_eq!(tinbox.sh("--ipc container:one", "echo again > /dev/shm/note; touch /mine").ok(), "");
    assert_eq!(tinbox.sh("--ipc container:one", "cat /dev/shm/note; ls /mine 2>/dev/null; true").ok(), "again\n");
}

fn a_container_that_is_not_there() {
    let tinbox = Tinbox::new();
    tinbox.tinbox("run --name over base true").ok();
    for option in ["--network", "--pid", "--ipc"] {
        let error = tinbox.sh(&format!("{option} container:nobody"), "true").fails(125);
        assert!(error.contains("No such container: nobody"), "{error}");
        let error = tinbox.sh(&format!("{option} container:over"), "true").fails(125);
        assert!(error.contains("container over is not running"), "{error}");
    }
    tinbox.tinbox("rm over").ok();
    assert!(tinbox.leftovers().is_empty());
}

fn an_ordinary_user_joins_one_container() {
    let tinbox = Tinbox::new();
    let (_one, _two) = (tinbox.start("--name one", WAITING), tinbox.start("--name two", WAITING));
    let error = tinbox.sh("--pid container:one --ipc container:two", "true").fails(125);
    assert!(error.contains("an ordinary user can share with one other container only"), "{error}");
}

fn a_name_that_is_not_its_own_cannot_be_set() {
    let tinbox = Tinbox::new();
    for (options, says) in [
        ("--hostname x --uts host", "conflicting options: hostname and the UTS mode"),
        ("--hostname x --network container:one", "conflicting options: hostname and the network mode"),
    ] {
        let error = tinbox.sh(options, "true").fails(125);
        assert!(error.contains(says), "{error}");
    }
    assert!(tinbox.leftovers().is_empty());
}

fn words_that_are_no_mode() {
    let tinbox = Tinbox::new();
    for (options, says) in [
        ("--network bridge", "--network bridge: there are no networks to connect to yet"),
        ("--network container", "a container is named as container:NAME"),
        ("--pid container:", "a container is named as container:NAME"),
        ("--pid host:x", "a container is named as container:NAME"),
        ("--pid all", "invalid mode; there are private, host, container:NAME"),
        ("--uts container:x", "invalid mode; there are private, host"),
        ("--cgroupns container:x", "invalid mode"),
        ("--userns container:x", "invalid mode"),
        ("--time-offset soon", "not a number of seconds"),
        ("--time-offset realtime=5", "there are the clocks monotonic and boottime"),
    ] {
        let error = tinbox.sh(options, "true").fails(125);
        assert!(error.contains(says), "{options}: {error}");
        assert!(tinbox.leftovers().is_empty(), "{options}");
    }
}

fn users_that_cannot_be() {
    let (options, says) = match geteuid().is_root() {
        true => ("--userns keep-id", "is for ordinary users"),
        false => ("--userns host", "an ordinary user can make a container only in a user namespace"),
    };
    let tinbox = Tinbox::without_images();
    let error = tinbox.sh(options, "true").fails(125);
    assert!(error.contains(says), "{error}");
    assert!(tinbox.leftovers().is_empty());
}

fn a_network_of_its_own_is_a_loop() {
    let tinbox = Tinbox::new();
    let links = |options| tinbox.start(options, WAITING).evidence().network.value().unwrap().clone();
    for options in ["", "--network none"] {
        let own = links(options);
        assert_eq!(own.links, ["lo"]);
        assert!(own.addresses.iter().any(|address| address.contains("127.0.0.1")), "it is up: {own:?}");
    }
    let me = Evidence::of(Pid::this()).unwrap();
    assert_eq!(links("--network host").links, me.network.value().unwrap().links);
}

fn its_cgroup_is_the_top_one() {
    let tinbox = Tinbox::new();
    let paths = |options: &str| tinbox.sh(options, "cut -d: -f3 /proc/self/cgroup | sort -u").ok();
    assert_eq!(paths(""), "/\n");
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    if own.lines().any(|line| !line.ends_with(":/")) || geteuid().is_root() {
        assert_ne!(paths("--cgroupns host"), "/\n");
    }
}

/// Starts a container that leaves an orphan behind, which has ended; answers with it as a child of the first process.
fn orphans_of(running: &mut Running) -> Vec<Pid> {
    let orphan = running.line();
    assert_ne!(orphan, "");
    let is_it = |pid: &Pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default().to_owned();
        numbers.split_whitespace().last() == Some(&orphan)
    };
    children(running.init()).into_iter().filter(is_it).collect()
}

fn without_an_init_orphans_stay() {
    let tinbox = Tinbox::armed();
    let mut running = tinbox.start_act("", "orphan");
    let orphans = orphans_of(&mut running);
    assert_eq!(orphans.len(), 1);
    assert!(std::fs::read_to_string(format!("/proc/{}/status", orphans[0])).unwrap().contains("Z (zombie)"));
}

fn an_init_collects_orphans() {
    let tinbox = Tinbox::armed();
    let mut running = tinbox.start_act("--init", "orphan");
    // It has ended already, so if it is still there, it goes any moment.
    for orphan in orphans_of(&mut running) {
        if let Some(process) = Process::try_open(orphan) {
            assert!(process.is_reaped_within(10), "a zombie");
        }
    }
    assert_eq!(running.end(), 0);
}

fn an_init_passes_on_signals() {
    let tinbox = Tinbox::new();
    for (signal, name) in [(Signal::SIGTERM, "TERM"), (Signal::SIGHUP, "HUP"), (Signal::SIGUSR1, "USR1")] {
        let mut running = tinbox.start("--init", &format!("trap 'exit 42' {name}; echo ready; read never"));
        running.signal(signal);
        assert_eq!(running.wait(), 42, "{name}");
    }
    // One that does not mind the signal dies of it, since it is not number 1.
    let mut running = tinbox.start("--init", "echo ready; exec sleep 1000");
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait(), 128 + 15);
}

fn an_init_passes_on_the_status() {
    let tinbox = Tinbox::new();
    for status in [0, 1, 7, 125, 255] {
        assert_eq!(tinbox.sh("--init", &format!("exit {status}")).status, status);
    }
    assert_eq!(tinbox.sh("--init", "kill -KILL $$").status, 137);
    assert_eq!(tinbox.sh("--init", "kill -SEGV $$").status, 128 + 11);
    assert_eq!(tinbox.tinbox("run --rm --init base no-such-program").status, 127);
    assert_eq!(tinbox.tinbox("run --rm --init base /etc/passwd").status, 126);
    assert_eq!(tinbox.sh("--init", "echo $$; cat /proc/1/comm").ok(), "2\ntinbox\n");
    assert!(tinbox.leftovers().is_empty());
}

fn an_init_ends_with_tinbox() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("--init", "echo ready; exec sleep 1000 < /dev/null > /dev/null 2>&1");
    let command = Process::open(children(running.init())[0]);
    running.signal(Signal::SIGKILL);
    running.wait();
    let ended = command.ends_within(PollTimeout::from(10_000_u16));
    command.kill();
    assert!(ended);
}

fn clocks_of_its_own() {
    let tinbox = Tinbox::armed();
    let year = 31_536_000.0;
    let seconds = |ended: Ended| ended.ok().split_whitespace().next().unwrap().parse::<f64>().unwrap();
    let uptime = |options: &str| seconds(tinbox.sh(options, "cat /proc/uptime"));
    let monotonic = |options: &str| seconds(tinbox.act(options, "clock"));
    assert!(uptime("") < year && monotonic("") < year, "the machine is up for a year");
    assert!(uptime("--init --time-offset 31536000") >= year);
    assert!(monotonic("--init --time-offset 31536000") >= year);
    assert!(uptime("--init --time-offset boottime=31536000") >= year);
    assert!(monotonic("--init --time-offset boottime=31536000") < year);
    assert!(monotonic("--init --time-offset monotonic=31536000") >= year);
    // Without an init it depends on the kernel, and says so.
    let alone = tinbox.sh("--time-offset 31536000", "cat /proc/uptime");
    match alone.status {
        0 => assert!(seconds(alone) >= year),
        _ => assert!(alone.fails(125).contains("--time-offset needs Linux 6.3, or --init")),
    }
}

fn your_id_is_kept() {
    let tinbox = Tinbox::new();
    let (uid, gid) = (geteuid(), getegid());
    assert_eq!(tinbox.sh("--userns keep-id", "id -u; id -g").ok(), format!("{uid}\n{gid}\n"));
    let evidence = tinbox.start("--userns keep-id", WAITING).evidence();
    assert_eq!((evidence.ids.uid.effective, evidence.ids.gid.effective), (uid.as_raw(), gid.as_raw()));
    assert!(evidence.capabilities.effective.is_empty(), "an ordinary user inside, too");
}

fn your_id_is_kept_without_ranges() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.sh_command("--userns keep-id", "id -u; id -g; cat /proc/self/uid_map");
    // newuidmap is not to be found.
    let said = Ended::of(command.env("PATH", "/nowhere").output().unwrap()).ok();
    let (uid, gid) = (geteuid(), getegid());
    let expected = [uid.to_string(), gid.to_string(), uid.to_string(), uid.to_string(), "1".into()];
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), expected);
}

fn other_users_are_of_your_range() {
    let tinbox = Tinbox::new();
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let evidence = |options: &str| tinbox.start(options, WAITING).evidence();
    let root = evidence("");
    assert_eq!((root.ids.uid.effective, root.ids.gid.effective), (uid, gid));
    let other = evidence("-u 1234:5678");
    let lent = &other.ids.uid_map[1];
    assert_eq!(other.ids.uid.effective, lent.outside + 1234 - lent.inside);
    assert_eq!(other.ids.gid.effective, other.ids.gid_map[1].outside + 5678 - other.ids.gid_map[1].inside);
    // With keep-id it is root who is of the range.
    let root = evidence("--userns keep-id -u 0");
    assert_eq!(root.ids.uid.effective, lent.outside);
    // Files can be given to them, and groups added.
    assert_eq!(tinbox.sh("", "touch /f; chown 33:44 /f; stat -c %u:%g /f").ok(), "33:44\n");
    assert_eq!(tinbox.sh("-u 1234 --group-add 77", "id -G").ok(), "0 77\n");
}
