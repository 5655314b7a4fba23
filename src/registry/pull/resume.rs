//! A blob on its way: read from beginning to end, over as many connections as that takes.

use std::io::{self, Read};

use images::Digest;
use ureq::BodyReader;

use super::Source;
use crate::progress::LayerProgress;
use crate::registry::error::{Error, Result};
use crate::registry::transport::origin::Origin;
use crate::registry::transport::{Request, Response, Retry, describe_io};

/// Getting this much further after a failure counts as progress; less than this might go on forever.
const PROGRESS: u64 = 1 << 20;

/// Reads a blob. If the connection breaks, it goes on from there with a new one: no byte is delivered twice.
pub struct Resuming<'a> {
    source: &'a Source<'a>,
    digest: Digest,
    size: u64,
    position: u64,
    /// Where it was when the connection broke last.
    broken_at: u64,
    connection: Option<Connection>,
    persistence: Retry<'a>,
    progress: &'a LayerProgress<'a>,
}

struct Connection {
    origin: Origin,
    body: BodyReader<'static>,
}

impl<'a> Resuming<'a> {
    /// The blob `digest`, which has `size` bytes.
    pub fn new(source: &'a Source<'a>, digest: Digest, size: u64, progress: &'a LayerProgress<'a>) -> Resuming<'a> {
        let persistence = Retry::new(source.client.stop());
        Resuming { source, digest, size, position: 0, broken_at: 0, connection: None, persistence, progress }
    }

    fn attempt(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.source.client.stop().check()?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(connect(self.source, &self.digest, self.position, self.size)?),
        };
        let left = usize::try_from(self.size - self.position).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        match connection.body.read(&mut buffer[..most]) {
            Ok(0) => Err(describe_io(&connection.origin, &io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => Ok(count),
            Err(error) => Err(describe_io(&connection.origin, &error)),
        }
    }
}

impl Read for Resuming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position < self.size && !buffer.is_empty() {
            match self.attempt(buffer) {
                Ok(count) => {
                    self.position += count as u64;
                    if self.position - self.broken_at >= PROGRESS {
                        self.persistence.progress();
                    }
                    self.progress.at(self.position, "Downloading");
                    return Ok(count);
                }
                Err(error) => {
                    self.connection = None;
                    self.broken_at = self.position;
                    self.persistence.after(error).map_err(io::Error::other)?;
                }
            }
        }
        Ok(0)
    }
}

/// Asks for the blob from `position` on.
fn connect(source: &Source<'_>, digest: &Digest, position: u64, size: u64) -> Result<Connection> {
    let mut request = Request::get(source.client.url(&format!("/v2/{}/blobs/{digest}", source.path))?);
    if position > 0 {
        request = request.header("range", format!("bytes={position}-"));
    }
    let response = source.client.call(&request, source.scopes)?;
    let origin = Origin::of(&response.url)?;
    let begins = begins_at(&response, position)?;
    let length = response.body.content_length();
    if let Some(length) = length.filter(|length| begins.checked_add(*length) != Some(size)) {
        return Err(Error::Wrong(format!(
            "it should have {size} bytes, but {origin} sends {}",
            begins.saturating_add(length)
        )));
    }
    let mut body = response.body.into_reader();
    // A server that knows no ranges begins at the beginning.
    let skipped = io::copy(&mut body.by_ref().take(position - begins), &mut io::sink());
    match skipped {
        Ok(skipped) if skipped == position - begins => Ok(Connection { origin, body }),
        Ok(_) => Err(describe_io(&origin, &io::ErrorKind::UnexpectedEof.into())),
        Err(error) => Err(describe_io(&origin, &error)),
    }
}

/// Where in the blob the answer begins: at `position`, or at the beginning.
fn begins_at(response: &Response, position: u64) -> Result<u64> {
    if response.status != 206 {
        return Ok(0);
    }
    let range = response.header("content-range").unwrap_or_default();
    let start = range.strip_prefix("bytes ").and_then(|range| range.split('-').next()?.parse().ok());
    match start {
        Some(start) if start == position => Ok(start),
        _ => Err(Error::Wrong("the registry sends another part of the blob than it was asked for".into())),
    }
}
