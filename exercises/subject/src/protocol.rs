//! What subject and grader say to each other: one JSON record in one packet.

use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use look::Namespaces;
use nix::sys::socket::{self, ControlMessageOwned, MsgFlags, sockopt};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The status that a child ends with where the answer is to hand it on.
pub const STATUS: u8 = 7;

/// Said by the subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The machine refuses what the check needs.
    Blocked {
        /// What the kernel answered.
        error: String,
    },
    /// The stand-in host stands. Said by its first process.
    Host,
    /// The answer is about to be called. Said by its process, where it matters how that was before.
    Ready,
    /// A process for the answer to look at is there. Said by that process.
    Neighbour,
    /// The answer was called, and its process holds still.
    Called {
        /// Which call, where there are several.
        call: Call,
        /// What became of it.
        outcome: Outcome,
    },
    /// A process stands at the top of the mount table of the answer's process. Said by that process.
    Witness,
    /// The answer's process has ended. Said by the first process.
    Ended(End),
}

/// A call that the answer's process makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// The function, once; for 0.1: about itself.
    TheFunction,
    /// 0.1: about its neighbour.
    AboutNeighbour,
    /// 0.1: about a process that does not exist.
    AboutNobody,
    /// 1.3: not the answer, but the escape of chapter 1, in the root that the answer made.
    Attack,
    /// 2.1, 2.2: not the answer, but what it runs in the process that it made. Said by that process.
    InTheChild,
    /// 2.1, 2.2: not the answer, but waiting for that process.
    WaitForTheChild,
    /// 2.1: with a cgroup that is none.
    NoCgroup,
    /// 2.2: of a process in a user namespace of its own. The status is 0 if the child is in that.
    OwnUser,
    /// 2.3: while the main process runs, and others have ended.
    MainRuns,
    /// 2.3: when the main process has ended.
    MainEnded,
    /// 2.3: when a signal has ended the main process.
    MainKilled,
    /// 2.3: when there is no child at all.
    NobodyLeft,
    /// 3.2: with a limit that no kernel has.
    ImpossibleLimit,
    /// 4.1: of a layer without members.
    ApplyNothing,
    /// 4.1: of a layer that ends in the middle of a file.
    ApplyCutOff,
    /// 4.1: of a layer that ends between two members.
    ApplyCutBetween,
    /// 4.1: of a layer with a file in a symlink that leads out.
    ApplyLedOut,
    /// 4.2: not the answer, but writing to what it stacked, and deleting there.
    WriteToTheStack,
    /// 4.2: of directories whose names have what separates options.
    StackOddNames,
    /// 4.2: on a directory that is not there.
    StackNowhere,
    /// 4.4: to a disk that is full.
    DiskIsFull,
    /// 4.4: to a disk that fails once, at a file.
    DiskFailsAtFile,
    /// 4.4: to a disk that fails once, at a marker.
    DiskFailsAtMarker,
    /// 8.1: in a process that is to become an ordinary user. Said by that process.
    AsUser,
    /// 8.1: in one that stays root, with a group that cannot be changed. Said by that process.
    AsRoot,
    /// 8.2: not the answer, but a process behind the filter that it made.
    BehindTheFilter,
    /// 8.3: of a file.
    MaskFile,
    /// 8.3: of a directory.
    MaskDirectory,
    /// 8.3: of what is not there.
    MaskNothing,
    /// 8.3: of a symlink.
    MaskLink,
    /// 8.3: of a directory that a symlink leads to.
    MaskBehindLink,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It returned, and not an error.
    Done(Said),
    /// It returned `Err`.
    Failed {
        /// The error as people read it.
        text: String,
        /// `pivot_root EINVAL` where a call of the kernel failed, else what was wrong if it is short.
        cause: Option<String>,
    },
    /// It reached the `todo!` of the starter.
    NotDone,
    /// It panicked.
    Panicked {
        /// What the panic said.
        message: String,
        /// The line of the answer's file.
        line: u32,
    },
}

/// What a function returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Said {
    /// `()`
    Nothing,
    /// 0.1
    Namespaces(Namespaces),
    /// 2.1, 2.2: a handle on the process with this id, in the PID namespace of the caller.
    Process(i32),
    /// 2.1 to 2.3: the status that a process ended with, if it has ended.
    Status(Option<u8>),
    /// 3.1, 4.3: what was said to each question; 8.2: what became of some calls.
    Lines(Vec<String>),
    /// 8.2: a filter for each of the lists that were asked for. An instruction is its four fields.
    Filters(Vec<Vec<(u16, u8, u8, u32)>>),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Killed(String),
}

/// Said by the grader to the first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Call the answer.
    Begin,
    /// Let a witness stand at the top of the mount table of the answer's process.
    Witness,
    /// Let the answer's process go on.
    Continue,
    /// Let the process go on that the answer made.
    ContinueChild,
}

/// One end of the socket between grader and subject.
#[derive(Debug)]
pub struct Channel(OwnedFd);

/// A message and who sent it.
#[derive(Debug)]
pub struct Received<T> {
    /// The sender's process id, in the receiver's namespace, as the kernel says.
    pub from: Pid,
    /// What was said.
    pub message: T,
}

/// More than any record needs.
const LARGEST: usize = 64 * 1024;

impl Channel {
    /// Both ends: the grader's, and the one to give to a subject as its standard input.
    pub fn pair() -> Result<(Channel, OwnedFd)> {
        use socket::{AddressFamily, SockFlag, SockType};
        let (ours, theirs) =
            socket::socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        socket::setsockopt(&ours, sockopt::PassCred, &true)?;
        Ok((Channel(ours), theirs))
    }

    /// Takes the socket away from standard input and leaves `/dev/null` there, so that an answer which reads its
    /// input does not read the grader's orders.
    pub(crate) fn take_stdin() -> Result<Channel> {
        let channel = nix::fcntl::fcntl(std::io::stdin(), nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(3))?;
        // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
        let channel = Channel(unsafe { OwnedFd::from_raw_fd(channel) });
        socket::getsockopt(&channel.0, sockopt::SockType)?;
        let nothing = std::fs::File::open("/dev/null")?;
        nix::unistd::dup2_stdin(&nothing)?;
        Ok(channel)
    }

    /// Says `message`.
    pub fn send(&self, message: &impl Serialize) -> Result<()> {
        let packet = serde_json::to_vec(message)?;
        socket::send(self.0.as_raw_fd(), &packet, MsgFlags::MSG_NOSIGNAL)?;
        Ok(())
    }

    /// Waits for a message. `None` when nobody is left at the other end.
    pub fn receive<T: DeserializeOwned>(&self) -> Result<Option<Received<T>>> {
        let mut buffer = vec![0; LARGEST];
        let mut space = nix::cmsg_space!(libc::ucred);
        let mut slices = [std::io::IoSliceMut::new(&mut buffer)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let packet = socket::recvmsg::<()>(self.0.as_raw_fd(), &mut slices, Some(&mut space), flags)?;
        let mut from = Pid::from_raw(0);
        for attached in packet.cmsgs()? {
            if let ControlMessageOwned::ScmCredentials(sender) = attached {
                from = Pid::from_raw(sender.pid());
            }
        }
        let length = packet.bytes;
        if length == 0 {
            return Ok(None);
        }
        let message = serde_json::from_slice(&buffer[..length])
            .map_err(|error| Error::new(ErrorKind::InvalidData, format!("not a message of the grader: {error}")))?;
        Ok(Some(Received { from, message }))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
