//! `-t`: a terminal for the container, shown in yours.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use std::os::unix::process::CommandExt;

use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::Containers;

pub const TESTS: &[Test] = &[
    ("it_is_a_terminal_of_its_own", &[Containers], it_is_a_terminal_of_its_own),
    ("keys_reach_the_container", &[Containers], keys_reach_the_container),
    ("ctrl_c_comes_once", &[Containers], ctrl_c_comes_once),
    ("a_resize_reaches_the_container", &[Containers], a_resize_reaches_the_container),
    ("yours_is_as_before_afterwards", &[Containers], yours_is_as_before_afterwards),
    ("without_i_it_is_only_shown", &[Containers], without_i_it_is_only_shown),
    ("a_terminal_that_goes_ends_the_container_and_keeps_it", &[Containers], a_terminal_that_goes),
];

/// Starts `tinbox run --rm OPTIONS base sh -c SCRIPT` in a terminal of 80 × 24.
fn session(tinbox: &Tinbox, options: &str, script: &str) -> PtySession {
    in_terminal(tinbox.sh_command(options, script))
}

fn in_terminal(mut command: Command) -> PtySession {
    // A terminal is given by the session; the null of other tests would be taken for it.
    command.stdin(std::process::Stdio::inherit());
    spawn_command(command, Some(20_000)).unwrap()
}

fn it_is_a_terminal_of_its_own() {
    let tinbox = Tinbox::new();
    let mut session =
        session(&tinbox, "-it", "test -t 0 && test -t 1 && test -t 2 && readlink /proc/self/fd/0; echo $TERM; exit 5");
    session.exp_string("/dev/pts/0").unwrap();
    session.exp_string("xterm").unwrap();
    assert_status(&session, 5);
}

fn keys_reach_the_container() {
    let tinbox = Tinbox::new();
    let mut session = session(
        &tinbox,
        "-it",
        "trap 'echo interrupted' INT; echo ready; until read x && test -n $x; do :; done; echo got $x",
    );
    session.exp_string("ready").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("interrupted").unwrap();
    session.send_line("hello").unwrap();
    session.exp_string("got hello").unwrap();
    assert_status(&session, 0);
}

/// The terminal's driver sends it to the foreground, and the init, which must not be there, would send it again. A
/// signal that comes while another one waits is lost, so to count them is not enough: the program also looks who is in
/// the foreground.
fn ctrl_c_comes_once() {
    let tinbox = Tinbox::armed();
    for options in ["-it", "-it --init"] {
        let mut session = in_terminal(tinbox.act_command(options, "count-interrupts"));
        session.exp_string("ready").unwrap();
        for _ in 0..8 {
            session.send_control('c').unwrap();
            session.exp_string("interrupted").unwrap();
        }
        session.send_line("end").unwrap();
        session.exp_string("got 8.").unwrap();
        assert_status(&session, 0);
    }
}

fn a_resize_reaches_the_container() {
    let tinbox = Tinbox::new();
    let script = "stty size; trap 'stty size; exit 0' WINCH; echo ready; while :; do read x; done";
    let mut session = session(&tinbox, "-it", script);
    session.exp_string("ready").unwrap();
    resize(&session, 40, 132);
    session.exp_string("40 132").unwrap();
    assert_status(&session, 0);
}

fn yours_is_as_before_afterwards() {
    let tinbox = Tinbox::new();
    // The shell outside compares the settings of its terminal before and after, however the container ends.
    let run = |how: &str| format!("{} run --rm -it base sh -c '{how}'", crate::support::TINBOX);
    let script = format!(
        "before=$(stty -g); {}; {}; test \"$before\" = \"$(stty -g)\" && echo same",
        run("stty raw -echo; exit 1"),
        run("kill -9 1; exit 2"),
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("TINBOX_ROOT", tinbox.path("")).env("NO_COLOR", "1");
    let mut session = in_terminal(shell);
    session.exp_string("same").unwrap();
}

fn without_i_it_is_only_shown() {
    let tinbox = Tinbox::new();
    let mut session = session(&tinbox, "-t", "test -t 1 && echo shown");
    session.exp_string("shown").unwrap();
    assert_status(&session, 0);
}

fn resize(session: &PtySession, rows: u16, columns: u16) {
    use std::os::fd::AsRawFd;
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = session.process().get_file_handle().unwrap();
    // SAFETY: TIOCSWINSZ reads one winsize.
    let answer = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    assert_eq!(answer, 0);
}

#[track_caller]
fn assert_status(session: &PtySession, status: i32) {
    let ended = format!("{:?}", session.process().wait().unwrap());
    assert!(ended.starts_with("Exited") && ended.ends_with(&format!(", {status})")), "{ended}");
}

/// A window that is closed: the kernel sends SIGHUP, and SIGCONT after it, and from then on the terminal says EIO.
fn a_terminal_that_goes() {
    let tinbox = Tinbox::new();
    let pty = nix::pty::openpty(None, None).unwrap();
    // Or tinbox would hold the other side itself, and the window would never be closed.
    let close_on_exec = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC);
    nix::fcntl::fcntl(&pty.master, close_on_exec).unwrap();
    let mut command =
        tinbox.command(["run", "-it", "--name", "cut", "base", "sh", "-c", "echo ready; exec sleep 1000"]);
    let side = || std::process::Stdio::from(pty.slave.try_clone().unwrap());
    command.stdin(side()).stdout(side()).stderr(side());
    // SAFETY: two system calls, which a child may make before its execve.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            nix::errno::Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
            Ok(())
        });
    }
    let mut running = command.spawn().unwrap();
    drop(command);
    drop(pty.slave);
    let mut master = std::fs::File::from(pty.master);
    let mut seen = Vec::new();
    while !seen.windows(5).any(|word| word == b"ready") {
        let mut piece = [0; 64];
        let length = std::io::Read::read(&mut master, &mut piece).unwrap();
        seen.extend_from_slice(&piece[..length]);
    }
    drop(master);
    // `sleep` has number 1, and does not hear SIGHUP: so the container is asked to end three times.
    let pid = nix::unistd::Pid::from_raw(running.id() as i32);
    for _ in 0..3 {
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        tinbox.tinbox("ps").ok();
    }
    assert_eq!(running.wait().unwrap().code(), Some(137));
    assert!(tinbox.tinbox("ps -a").ok().contains("Exited (137)"));
    tinbox.tinbox("rm cut").ok();
}
