//! Compressing with gzip on all processors.
//!
//! A gzip file is a row of members, each compressed by itself (RFC 1952, 2.2). So pieces of a layer can be compressed at
//! the same time, and are written in their order. Where the pieces are cut is always the same, so the same layer gives
//! the same bytes, however many processors there are.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The next level takes twice the time and gives four fifths of the size. Whoever loads or commits waits for it.
const LEVEL: Compression = Compression::fast();

/// More threads than this would wait for the one that unpacks.
const MOST_THREADS: usize = 4;

/// A piece, and where to send it once it is compressed.
type Job = (Arc<Vec<u8>>, SyncSender<io::Result<Vec<u8>>>);

/// Compresses all `pieces`, and writes them to `out`.
pub(super) fn compress(pieces: impl Iterator<Item = io::Result<Arc<Vec<u8>>>>, out: &mut dyn Write) -> io::Result<()> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let (jobs, next) = sync_channel::<Job>(threads);
    let next = Mutex::new(next);
    thread::scope(|scope| {
        // Dropped at the end of this, which ends the threads.
        let jobs = jobs;
        (0..threads).for_each(|_| drop(scope.spawn(|| work(&next))));
        let mut under_way: VecDeque<Receiver<io::Result<Vec<u8>>>> = VecDeque::new();
        for piece in pieces {
            if under_way.len() > threads {
                write_first(&mut under_way, out)?;
            }
            let (done, compressed) = sync_channel(1);
            jobs.send((piece?, done)).map_err(io::Error::other)?;
            under_way.push_back(compressed);
        }
        if under_way.is_empty() {
            return out.write_all(&member(&[])?);
        }
        while !under_way.is_empty() {
            write_first(&mut under_way, out)?;
        }
        Ok(())
    })
}

fn write_first(under_way: &mut VecDeque<Receiver<io::Result<Vec<u8>>>>, out: &mut dyn Write) -> io::Result<()> {
    match under_way.pop_front() {
        Some(first) => out.write_all(&first.recv().map_err(io::Error::other)??),
        None => Ok(()),
    }
}

/// One thread: compresses what comes, until nothing comes any more.
fn work(next: &Mutex<Receiver<Job>>) {
    loop {
        let job = next.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((piece, done)) = job else { return };
        // Nobody waits for it if there was an error elsewhere.
        let _ = done.send(member(&piece));
    }
}

fn member(piece: &[u8]) -> io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::with_capacity(piece.len() / 2), LEVEL);
    gzip.write_all(piece)?;
    gzip.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;

    use super::*;

    fn inflate(bytes: &[u8]) -> Vec<u8> {
        let mut inflated = Vec::new();
        MultiGzDecoder::new(bytes).read_to_end(&mut inflated).unwrap();
        inflated
    }

    #[test]
    fn the_pieces_come_out_in_their_order() {
        let pieces: Vec<Arc<Vec<u8>>> = (0..50).map(|n| Arc::new(vec![n; 1000 * usize::from(50 - n)])).collect();
        let mut out = Vec::new();
        compress(pieces.iter().cloned().map(Ok), &mut out).unwrap();
        assert_eq!(inflate(&out), pieces.iter().flat_map(|piece| piece.to_vec()).collect::<Vec<u8>>());
        let mut again = Vec::new();
        compress(pieces.into_iter().map(Ok), &mut again).unwrap();
        assert_eq!(out, again);
    }

    #[test]
    fn nothing_is_a_whole_archive_too_and_an_error_is_passed_on() {
        let mut out = Vec::new();
        compress(std::iter::empty(), &mut out).unwrap();
        assert!(!out.is_empty() && inflate(&out).is_empty());
        let fails = [Ok(Arc::new(vec![1])), Err(io::Error::other("broken"))];
        assert_eq!(compress(fails.into_iter(), &mut out).unwrap_err().to_string(), "broken");
    }
}
