//! Processes and terminals outside: to kill or trace a neighbour, to type commands into the terminal of who started the
//! container (`TIOCSTI`), to reach a service by a name that is in no file system (CVE-2020-15257).
//!
//! Stopped by: a PID namespace; a terminal, or pipes, and a session of the container's own; a network namespace, and
//! no such service of ours.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Child, Command};

use rexpect::session::spawn_command;

use super::NO_FILTER;
use crate::Test;
use crate::acts::SWITCH;
use crate::support::Tinbox;
use crate::support::armed::{act_outside, armed_root};
use crate::support::need::Need::{Containers, Root, Typing};

pub const TESTS: &[Test] = &[
    ("processes_outside_are_not_killed", &[Containers], processes_outside_are_not_killed),
    ("processes_outside_are_not_traced", &[Containers, Root], processes_outside_are_not_traced),
    ("nothing_is_typed_into_the_callers_terminal", &[Containers, Typing], nothing_is_typed_into_the_callers_terminal),
    ("sockets_without_a_path", &[Containers], sockets_without_a_path),
    ("we_have_no_socket_with_a_name", &[Containers], we_have_no_socket_with_a_name),
];

/// A process of the machine, of this user.
struct Victim(Child);

impl Victim {
    fn new() -> Victim {
        Victim(Command::new("sleep").arg("1000").spawn().unwrap())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn processes_outside_are_not_killed() {
    let (tinbox, victim) = (Tinbox::armed(), Victim::new());
    let words = format!("signal {}", victim.0.id());
    // AppArmor, where there is one, stops it without a PID namespace.
    let weak = "--pid host --security-opt apparmor=unconfined";
    assert!(tinbox.act(weak, &words).ok().contains("can be killed"));
    assert_eq!(tinbox.act("", &words).fails(1), "act: ESRCH\n");
    assert_eq!(tinbox.act("--privileged", &words).fails(1), "act: ESRCH\n");
}

fn processes_outside_are_not_traced() {
    let (tinbox, victim) = (Tinbox::armed(), Victim::new());
    let words = format!("trace {}", victim.0.id());
    assert!(tinbox.act("--pid host --privileged", &words).ok().contains("traced"));
    // Who sees it still has less power than it.
    assert_eq!(tinbox.act("--pid host", &words).fails(1), "act: EPERM\n");
    assert_eq!(tinbox.act("", &words).fails(1), "act: ESRCH\n");
}

/// What the shell that started `command` reads from its terminal afterwards, if a person types `mine`.
fn read_after(command: &Command) -> String {
    let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_string_lossy());
    let words: Vec<String> = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect();
    let mut shell = Command::new("sh");
    // A terminal would show what is typed, too.
    shell.args(["-c", &format!("stty -echo; {}; echo ended; read x; echo got:$x.", words.join(" "))]);
    shell.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let mut session = spawn_command(shell, Some(20_000)).unwrap();
    session.exp_string("ended").unwrap();
    session.send_line("mine").unwrap();
    session.exp_string("got:").unwrap();
    session.exp_string(".").unwrap()
}

fn nothing_is_typed_into_the_callers_terminal() {
    let root = armed_root();
    let naive = act_outside(&format!("naive-run {} / /bin/act {SWITCH} type hijacked", root.path().display()));
    assert_eq!(read_after(&naive), "hijacked");
    let tinbox = Tinbox::armed();
    for options in ["", "-t", "-it", "-i", "--privileged", NO_FILTER, "--privileged -it"] {
        assert_eq!(read_after(&tinbox.act_command(options, "type hijacked")), "mine", "{options}");
    }
}

fn sockets_without_a_path() {
    let name = format!("tinbox-e2e-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let tinbox = Tinbox::armed();
    let words = format!("connect {name}");
    assert!(tinbox.act("--network host", &words).ok().contains("connected"));
    assert_eq!(tinbox.act("", &words).fails(1), "act: ECONNREFUSED\n");
}

fn we_have_no_socket_with_a_name() {
    let tinbox = Tinbox::new();
    let running = tinbox.start("--network host --init", "echo ready; read never");
    let names = std::fs::read_to_string("/proc/net/unix").unwrap();
    for pid in [running.monitor(), running.init()] {
        let descriptors = look::Evidence::of(pid).unwrap().descriptors;
        for descriptor in descriptors.value().into_iter().flatten() {
            let Some(inode) = descriptor.target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')) else {
                continue;
            };
            let named = names.lines().find(|line| line.split_whitespace().nth(6) == Some(inode));
            assert!(named.is_none_or(|line| line.split_whitespace().nth(7).is_none()), "{named:?}");
        }
    }
}
