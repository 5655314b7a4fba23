//! The content of files, on its way from an archive to the disk.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;

use anyhow::{Result, ensure};
use look::Error;

use super::room::Room;
use crate::layer::{Extent, Layer};

/// How much is read before it is written.
const PIECE: usize = 256 << 10;
/// Zeros that fill a block of this size, where such blocks begin, are not written.
const HOLE: usize = 16 << 10;
static ZEROS: [u8; HOLE] = [0; HOLE];

/// What content passes through.
pub(super) struct Filler {
    buffer: Vec<u8>,
}

impl Filler {
    pub(super) fn new() -> Filler {
        Filler { buffer: vec![0; PIECE] }
    }

    /// Writes the `extents` of a file of `size` bytes that `layer` holds. What is between them, and long runs of zeros
    /// in them, become holes, which read as zeros. `dir` is on the disk whose `room` it takes.
    pub(super) fn fill(
        &mut self,
        file: &File,
        (size, extents): (u64, &[Extent]),
        layer: &mut Layer<'_>,
        (dir, room): (BorrowedFd<'_>, &mut Room),
    ) -> Result<()> {
        let mut written = 0;
        for extent in extents {
            let (mut at, end) = (extent.offset, extent.offset + extent.length);
            while at < end {
                let piece = self.read(layer, (end - at).min(PIECE as u64) as usize)?;
                for (offset, part) in without_zeros(piece) {
                    room.take(dir, part.len() as u64)?;
                    let offset = at + offset as u64;
                    file.write_all_at(part, offset).map_err(failed("write"))?;
                    written = offset + part.len() as u64;
                }
                at += piece.len() as u64;
            }
        }
        if written < size {
            file.set_len(size).map_err(failed("ftruncate"))?;
        }
        Ok(())
    }

    /// The next `count` bytes of the content of the current member, of which there are as many.
    fn read(&mut self, layer: &mut Layer<'_>, count: usize) -> Result<&[u8]> {
        let piece = &mut self.buffer[..count];
        let mut filled = 0;
        while filled < count {
            let more = layer.read_content(&mut piece[filled..])?;
            ensure!(more > 0, "the archive holds less of this file than it says");
            filled += more;
        }
        Ok(piece)
    }
}

/// The parts of `piece` between long runs of zeros, with their offsets.
fn without_zeros(piece: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut blocks = piece.chunks(HOLE).map(|block| (block.len(), block != &ZEROS[..])).peekable();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some((length, _)) = blocks.next_if(|(_, holds)| !holds) {
            at += length;
        }
        let start = at;
        while let Some((length, _)) = blocks.next_if(|(_, holds)| *holds) {
            at += length;
        }
        (at > start).then(|| (start, &piece[start..at]))
    })
}

fn failed(call: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |error| Error::io(call, "its content", &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_zeros_are_left_out_and_short_ones_are_not() {
        let mut piece = vec![0u8; 5 * HOLE + 10];
        piece[HOLE + 1] = 1;
        piece[3 * HOLE] = 2;
        let parts: Vec<_> = without_zeros(&piece).map(|(at, part)| (at, part.len())).collect();
        // The end is no whole block: it is written, and the file is as long as it should be.
        assert_eq!(parts, [(HOLE, HOLE), (3 * HOLE, HOLE), (5 * HOLE, 10)]);
        assert_eq!(without_zeros(&[0; HOLE]).count(), 0);
        assert_eq!(without_zeros(&[]).count(), 0);
    }
}
