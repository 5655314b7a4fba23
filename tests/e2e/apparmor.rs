//! Root's containers under AppArmor, where the kernel has it. Each refusal is first shown not to come from elsewhere:
//! without the profile, the same is done.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::Test;
use crate::support::need::Need::{self, AppArmor, Root};
use crate::support::{Ended, TINBOX, Tinbox};

const ROOTS: &[Need] = &[Root, AppArmor];

pub const TESTS: &[Test] = &[
    ("every_program_is_under_the_profile", ROOTS, every_program_is_under_the_profile),
    ("it_can_be_left_out", ROOTS, it_can_be_left_out),
    ("a_profile_that_is_not_loaded", ROOTS, a_profile_that_is_not_loaded),
    ("a_profile_that_cannot_be_loaded", ROOTS, a_profile_that_cannot_be_loaded),
    ("nothing_is_mounted_with_the_power_to", ROOTS, nothing_is_mounted_with_the_power_to),
    ("settings_stay_closed_without_masks", ROOTS, settings_stay_closed_without_masks),
    ("processes_of_the_machine_get_no_signals", ROOTS, processes_of_the_machine_get_no_signals),
    ("neighbours_signal_and_look_at_each_other", ROOTS, neighbours_signal_and_look_at_each_other),
    ("an_init_hears_those_inside", ROOTS, an_init_hears_those_inside),
    ("the_machine_ends_it", ROOTS, the_machine_ends_it),
    ("files_as_usual", ROOTS, files_as_usual),
];

const UNDER_IT: &str = "tinbox-default (enforce)\n";
const UNDER_NONE: &str = "unconfined\n";

fn every_program_is_under_the_profile() {
    let tinbox = Tinbox::new();
    let label =
        |options: &str, of: &str| tinbox.tinbox(&format!("run --rm {options} base cat /proc/{of}/attr/current"));
    assert_eq!(label("", "self").ok(), UNDER_IT);
    assert_eq!(label("--user 1234:5678", "self").ok(), UNDER_IT);
    assert_eq!(label("--security-opt no-new-privileges=false", "self").ok(), UNDER_IT);
    assert_eq!(label("--security-opt apparmor=tinbox-default", "self").ok(), UNDER_IT);
    assert_eq!(label("--init", "self").ok(), UNDER_IT);
    assert_eq!(label("--init", "1").ok(), UNDER_IT);
}

fn it_can_be_left_out() {
    let tinbox = Tinbox::new();
    for options in ["--privileged", "--security-opt apparmor=unconfined"] {
        let label = tinbox.tinbox(&format!("run --rm {options} base cat /proc/self/attr/current"));
        assert_eq!(label.ok(), UNDER_NONE, "{options}");
    }
}

fn a_profile_that_is_not_loaded() {
    let complaint = Tinbox::new().tinbox("run --rm --security-opt apparmor=nobodys base true").fails(125);
    insta::assert_snapshot!(complaint, @r"
    tinbox: --security-opt apparmor=nobodys: no such profile is loaded
      help: apparmor_parser --add FILE
    ");
}

/// Where no profile is loaded (an empty list is mounted over the kernel's) and the parser cannot help, there is no
/// container, unless it is to have no profile.
fn a_profile_that_cannot_be_loaded() {
    let tinbox = Tinbox::new();
    let parser = tinbox.path("apparmor_parser");
    std::fs::write(&parser, "#!/bin/sh\necho it is broken >&2; exit 1\n").unwrap();
    std::fs::set_permissions(&parser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = "mount -t tmpfs tmpfs /sys/kernel/security && mkdir /sys/kernel/security/apparmor &&
        : > /sys/kernel/security/apparmor/profiles && PATH=$TINBOX_ROOT:$PATH exec \"$@\"";
    let run = |options: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh", TINBOX, "run", "--rm"]).args(options).args(["base", "true"]);
        Ended::of(command.env("TINBOX_ROOT", tinbox.path("")).stdin(Stdio::null()).output().unwrap())
    };
    insta::assert_snapshot!(run(&[]).fails(125), @r"
    tinbox: load the AppArmor profile tinbox-default: apparmor_parser: it is broken
      help: `--security-opt apparmor=unconfined` does without
    ");
    run(&["--security-opt", "apparmor=unconfined"]).ok();
}

/// What [`Tinbox::sh`] answers under the profile, and without it.
fn with_and_without(tinbox: &Tinbox, options: &str, script: &str) -> [String; 2] {
    let without = format!("{options} --security-opt apparmor=unconfined");
    [options, &without].map(|options| {
        let ended = tinbox.sh(options, script);
        assert_eq!(ended.status, 0, "{options}: {ended:?}");
        ended.stdout
    })
}

fn nothing_is_mounted_with_the_power_to() {
    let script = "mount -t tmpfs none /tmp 2>/dev/null && echo new; mount -o bind /etc /tmp 2>/dev/null && echo bound
        mount -o remount,rw /proc/sys 2>/dev/null && echo writable; echo .";
    let answers = with_and_without(&Tinbox::new(), "--cap-add SYS_ADMIN", script);
    assert_eq!(answers, [".\n", "new\nbound\nwritable\n.\n"]);
}

/// The name is one of its own UTS namespace, so nothing of the machine is changed.
fn settings_stay_closed_without_masks() {
    let script = "cat /proc/sys/kernel/ostype; (echo new > /proc/sys/kernel/hostname) 2>/dev/null && echo written
        ls /sys/firmware/* > /dev/null 2>&1 && echo listed; head -c 1 /proc/kcore > /dev/null 2>&1 && echo read; echo .";
    let powers = "--security-opt systempaths=unconfined --cap-add SYS_RAWIO";
    let answers = with_and_without(&Tinbox::new(), powers, script);
    assert_eq!(answers, ["Linux\n.\n", "Linux\nwritten\nlisted\nread\n.\n"]);
}

fn processes_of_the_machine_get_no_signals() {
    let mut stranger = Command::new("sleep").arg("1000").spawn().unwrap();
    let script = format!("kill -s 0 {0} 2>/dev/null && echo signalled; readlink /proc/{0}/exe; echo .", stranger.id());
    let answers = with_and_without(&Tinbox::new(), "--pid host --cap-add SYS_PTRACE", &script);
    stranger.kill().and_then(|()| stranger.wait()).unwrap();
    assert_eq!(answers[0], ".\n");
    assert!(answers[1].starts_with("signalled\n/"), "{}", answers[1]);
}

fn neighbours_signal_and_look_at_each_other() {
    let script = "sleep 1000 & readlink /proc/$!/exe > /dev/null && kill $!; wait $!; echo $?";
    for options in ["", "--user 1234"] {
        assert_eq!(Tinbox::new().sh(options, script).stdout, "143\n", "{options}");
    }
}

fn an_init_hears_those_inside() {
    let script = "trap 'echo heard; exit 5' TERM; kill 1; while :; do sleep 1; done";
    let ended = Tinbox::new().sh("--init", script);
    assert_eq!((ended.status, ended.stdout.as_str()), (5, "heard\n"), "{}", ended.stderr);
}

fn the_machine_ends_it() {
    let tinbox = Tinbox::new();
    let mut polite = tinbox.start("", "trap 'echo bye; exit 6' INT; echo ready; while :; do sleep 0.1; done");
    polite.signal(Signal::SIGINT);
    assert_eq!((polite.line().as_str(), polite.wait()), ("bye", 6));
    let mut removed = tinbox.start("--name deaf", "trap '' TERM INT; echo ready; while :; do sleep 1; done");
    tinbox.tinbox("rm --force deaf").ok();
    assert_eq!(removed.wait(), 137);
}

fn files_as_usual() {
    let script = "cd /tmp && mkdir a && echo 1 > a/b && ln a/b a/c && ln -s b a/d && mv a/c a/e && cp -a a f
        chmod 711 f && chown 5:5 f && rm -r a f && printf '#!/bin/sh\\necho ran\\n' > g && chmod +x g && ./g
        exec 3<> gone && rm gone && echo kept >&3 && cat < /proc/self/fd/3
        echo 100 > /proc/self/oom_score_adj && cat /proc/self/oom_score_adj";
    assert_eq!(Tinbox::new().sh("", script).ok(), "ran\nkept\n100\n");
}
