//! `tinbox run`: statuses, streams, variables, users, names of things.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::Gid;

use crate::Test;
use crate::support::need::Need::{Containers, Root, Unshare};
use crate::support::{Ended, TINBOX, Tinbox, remove_all};

pub const TESTS: &[Test] = &[
    ("the_status_is_the_commands", &[Containers], the_status_is_the_commands),
    ("what_cannot_be_run_says_why", &[Containers], what_cannot_be_run_says_why),
    ("signals_are_passed_on", &[Containers], signals_are_passed_on),
    ("the_third_int_kills", &[Containers], the_third_int_kills),
    ("death_by_a_signal_is_128_plus_n", &[Containers], death_by_a_signal_is_128_plus_n),
    ("stdin_only_with_i", &[Containers], stdin_only_with_i),
    ("streams_are_apart_and_complete", &[Containers], streams_are_apart_and_complete),
    ("a_reader_that_leaves_is_noticed", &[Containers], a_reader_that_leaves_is_noticed),
    ("variables", &[Containers], variables),
    ("what_follows_the_image_is_the_commands", &[Containers], what_follows_the_image_is_the_commands),
    ("the_working_directory_is_made", &[Containers], the_working_directory_is_made),
    ("users_by_name_and_number", &[Containers], users_by_name_and_number),
    ("users_groups_are_the_images", &[Containers, Root], users_groups_are_the_images),
    ("the_users_streams_can_be_opened_again", &[Containers], the_users_streams_can_be_opened_again),
    ("host_names", &[Containers], host_names),
    ("bad_input_is_refused_before_anything_is_done", &[], bad_input_is_refused_before_anything_is_done),
    ("mistakes_have_dockers_statuses", &[], mistakes_have_dockers_statuses),
    ("a_missing_image_is_named", &[], a_missing_image_is_named),
    (
        "where_overlay_cannot_stack_the_image_is_copied",
        &[Containers, Unshare],
        where_overlay_cannot_stack_the_image_is_copied,
    ),
    ("root_of_a_user_namespace_will_do", &[Containers, Unshare], root_of_a_user_namespace_will_do),
    ("the_command_begins_with_the_usual_umask", &[Containers], the_command_begins_with_the_usual_umask),
    ("the_command_begins_with_defaults_for_signals", &[Containers], the_command_begins_with_defaults_for_signals),
    ("it_knows_its_own_name", &[Containers], it_knows_its_own_name),
    ("the_last_of_two_options_counts", &[Containers], the_last_of_two_options_counts),
    ("what_cannot_be_said_changes_nothing", &[Containers], what_cannot_be_said_changes_nothing),
];

fn the_status_is_the_commands() {
    let tinbox = Tinbox::new();
    for status in [0, 1, 7, 125, 255] {
        assert_eq!(tinbox.sh("", &format!("exit {status}")).status, status);
    }
    assert_eq!(tinbox.leftovers(), [""; 0].map(std::path::PathBuf::from));
}

fn what_cannot_be_run_says_why() {
    let tinbox = Tinbox::new();
    let script = "printf '#!/nope\\n' > /a; echo plain > /b; echo text > /c; chmod +x /a /c";
    tinbox.command(["run", "--name", "made", "base", "sh", "-c", script]).status().unwrap();
    let says = |command: &str, status| tinbox.tinbox(&format!("run --rm base {command}")).fails(status);
    insta::assert_snapshot!(says("nope", 127), @"tinbox: run nope: executable file not found in the container's PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)");
    insta::assert_snapshot!(says("/no/such/file", 127), @"tinbox: run /no/such/file: no such file in the container");
    insta::assert_snapshot!(says("/etc", 126), @"tinbox: run /etc: permission denied: it is a directory");
    insta::assert_snapshot!(says("/etc/passwd", 126), @"tinbox: run /etc/passwd: permission denied: it, or a directory above it, is not executable for this user");
}

fn signals_are_passed_on() {
    let tinbox = Tinbox::new();
    for (signal, name) in [(Signal::SIGTERM, "TERM"), (Signal::SIGHUP, "HUP"), (Signal::SIGUSR1, "USR1")] {
        let mut running = tinbox.start("", &format!("trap 'exit 42' {name}; echo ready; read never"));
        running.signal(signal);
        assert_eq!(running.wait(), 42, "{name}");
    }
}

fn the_third_int_kills() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("", "trap 'echo heard' INT TERM; echo ready; while :; do read never; done");
    running.signal(Signal::SIGINT);
    assert_eq!(running.line(), "heard");
    running.signal(Signal::SIGTERM);
    assert_eq!(running.line(), "heard");
    running.signal(Signal::SIGINT);
    assert_eq!(running.wait(), 137);
}

fn death_by_a_signal_is_128_plus_n() {
    let tinbox = Tinbox::new();
    let mut running = tinbox.start("", "echo ready; read never");
    nix::sys::signal::kill(running.init(), Signal::SIGKILL).unwrap();
    assert_eq!(running.wait(), 137);
}

fn stdin_only_with_i() {
    let tinbox = Tinbox::new();
    let feed = |options: &str| {
        let mut child = tinbox.sh_command(options, "cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // Without -i nobody reads it, so the pipe may be closed already.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"hello");
        Ended::of(child.wait_with_output().unwrap()).stdout
    };
    assert_eq!(feed("-i"), "hello");
    assert_eq!(feed(""), "");
}

fn streams_are_apart_and_complete() {
    let script = "i=0; while [ $i -lt 30000 ]; do echo out-$i; echo err-$i >&2; i=$((i+1)); done";
    let ended = Tinbox::new().sh("", script);
    let expected = |name: &str| (0..30000).map(|i| format!("{name}-{i}\n")).collect::<String>();
    assert!(ended.stdout == expected("out") && ended.stderr == expected("err"));
}

fn a_reader_that_leaves_is_noticed() {
    let tinbox = Tinbox::new();
    let mut child = tinbox
        .sh_command("", "while echo line; do :; done 2>/dev/null; exit 3")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 5];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    assert_eq!((&some, child.wait().unwrap().code()), (b"line\n", Some(3)));
}

fn variables() {
    let tinbox = Tinbox::new();
    let run = |options: &[&str]| {
        let mut command = tinbox.command(["run", "--rm", "--hostname", "box"]);
        command.args(options).args(["base", "env"]).env("PASSED", "on").env_remove("ABSENT");
        let mut lines: Vec<String> = Ended::of(command.output().unwrap()).ok().lines().map(str::to_owned).collect();
        lines.sort();
        lines.join("\n")
    };
    insta::assert_snapshot!(run(&["-e", "A=1", "-e", "PASSED", "-e", "ABSENT", "-e", "A=two words"]), @r"
    A=two words
    HOME=/root
    HOSTNAME=box
    PASSED=on
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    ");
}

fn what_follows_the_image_is_the_commands() {
    let tinbox = Tinbox::new();
    let echo = |words: &str| tinbox.tinbox(&format!("run --rm base echo {words}")).ok();
    assert_eq!(echo("--rm -e X=1 -it --help"), "--rm -e X=1 -it --help\n");
    assert_eq!(echo("-- --name q"), "-- --name q\n");
    for word in ["--rm", "-u", "--help", "-c"] {
        let error = tinbox.tinbox(&format!("run --rm base {word}")).fails(127);
        assert!(error.contains(&format!("run {word}: executable file not found")), "{error}");
    }
}

fn the_working_directory_is_made() {
    let tinbox = Tinbox::new();
    assert_eq!(tinbox.sh("-w /a/b", "pwd; cd ..; pwd").ok(), "/a/b\n/a\n");
    assert_eq!(tinbox.sh("-w /proc", "pwd").ok(), "/proc\n");
    assert_eq!(tinbox.sh("-w /../../etc", "pwd").ok(), "/etc\n");
}

fn users_by_name_and_number() {
    let tinbox = Tinbox::new();
    let who = |user: &str| tinbox.sh(&format!("-u {user}"), "id -u; id -g; echo $HOME; cd /tmp && : > made").ok();
    assert_eq!(who("root"), "0\n0\n/root\n");
    assert_eq!(who("nobody"), "65534\n65534\n/\n");
    assert_eq!(who("1234"), "1234\n0\n/\n");
    assert_eq!(who("1234:5678"), "1234\n5678\n/\n");
    let error = tinbox.sh("-u eve", "id").fails(125);
    assert!(error.contains("unable to find user eve: no matching entries in the image's passwd file"), "{error}");
}

fn users_groups_are_the_images() {
    let tinbox = Tinbox::new();
    let groups = |options: &str| {
        let mut command = tinbox.sh_command(options, "id -G");
        // SAFETY: setgroups is a single system call, safe between fork and exec.
        unsafe { command.pre_exec(|| Ok(nix::unistd::setgroups(&[Gid::from_raw(4), Gid::from_raw(24)])?)) };
        Ended::of(command.output().unwrap()).ok()
    };
    // Whoever calls tinbox may be in any groups: none of them comes along.
    assert_eq!(groups("-u nobody"), "65534\n");
    assert_eq!(groups(""), "0\n");
}

fn the_users_streams_can_be_opened_again() {
    let tinbox = Tinbox::new();
    let ended = tinbox.sh("-u 1234", "echo one > /dev/stdout; echo two > /dev/stderr");
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (0, "one\n", "two\n"));
}

fn host_names() {
    let tinbox = Tinbox::new();
    let own = nix::unistd::gethostname().unwrap();
    assert_eq!(tinbox.sh("--hostname box", "hostname").ok(), "box\n");
    assert_eq!(tinbox.sh("-h box", "hostname").ok(), "box\n");
    let usual = tinbox.sh("", "hostname; echo $HOSTNAME").ok();
    let (name, variable) = usual.trim().split_once('\n').unwrap();
    assert!(name.len() == 12 && name == variable && name.bytes().all(|b| b.is_ascii_hexdigit()), "{usual}");
    assert_eq!(nix::unistd::gethostname().unwrap(), own);
}

fn bad_input_is_refused_before_anything_is_done() {
    let tinbox = Tinbox::new();
    for (arguments, says) in [
        ("run -w relative base true", "the working directory 'relative' is invalid, it needs to be an absolute path"),
        ("run --hostname a..b base true", "invalid hostname: a..b"),
        ("run --name .x base true", "Invalid container name (.x)"),
        ("run --name ../x base true", "Invalid container name (../x)"),
        ("run -e =x base true", "invalid environment variable: =x"),
        ("run -u 99999999999 base true", "ids go from 0 to 4294967294"),
        ("run -it base true", "the input device is not a TTY"),
        ("run BASE", "invalid reference format"),
        ("run --no-such-flag base", "--no-such-flag: `tinbox run` has no such option, or not yet"),
    ] {
        let error = tinbox.tinbox(arguments).fails(125);
        assert!(error.contains(says), "{arguments}: {error}");
        assert!(tinbox.leftovers().is_empty(), "{arguments}: {:?}", tinbox.leftovers());
    }
}

fn mistakes_have_dockers_statuses() {
    let tinbox = Tinbox::without_images();
    for (arguments, status, says) in [
        ("nonsense", 1, "there is no command 'nonsense', or not yet: there are run, ps, rm, "),
        ("imags", 1, "help: did you mean `tinbox images`?"),
        ("image nonsense", 1, "there is no command 'nonsense', or not yet: there are ls, "),
        ("images --nonsense", 125, "--nonsense: `tinbox images` has no such option, or not yet"),
        (
            "images a b",
            1,
            "\"tinbox images\" requires at most 1 argument.\n  help: tinbox images [OPTIONS] [NAME[:TAG]]",
        ),
        ("pull a b", 1, "\"tinbox pull\" requires exactly 1 argument."),
        ("tag a", 1, "\"tinbox tag\" requires exactly 2 arguments."),
        ("rmi", 1, "\"tinbox rmi\" requires at least 1 argument."),
        ("import", 1, "\"tinbox import\" requires at least 1 and at most 2 arguments."),
        ("ps a", 1, "\"tinbox ps\" accepts no arguments."),
        ("run --rm", 1, "\"tinbox run\" requires at least 1 argument."),
    ] {
        let error = tinbox.tinbox(arguments).fails(status);
        assert!(error.contains(says), "{arguments}: {error}");
    }
    for (arguments, says) in [("", "Usage: tinbox [OPTIONS] <COMMAND>"), ("image", "Usage: tinbox image <COMMAND>")] {
        assert!(tinbox.tinbox(arguments).ok().contains(says), "{arguments}");
    }
    assert_eq!(tinbox.tinbox("image list").ok(), tinbox.tinbox("images").ok());
    assert!(tinbox.tinbox("image remove nothing").fails(1).contains("No such image: nothing"));
}

fn a_missing_image_is_named() {
    // Nobody listens on port 1, so no network is asked.
    insta::assert_snapshot!(Tinbox::without_images().tinbox("run --rm 127.0.0.1:1/nginx").fails(125), @r"
    Unable to find image '127.0.0.1:1/nginx:latest' locally
    tinbox: 127.0.0.1:1 could not be reached: connection refused: nothing listens there
      help: the image `base` needs no network; `tinbox load` takes images from a file; and who has them can share them: `tinbox registry serve`
    ");
}

fn the_command_begins_with_defaults_for_signals() {
    let status = Tinbox::new().tinbox("run --rm base cat /proc/self/status").ok();
    let mask = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    for name in ["SigBlk:", "SigIgn:", "SigCgt:"] {
        assert_eq!(mask(name), "0000000000000000", "{name}");
    }
}

fn the_command_begins_with_the_usual_umask() {
    let tinbox = Tinbox::new();
    let mut command = tinbox.sh_command("", "umask; : > /made; ls -l /made | cut -c 1-10");
    // SAFETY: umask is a single system call, safe between fork and exec.
    unsafe { command.pre_exec(|| Ok(umask(Mode::S_IRWXO)).map(|_before| ())) };
    assert_eq!(Ended::of(command.output().unwrap()).ok(), "0022\n-rw-r--r--\n");
}

/// Runs `script` as root of a new user namespace with a mount table of its own, in a new directory.
fn in_user_namespace(script: &str) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script, TINBOX]).current_dir(&directory);
    let ended = Ended::of(unshare.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap());
    remove_all(directory.path());
    ended
}

fn root_of_a_user_namespace_will_do() {
    let script = "TINBOX_ROOT=$PWD/state $0 run --rm base sh -c 'id -u; ls /dev/null /sys/kernel'";
    assert!(in_user_namespace(script).ok().starts_with("0\n/dev/null\n"));
}

fn where_overlay_cannot_stack_the_image_is_copied() {
    let script = "mkdir lower upper work merged
        mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr merged
        export TINBOX_ROOT=$PWD/merged
        for run in 1 2; do $0 run --rm base sh -c 'test ! -e /mine; echo mine > /mine; cat /mine'; done
        ls $TINBOX_ROOT/containers";
    let ended = in_user_namespace(script);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "mine\nmine\n"), "{}", ended.stderr);
    assert_eq!(
        ended.stderr.matches("overlay does not work here, so the image is copied").count(),
        2,
        "{}",
        ended.stderr
    );
}

fn it_knows_its_own_name() {
    let tinbox = Tinbox::new();
    let said = tinbox.sh("--hostname box", "cat /etc/hostname; grep box /etc/hosts; stat -c %a /etc/hosts").ok();
    assert_eq!(said, "box\n127.0.1.1\tbox\n644\n");
    // It may be changed, and what is changed is this container's alone.
    assert_eq!(tinbox.sh("", "echo 192.0.2.1 other >> /etc/hosts && tail -n 1 /etc/hosts").ok(), "192.0.2.1 other\n");
    assert_eq!(tinbox.sh("", "grep -c other /etc/hosts").status, 1);
}

fn the_last_of_two_options_counts() {
    let tinbox = Tinbox::new();
    assert_eq!(
        tinbox.sh("--rm --hostname one --hostname two --init=false -e A=1 -e B=2", "hostname; echo $A$B").ok(),
        "two\n12\n"
    );
}

fn what_cannot_be_said_changes_nothing() {
    let tinbox = Tinbox::new();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = tinbox.command(["run", "--name", "mute", "base", "/no/such/program"]);
    assert_eq!(command.stderr(full()).status().unwrap().code(), Some(127));
    assert!(tinbox.tinbox("ps -a").ok().contains("Exited (127)"));
    assert_eq!(tinbox.command(["ps", "-a"]).stdout(full()).stderr(full()).status().unwrap().code(), Some(1));
}
