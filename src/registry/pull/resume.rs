//! A blob on its way: read from beginning to end, over as many connections as that takes.

use std::io::{self, Read};
use std::sync::atomic::Ordering;

use images::Digest;
use ureq::BodyReader;

use super::Source;
use crate::progress::LayerProgress;
use crate::registry::error::{Error, FailureKind, Result};
use crate::registry::transport::origin::Origin;
use crate::registry::transport::{Request, Response, Retry, describe_io};

/// Getting this much further counts as progress; less than this might go on forever.
const PROGRESS: u64 = 64 << 10;

/// Reads a blob. If the connection breaks, it goes on from there with a new one: no byte is delivered twice.
pub struct Resuming<'a> {
    source: &'a Source<'a>,
    digest: Digest,
    size: u64,
    position: u64,
    /// Where it was when the connection broke last.
    broken_at: u64,
    connection: Option<Connection>,
    /// Whether the registry is asked for the rest only: not after it has sent something else.
    asks_for_ranges: bool,
    /// Counts connections that broke.
    breaks: Retry<'a>,
    /// Counts connections that did not come about.
    absences: Retry<'a>,
    progress: &'a LayerProgress<'a>,
}

struct Connection {
    origin: Origin,
    body: BodyReader<'static>,
}

impl<'a> Resuming<'a> {
    /// The blob `digest`, which has `size` bytes.
    pub fn new(source: &'a Source<'a>, digest: Digest, size: u64, progress: &'a LayerProgress<'a>) -> Resuming<'a> {
        let operation = source.client.operation();
        Resuming {
            source,
            digest,
            size,
            position: 0,
            broken_at: 0,
            connection: None,
            asks_for_ranges: true,
            breaks: Retry::new(operation),
            absences: Retry::of_known_host(operation),
            progress,
        }
    }

    fn attempt(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.source.client.operation().check()?;
        if self.connection.is_none() {
            self.connection = Some(self.connect()?);
            self.absences.progress();
        }
        let Some(connection) = &mut self.connection else { return Err(Error::Stopped) };
        let left = usize::try_from(self.size - self.position).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        match connection.body.read(&mut buffer[..most]) {
            Ok(0) => Err(describe_io(&connection.origin, &io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => Ok(count),
            Err(error) => Err(describe_io(&connection.origin, &error)),
        }
    }

    /// Waits as long as is right after `error`. Where blobs were coming, a registry that cannot be reached at all may
    /// just be starting again: it is given more time.
    fn pause_after(&mut self, error: Error) -> Result<()> {
        use FailureKind::{Broken, NoNetwork, Refused, TimedOut};
        let connected = self.connection.take().is_some();
        self.broken_at = self.position;
        let notice = |line: &str| self.progress.notice(line);
        let unreachable = matches!(error.kind(), Some(Refused | Broken | NoNetwork | TimedOut));
        match !connected && unreachable && self.source.flows.load(Ordering::Relaxed) {
            true => self.absences.after(error, &notice),
            false => self.breaks.after(error, &notice),
        }
    }

    /// Asks for the blob from where we are.
    fn connect(&mut self) -> Result<Connection> {
        let mut response = self.ask(self.asks_for_ranges && self.position > 0);
        if self.asks_for_ranges && self.position > 0 && !is_wanted(&response, self.position) {
            // It knows no ranges, or not well enough. What is at the beginning can be skipped.
            self.asks_for_ranges = false;
            response = self.ask(false);
        }
        let response = response?;
        let origin = Origin::of(&response.url)?;
        let begins = begins_at(&response);
        let begins = begins.filter(|begins| [0, self.position].contains(begins));
        let begins = begins.ok_or_else(|| Error::Wrong(format!("{origin} sends another part of it than asked for")))?;
        let length = response.body.content_length();
        if let Some(length) = length.filter(|length| begins.checked_add(*length) != Some(self.size)) {
            let (size, sent) = (self.size, begins.saturating_add(length));
            return Err(Error::Wrong(format!("it should have {size} bytes, but {origin} sends {sent}")));
        }
        let mut body = response.body.into_reader();
        let skip = self.position - begins;
        match io::copy(&mut body.by_ref().take(skip), &mut io::sink()) {
            Ok(skipped) if skipped == skip => Ok(Connection { origin, body }),
            Ok(_) => Err(describe_io(&origin, &io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(describe_io(&origin, &error)),
        }
    }

    fn ask(&self, for_the_rest: bool) -> Result<Response> {
        let Source { client, path, scopes, .. } = self.source;
        let mut request = Request::get(client.url(&format!("/v2/{path}/blobs/{}", self.digest))?);
        if for_the_rest {
            request = request.header("range", format!("bytes={}-", self.position));
        }
        client.call(&request, scopes)
    }
}

impl Read for Resuming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position < self.size && !buffer.is_empty() {
            match self.attempt(buffer) {
                Ok(count) => {
                    self.position += count as u64;
                    if self.position - self.broken_at >= PROGRESS {
                        self.breaks.progress();
                    }
                    self.source.flows.store(true, Ordering::Relaxed);
                    self.progress.at(self.position, "Downloading");
                    return Ok(count);
                }
                Err(error) => self.pause_after(error).map_err(io::Error::other)?,
            }
        }
        Ok(0)
    }
}

/// Whether this is a response to a request for the rest from `position` on: the rest, all of it from the beginning, or an
/// error that has nothing to do with ranges.
fn is_wanted(response: &Result<Response>, position: u64) -> bool {
    match response {
        Ok(response) => response.status != 206 || begins_at(response) == Some(position),
        Err(error) => error.status() != Some(416),
    }
}

/// Where in the blob a response begins, if it can be read.
fn begins_at(response: &Response) -> Option<u64> {
    if response.status != 206 {
        return Some(0);
    }
    let range = response.header("content-range").unwrap_or_default();
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
