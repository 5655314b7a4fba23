//! A layer on its way into the store.
//!
//! Three threads work on it at once, so that a layer is unpacked about as fast as it comes: one reads and hands on,
//! one hashes and writes the blob, one inflates, hashes and unpacks. They pass on a few pieces at a time, so it takes
//! the same memory however large the layer is.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use super::draft::Draft;
use super::{Store, gzip};
use crate::layer::compression::{self, Compression};
use crate::oci::Descriptor;
use crate::tree::{Deferred, Room, Unpacked};
use crate::{ApplyLayer, Digest, Hasher, HashingReader, Layer, Skipped, Tree, failed_io};

/// What somebody who sends a layer said about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    /// The digest of its bytes.
    pub digest: Option<Digest>,
    /// How many they are.
    pub size: Option<u64>,
    /// The digest of its contents without the compression.
    pub diff_id: Option<Digest>,
}

/// A layer that came, was checked and is unpacked, but has no place yet. Dropped, it is gone.
#[derive(Debug)]
pub struct Received {
    /// Its blob.
    pub descriptor: Descriptor,
    /// The digest of its contents without the compression.
    pub diff_id: Digest,
    /// What of it could not be unpacked here.
    pub left_out: Skipped,
    /// How many bytes its files have.
    pub size: u64,
    /// How many members the archive has.
    pub members: u64,
    pub(super) deferred: Deferred,
    pub(super) draft: Draft,
}

/// How much is passed on at a time, and how often ahead.
const PIECE: usize = 256 << 10;
const AHEAD: usize = 4;

pub(super) fn receive(
    store: &Store,
    bytes: &mut (dyn Read + Send),
    expected: &Expected,
    apply: ApplyLayer,
) -> Result<Received> {
    let draft = Draft::begin(store)?;
    if let Some(size) = expected.size {
        Room::default().for_all(draft.disk(), size)?;
    }
    let rootless = !namespaces::identity::is_the_machines_root();
    let tree = Tree::new(&draft.tree(), rootless)?;
    let (compression, bytes) = compression::detect(bytes)?;
    let (to_blob, blob_pieces) = sync_channel(AHEAD);
    let (to_tree, tree_pieces) = sync_channel(AHEAD);
    let blob_path = draft.blob();
    let (handed_on, blob, unpacked) = thread::scope(|scope| {
        let blob = scope.spawn(|| write_blob(Pieces::new(blob_pieces), compression, &blob_path));
        let unpacked = scope.spawn(|| unpack(Pieces::new(tree_pieces), compression, expected, tree, apply));
        let handed_on = hand_on(bytes, expected.size, [to_blob, to_tree]);
        (handed_on, blob.join(), unpacked.join())
    });
    // Where the source failed, the others failed because of it.
    let (digest, size) = handed_on?;
    let blob = blob.map_err(|_| anyhow!("the thread that writes the blob panicked"))??;
    let (diff_id, laid) = unpacked.map_err(|_| anyhow!("the thread that unpacks panicked"))??;
    check("digest", expected.digest, digest)?;
    check("diff id", expected.diff_id, diff_id)?;
    if let Some(expected) = expected.size.filter(|expected| *expected != size) {
        bail!("it should have {expected} bytes, but has {size}");
    }
    let Unpacked { left_out, deferred, size, members } = laid;
    Ok(Received { descriptor: blob, diff_id, left_out, size, members, deferred, draft })
}

fn check(what: &str, expected: Option<Digest>, found: Digest) -> Result<()> {
    match expected.filter(|expected| *expected != found) {
        Some(expected) => bail!("the layer is not what it should be: its {what} is {found}, not {expected}"),
        None => Ok(()),
    }
}

/// A piece of a layer, or the news that there will be no more of it.
type Piece = io::Result<Arc<Vec<u8>>>;

/// Reads all of `source`, and passes it on to both, who are told of the end when this lets go of them. Answers with its
/// digest and length.
fn hand_on(
    mut source: impl Read,
    expected: Option<u64>,
    [to_blob, to_tree]: [SyncSender<Piece>; 2],
) -> Result<(Digest, u64)> {
    let (mut hasher, mut count) = (Hasher::new(), 0);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = source.by_ref().take(PIECE as u64).read_to_end(&mut piece);
        if let Err(error) = read {
            for receiver in [&to_blob, &to_tree] {
                let _ = receiver.send(Err(io::Error::other("the layer was cut off")));
            }
            return Err(error).context("read the layer");
        }
        count += piece.len() as u64;
        if piece.is_empty() {
            return Ok((hasher.finish(), count));
        }
        if let Some(expected) = expected.filter(|expected| count > *expected) {
            let _ = to_tree.send(Err(io::Error::other("the layer is too long")));
            bail!("it should have {expected} bytes, but has more");
        }
        hasher.write_all(&piece).context("hash the layer")?;
        let piece = Arc::new(piece);
        // Whoever does not listen any more has an error to tell.
        if to_blob.send(Ok(piece.clone())).is_err() || to_tree.send(Ok(piece)).is_err() {
            return Ok((hasher.finish(), count));
        }
    }
}

/// Writes the blob, compressed if it is not. Answers with what is in the store.
fn write_blob(mut pieces: Pieces, compression: Compression, path: &Path) -> Result<Descriptor> {
    let file = File::create_new(path).map_err(failed_io("open", path))?;
    let inner = BufWriter::with_capacity(PIECE, file);
    let mut out = Blob { inner, room: Room::default(), hasher: Hasher::new(), count: 0 };
    let media_type = match compression {
        Compression::None => {
            gzip::compress(pieces.receiver.into_iter(), &mut out).context("write the blob")?;
            Compression::Gzip.media_type()
        }
        _ => {
            io::copy(&mut pieces, &mut out).context("write the blob")?;
            compression.media_type()
        }
    };
    out.flush().context("write the blob")?;
    Ok(Descriptor::new(media_type, out.hasher.finish(), out.count))
}

/// Inflates and unpacks.
fn unpack(
    pieces: Pieces,
    compression: Compression,
    expected: &Expected,
    mut tree: Tree,
    apply: ApplyLayer,
) -> Result<(Digest, Unpacked)> {
    let mut tar = BufReader::with_capacity(PIECE, HashingReader::new(compression.reader(pieces)?));
    let mut layer = match expected.digest.or(expected.diff_id) {
        Some(_) => Layer::of_known_digest(&mut tar),
        None => Layer::new(&mut tar),
    };
    apply(&mut layer, &mut tree)?;
    // The digest is over all of it, and what is behind the end mark has to be sound too.
    io::copy(&mut tar, &mut io::sink()).context("read the layer")?;
    let (diff_id, _) = tar.into_inner().finish();
    Ok((diff_id, tree.finish()?))
}

/// What another thread passes on.
struct Pieces {
    receiver: Receiver<Piece>,
    piece: Arc<Vec<u8>>,
    at: usize,
}

impl Pieces {
    fn new(receiver: Receiver<Piece>) -> Pieces {
        Pieces { receiver, piece: Arc::default(), at: 0 }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            match self.receiver.recv() {
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(_) => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// A blob that is being written: takes no more than the room that there is for it, counts it and computes its digest.
struct Blob {
    inner: BufWriter<File>,
    room: Room,
    hasher: Hasher,
    count: u64,
}

impl Write for Blob {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let disk = self.inner.get_ref().as_fd();
        self.room.take(disk, bytes.len() as u64).map_err(io::Error::other)?;
        let count = self.inner.write(bytes)?;
        self.hasher.write_all(&bytes[..count])?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
