//! What connects you and the container: three pipes, or one terminal.
//!
//! The container never gets your own descriptors. Over a terminal of yours it could type commands for you
//! (`TIOCSTI`), and a file of yours it could truncate.

use std::io::IsTerminal;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result, ensure};
use chroot::inside::Root;
use look::kernel::{self, Target};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::Mode;
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, pipe2};

use crate::container::plan::Plan;
use crate::container::terminal::{self, RawMode};

/// Both sides of it.
pub struct Stdio {
    /// What the process inside takes.
    pub inside: Inside,
    /// What stays with the supervisor.
    pub outside: Outside,
}

/// The container's side.
pub enum Inside {
    /// Standard input, output and error.
    Pipes([OwnedFd; 3]),
    /// A terminal, which can only be made inside, in the container's own `/dev/pts`.
    Terminal,
}

/// The supervisor's side.
#[derive(Default)]
pub struct Outside {
    /// Writes to the container's standard input.
    pub input: Option<OwnedFd>,
    /// Reads the container's standard output (or its terminal) and standard error.
    pub outputs: [Option<OwnedFd>; 2],
    /// The controlling side of the container's terminal.
    pub terminal: Option<OwnedFd>,
    /// Puts your terminal back as it was.
    pub raw_mode: Option<RawMode>,
}

impl Stdio {
    /// Makes what can be made outside.
    pub fn new(plan: &Plan) -> Result<Stdio> {
        if plan.tty {
            let impossible = plan.interactive && !std::io::stdin().is_terminal();
            ensure!(!impossible, "the input device is not a TTY: leave out -t, or run this in a terminal");
            return Ok(Stdio { inside: Inside::Terminal, outside: Outside::default() });
        }
        let (stdin, input) = if plan.interactive {
            let (read, write) = pipe()?;
            (read, Some(unblocked(write)?))
        } else {
            (std::fs::File::open("/dev/null").context("open /dev/null")?.into(), None)
        };
        let (output, stdout) = pipe()?;
        let (errors, stderr) = pipe()?;
        let outputs = [Some(unblocked(output)?), Some(unblocked(errors)?)];
        Ok(Stdio {
            inside: Inside::Pipes([stdin, stdout, stderr]),
            outside: Outside { input, outputs, ..Outside::default() },
        })
    }
}

impl Outside {
    /// Takes the terminal that the process inside made: its size is yours, and yours is out of the way.
    pub fn set_terminal(&mut self, terminal: OwnedFd, interactive: bool) -> Result<()> {
        let copy = || unblocked(terminal.try_clone().context("copy the terminal's descriptor")?);
        self.outputs[0] = Some(copy()?);
        terminal::copy_size(&terminal);
        if interactive {
            self.input = Some(copy()?);
            self.raw_mode = RawMode::enter()?;
        }
        self.terminal = Some(terminal);
        Ok(())
    }
}

impl Inside {
    /// Makes them the standard streams of this process, which `user` may open again. Called inside, before the root is
    /// entered.
    pub fn connect(self, tree: &Root, user: Option<(u32, u32)>, channel: &super::channel::Channel) -> Result<()> {
        kernel::setsid("a session of its own, away from your terminal")?;
        match self {
            Inside::Pipes(streams) => {
                for (stream, name) in streams[1..].iter().zip(["standard output", "standard error"]) {
                    give(stream, name, user)?;
                }
                standard_streams([&streams[0], &streams[1], &streams[2]])
            }
            Inside::Terminal => {
                let (controlling, terminal) = open_terminal(tree)?;
                give(&terminal, "the terminal", user)?;
                console(tree, &terminal)?;
                channel.send_terminal(&controlling)?;
                kernel::controlling_terminal(terminal.as_fd(), "Ctrl-C typed there is for this session")?;
                standard_streams([&terminal, &terminal, &terminal])
            }
        }
    }
}

/// A program that runs as another user may open `/dev/stdout` anew, which asks who owns it.
fn give(stream: &OwnedFd, name: &str, user: Option<(u32, u32)>) -> Result<()> {
    if let Some((uid, gid)) = user {
        kernel::chown(stream.as_fd(), name, uid, gid, "the container's user may open it again")?;
    }
    Ok(())
}

/// Opens a new terminal in the container's `/dev/pts`: its controlling side and itself. pts(4), ioctl_tty(2).
fn open_terminal(tree: &Root) -> Result<(OwnedFd, OwnedFd)> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let controlling =
        tree.open_no_symlinks("dev/pts/ptmx", flags, Mode::empty()).context("open a terminal in the container")?;
    let unlocked = 0;
    // SAFETY: TIOCSPTLCK reads one integer.
    Errno::result(unsafe { libc::ioctl(controlling.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked) })
        .context("unlock the container's terminal")?;
    // SAFETY: TIOCGPTPEER takes open flags and answers with a new descriptor.
    let answer = unsafe { libc::ioctl(controlling.as_raw_fd(), libc::TIOCGPTPEER, flags.bits()) };
    let terminal = Errno::result(answer).context("open the other side of the container's terminal")?;
    // SAFETY: nobody else owns it.
    Ok((controlling, unsafe { OwnedFd::from_raw_fd(terminal) }))
}

/// `/dev/console` is the terminal, as docker has it.
fn console(tree: &Root, terminal: &OwnedFd) -> Result<()> {
    let dev = tree.open_no_symlinks("dev", OFlag::O_DIRECTORY, Mode::empty()).context("open /dev")?;
    kernel::mkfile(dev.as_fd(), "console", 0o600, "a file to mount the terminal on")?;
    let file = tree.open_no_symlinks("dev/console", OFlag::O_PATH, Mode::empty()).context("open /dev/console")?;
    let target = Target { fd: file.as_fd(), name: "/dev/console" };
    Ok(kernel::bind_on(terminal.as_fd(), "the terminal", target, "the console is the container's terminal")?)
}

fn standard_streams([stdin, stdout, stderr]: [&OwnedFd; 3]) -> Result<()> {
    dup2_stdin(stdin).and_then(|()| dup2_stdout(stdout)).and_then(|()| dup2_stderr(stderr)).context("dup2")
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    pipe2(OFlag::O_CLOEXEC).context("make a pipe")
}

/// So that one stream that is stuck does not hold up the others.
fn unblocked(end: OwnedFd) -> Result<OwnedFd> {
    let flags = OFlag::from_bits_retain(fcntl(&end, FcntlArg::F_GETFL).context("fcntl")?);
    fcntl(&end, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).context("fcntl")?;
    Ok(end)
}
