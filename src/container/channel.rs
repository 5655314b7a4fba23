//! What the two sides of a start say to each other. From outside: that the ids are lent. From inside: its terminal, if
//! it has one, or why the command does not run.
//!
//! A socket pair that closes on execve. If it closes without a failure having come, the command runs.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use anyhow::{Context, Result, ensure};
use nix::cmsg_space;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, sendmsg, socketpair,
};

use crate::container::execute::Failure;

/// One end.
#[derive(Debug)]
pub struct Channel(OwnedFd);

/// What came out.
#[derive(Debug)]
pub enum Message {
    /// The terminal that the container's standard streams are on.
    Terminal(OwnedFd),
    /// The command did not start.
    Failed(Failure),
    /// The kernel refused to run the command's program.
    Refused(Errno),
    /// The other end closed: the command runs.
    Closed,
}

const TERMINAL: u8 = 0;
const GO: u8 = 1;
const LONGEST: usize = 16 << 10;

impl Channel {
    /// Both ends: for outside, and for inside.
    pub fn pair() -> Result<(Channel, Channel)> {
        let (outside, inside) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
            .context("make a socket pair")?;
        Ok((Channel(outside), Channel(inside)))
    }

    /// Sends the controlling side of the container's terminal.
    pub fn send_terminal(&self, terminal: &OwnedFd) -> Result<()> {
        let descriptors = [terminal.as_raw_fd()];
        self.send(&[TERMINAL], &[ControlMessage::ScmRights(&descriptors)])
    }

    /// From outside: what the process inside waits for is done.
    pub fn send_go(&self) -> Result<()> {
        self.send(&[GO], &[])
    }

    /// Inside: waits for [`Channel::send_go`]. Fails if the process outside ends without it.
    pub fn wait_for_go(&self) -> Result<()> {
        let mut byte = [0];
        let length = loop {
            match nix::unistd::read(&self.0, &mut byte) {
                Err(Errno::EINTR) => {}
                other => break other.context("wait for the process outside")?,
            }
        };
        ensure!(length == 1, "the process outside has gone");
        Ok(())
    }

    /// Sends why the command did not start.
    pub fn send_failure(&self, failure: &Failure) -> Result<()> {
        let mut bytes = vec![failure.status];
        bytes.extend(failure.message.bytes().take(LONGEST - 1));
        self.send(&bytes, &[])
    }

    fn send(&self, bytes: &[u8], control: &[ControlMessage<'_>]) -> Result<()> {
        sendmsg::<()>(self.0.as_raw_fd(), &[IoSlice::new(bytes)], control, MsgFlags::MSG_NOSIGNAL, None)
            .context("send to the process outside")?;
        Ok(())
    }

    /// Fails if the process outside has gone.
    pub fn check(&self) -> Result<()> {
        let mut hung_up = [PollFd::new(self.0.as_fd(), PollFlags::empty())];
        poll(&mut hung_up, PollTimeout::ZERO).context("poll")?;
        ensure!(!hung_up[0].any().unwrap_or(true), "the process outside has gone");
        Ok(())
    }

    /// Waits for the next message.
    pub fn receive(&self) -> Result<Message> {
        let mut bytes = vec![0; LONGEST];
        let mut control = cmsg_space!([i32; 1]);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let received = loop {
            match recvmsg::<()>(self.0.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC) {
                Err(Errno::EINTR) => {}
                other => break other.context("receive from the process inside")?,
            }
        };
        let length = received.bytes;
        let terminal = received.cmsgs().ok().into_iter().flatten().find_map(|message| match message {
            // SAFETY: the kernel has just made this descriptor for us.
            ControlMessageOwned::ScmRights(fds) => fds.first().map(|fd| unsafe { OwnedFd::from_raw_fd(*fd) }),
            _ => None,
        });
        Ok(match (terminal, bytes.get(..length)) {
            (Some(terminal), _) => Message::Terminal(terminal),
            // The shim's only word: see `sandbox::shim`.
            (None, Some([errno])) => Message::Refused(Errno::from_raw((*errno).into())),
            (None, Some([status, message @ ..])) => {
                Message::Failed(Failure { status: *status, message: String::from_utf8_lossy(message).into_owned() })
            }
            (None, _) => Message::Closed,
        })
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
