//! What goes with a request, and what comes with a response.

use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use super::super::error::{Error, Result};
use super::origin::Origin;
use super::{Part, Response, describe_io};

/// What goes with a request. It can be sent again: nothing is used up.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// Nothing, as with GET.
    None,
    /// Something small, perhaps empty.
    Bytes(&'a [u8]),
    /// A file.
    File(Part<'a>),
}

impl Payload<'_> {
    /// How many bytes there are, if there is a body at all.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Payload::None => None,
            Payload::Bytes(bytes) => Some(bytes.len() as u64),
            Payload::File(part) => Some(part.size),
        }
    }
}

impl Part<'_> {
    /// Reads it from the beginning, without moving the file's own position.
    pub(super) fn reader(&self) -> impl Read {
        Reader { part: self, at: 0 }
    }
}

struct Reader<'a> {
    part: &'a Part<'a>,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.part.size - self.at).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let count = self.part.file.read_at(&mut buffer[..most], self.at)?;
        self.at += count as u64;
        (self.part.sent)(self.at);
        Ok(count)
    }
}

/// The whole body of a response, which may be at most `limit` bytes. `what` is for the error.
pub fn read_at_most(response: Response, limit: u64, what: &str) -> Result<Vec<u8>> {
    let origin = Origin::of(&response.url)?;
    let too_large = || Error::Wrong(format!("{what}: {origin} sends more than the {limit} bytes that it may be"));
    if response.body.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let read = response.body.into_reader().take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| describe_io(&origin, &error))?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}
