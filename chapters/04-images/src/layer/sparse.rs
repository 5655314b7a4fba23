//! The map of a sparse file, in GNU's way: where in the file the pieces belong that the archive holds.
//!
//! The header has room for four pieces. More are in blocks behind it, each of which says whether another follows.

use anyhow::{Context, Result, ensure};
use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

/// The most pieces that a file may be in.
const EXTENTS_MAX: usize = 1 << 18;

/// A part of a file that the archive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Where in the file it begins.
    pub offset: u64,
    /// How many bytes it is long.
    pub length: u64,
}

impl Extent {
    fn end(&self) -> u64 {
        self.offset + self.length
    }
}

/// The size of the file that `header` describes, and its pieces in order. The archive holds `content` bytes of
/// it; `next_block` reads the blocks behind the header.
pub(super) fn map(
    header: &Header,
    content: u64,
    mut next_block: impl FnMut(&mut [u8]) -> Result<()>,
) -> Result<(u64, Vec<Extent>)> {
    let header = header.as_gnu().context("a sparse file without GNU's header")?;
    let mut extents = Vec::new();
    add(&mut extents, &header.sparse)?;
    let mut more = header.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        next_block(block.as_mut_bytes())?;
        add(&mut extents, block.sparse())?;
        more = block.is_extended();
    }
    let size = header.real_size()?;
    let held: u64 = extents.iter().map(|extent| extent.length).sum();
    let fits = extents.last().is_none_or(|last| last.end() <= size);
    ensure!(held == content && fits, "the map of this sparse file does not fit its content");
    Ok((size, extents))
}

/// Adds pieces that are in order, do not overlap, and of which none ends beyond what a file can be. GNU's tar
/// ends the map with an empty piece.
fn add(extents: &mut Vec<Extent>, found: &[GnuSparseHeader]) -> Result<()> {
    for piece in found.iter().filter(|piece| !piece.is_empty()) {
        let (offset, length) = (piece.offset()?, piece.length()?);
        let in_order = extents.last().is_none_or(|last| last.end() <= offset);
        let end = offset.checked_add(length).filter(|end| *end <= i64::MAX as u64);
        ensure!(in_order && end.is_some(), "the map of this sparse file is out of order");
        ensure!(extents.len() < EXTENTS_MAX, "this sparse file is in more than {EXTENTS_MAX} pieces");
        if length > 0 {
            extents.push(Extent { offset, length });
        }
    }
    Ok(())
}
