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

use anyhow::{Context, Result, anyhow, bail, ensure};

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
    pub skipped: Skipped,
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
/// The most that may follow the end mark. Writers fill up to a record of 10 KiB, some to more; but a few kilobytes of
/// compressed zeros can stand for hours of inflating and hashing.
const TRAILER_MAX: u64 = 16 << 20;

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
    let whole = handed_on?;
    let blob = blob.map_err(|_| anyhow!("the thread that writes the blob panicked"))??;
    if let Some((digest, size)) = whole {
        // Before what came of unpacking it: that damaged data cannot be unpacked is no wonder.
        check("digest", expected.digest, digest)?;
        if compression == Compression::None {
            check("diff id", expected.diff_id, digest)?;
        }
        if let Some(expected) = expected.size.filter(|expected| *expected != size) {
            bail!("it should have {expected} bytes, but has {size}");
        }
    }
    let (diff_id, unpacked) = unpacked.map_err(|_| anyhow!("the thread that unpacks panicked"))??;
    check("diff id", expected.diff_id, diff_id)?;
    let Unpacked { skipped, deferred, size, members } = unpacked;
    Ok(Received { descriptor: blob, diff_id, skipped, size, members, deferred, draft })
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
/// digest and length, or with `None` if one of them stopped listening: it has an error to tell.
fn hand_on(
    mut source: impl Read,
    expected: Option<u64>,
    [to_blob, to_tree]: [SyncSender<Piece>; 2],
) -> Result<Option<(Digest, u64)>> {
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
            return Ok(Some((hasher.finish(), count)));
        }
        if let Some(expected) = expected.filter(|expected| count > *expected) {
            let _ = to_tree.send(Err(io::Error::other("the layer is too long")));
            bail!("it should have {expected} bytes, but has more");
        }
        hasher.write_all(&piece).context("hash the layer")?;
        let piece = Arc::new(piece);
        if to_blob.send(Ok(piece.clone())).is_err() || to_tree.send(Ok(piece)).is_err() {
            return Ok(None);
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

/// Inflates and unpacks. Where that fails and the digest can tell whether the layer is damaged, all of it is read.
fn unpack(
    mut pieces: Pieces,
    compression: Compression,
    expected: &Expected,
    tree: Tree,
    apply: ApplyLayer,
) -> Result<(Digest, Unpacked)> {
    let unpacked = inflate(&mut pieces, compression, expected, tree, apply);
    let is_checked = expected.digest.is_some() || (expected.diff_id.is_some() && compression == Compression::None);
    if unpacked.as_ref().is_err_and(|error| is_checked && !is_full(error)) {
        // What keeps it from being read is told by the one who reads the source.
        let _ = io::copy(&mut pieces, &mut io::sink());
    }
    unpacked
}

/// Whether it failed for want of room: then the rest need not come first.
fn is_full(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::StorageFull)
}

fn inflate(
    pieces: &mut Pieces,
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
    // The diff id is that of all of it, and what comes after the end mark has to be sound, too.
    let trailer = io::copy(&mut (&mut tar).take(TRAILER_MAX + 1), &mut io::sink()).context("read the layer")?;
    ensure!(trailer <= TRAILER_MAX, "the archive goes on for more than {} MiB after its end mark", TRAILER_MAX >> 20);
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
        self.room.take(disk, bytes.len() as u64)?;
        let count = self.inner.write(bytes)?;
        self.hasher.write_all(&bytes[..count])?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
