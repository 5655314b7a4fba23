//! Bytes from one descriptor to another, without ever waiting for either.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::unistd::{read, write};

/// The most that is read at once.
const CHUNK: usize = 64 << 10;

/// What is written at once. A pipe or terminal that polls as writable takes this much without making us wait. Your own
/// streams stay blocking: to change that would change it for all who share them.
const PIECE: usize = 4 << 10;

/// A stream from `from` to `to`.
#[derive(Debug)]
pub struct Relay {
    ends: Option<(OwnedFd, OwnedFd)>,
    buffer: Vec<u8>,
    unwritten: Range<usize>,
}

impl Relay {
    /// A stream between two descriptors.
    pub fn new(from: OwnedFd, to: OwnedFd) -> Relay {
        Relay { ends: Some((from, to)), buffer: vec![0; PIECE], unwritten: 0..0 }
    }

    /// A stream that has nothing to pass on.
    pub fn ended() -> Relay {
        Relay { ends: None, buffer: Vec::new(), unwritten: 0..0 }
    }

    /// What to wait for: input when nothing is waiting to be written, else room to write it. `None` when the
    /// stream has ended.
    pub fn waits_for(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let (from, to) = self.ends.as_ref()?;
        Some(if self.unwritten.is_empty() {
            (from.as_fd(), PollFlags::POLLIN)
        } else {
            (to.as_fd(), PollFlags::POLLOUT)
        })
    }

    /// Does what it waited for.
    pub fn go_on(&mut self) {
        let Some((from, to)) = &self.ends else { return };
        let at_end = if self.unwritten.is_empty() {
            // A small buffer serves most streams; where it was full there is more to come.
            if self.unwritten.end == self.buffer.len() && self.buffer.len() < CHUNK {
                self.buffer.resize(2 * self.buffer.len(), 0);
            }
            match read(from, &mut self.buffer) {
                Ok(length) => {
                    self.unwritten = 0..length;
                    length == 0
                }
                Err(Errno::EAGAIN | Errno::EINTR) => false,
                // A terminal whose other side is closed says EIO.
                Err(_) => true,
            }
        } else {
            let piece = self.unwritten.start..self.unwritten.end.min(self.unwritten.start + PIECE);
            match write(to, &self.buffer[piece]) {
                Ok(length) => self.unwritten.start += length,
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                // Nobody reads it any more: closing both ends lets the writer know.
                Err(_) => self.close(),
            }
            false
        };
        if at_end {
            self.ends = None;
        }
    }

    /// Whether there is nothing more to come.
    pub fn has_ended(&self) -> bool {
        self.ends.is_none()
    }

    /// Ends it now.
    pub fn close(&mut self) {
        self.ends = None;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    fn run(relay: &mut Relay) {
        while !relay.has_ended() {
            relay.go_on();
        }
    }

    #[test]
    fn all_bytes_arrive_in_order_and_the_end_too() {
        let (mut source, from) = UnixStream::pair().unwrap();
        let (to, mut sink) = UnixStream::pair().unwrap();
        let sent: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let copy = sent.clone();
        let writer = std::thread::spawn(move || source.write_all(&copy));
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            sink.read_to_end(&mut got).map(|_| got)
        });
        run(&mut Relay::new(from.into(), to.into()));
        writer.join().unwrap().unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), sent);
    }

    #[test]
    fn a_reader_that_is_gone_ends_the_stream_for_the_writer() {
        let (mut source, from) = UnixStream::pair().unwrap();
        let (to, sink) = UnixStream::pair().unwrap();
        drop(sink);
        source.write_all(b"nobody hears this").unwrap();
        run(&mut Relay::new(from.into(), to.into()));
        assert!(source.write_all(b"x").is_err());
    }
}
