//! The maps of sparse files: where in the file the pieces belong that the archive holds.
//!
//! There are four ways to write one. GNU's own has room for four pieces in the header; more are in blocks after it,
//! each of which says whether another follows. The others are pax records: in version 0.0 one for each number, in 0.1
//! all numbers in one, and in 1.0 the records only say so: the numbers are lines in front of the content.
//!
//! Source: the GNU tar manual, "Storing Sparse Files".

use anyhow::{Context, Result, ensure};
use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

/// The most pieces that a file may be in.
const EXTENTS_MAX: usize = 1 << 18;
/// The most bytes that a sparse file may have: making one costs nothing, but reading it does.
const SIZE_MAX: u64 = 16 << 40;

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

/// What pax records say about a sparse file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct PaxMap {
    /// Whether there is one.
    pub(super) sparse: bool,
    /// Whether the numbers are in front of the content.
    pub(super) in_content: bool,
    pub(super) size: Option<u64>,
    /// Offsets and lengths by turns.
    pub(super) numbers: Vec<u64>,
}

/// A file's length and its pieces.
pub(super) type Map = (u64, Vec<Extent>);

/// The map in a header in GNU's way. The archive holds `content` bytes; `next_block` reads the blocks after the header.
pub(super) fn of_gnu(
    header: &Header,
    content: u64,
    mut next_block: impl FnMut(&mut [u8]) -> Result<()>,
) -> Result<Map> {
    let header = header.as_gnu().context("a sparse file without GNU's header")?;
    let mut extents = Vec::new();
    add_gnu(&mut extents, &header.sparse)?;
    let mut more = header.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        next_block(block.as_mut_bytes())?;
        add_gnu(&mut extents, block.sparse())?;
        more = block.is_extended();
    }
    checked(header.real_size()?, extents, content)
}

/// The map in pax records. The archive holds `content` bytes, of which this takes what the map has in front of it;
/// `next_block` reads from them.
pub(super) fn of_pax(map: PaxMap, content: &mut u64, next_block: impl FnMut(&mut [u8]) -> Result<()>) -> Result<Map> {
    let size = map.size.context("a sparse file without its size")?;
    let numbers = if map.in_content { numbers_in_front(content, next_block)? } else { map.numbers };
    ensure!(numbers.len().is_multiple_of(2), "the map of this sparse file has an offset without a length");
    let mut extents = Vec::new();
    for pair in numbers.chunks_exact(2) {
        add(&mut extents, pair[0], pair[1])?;
    }
    checked(size, extents, *content)
}

/// Reads how many pieces there are, and two numbers for each, on lines of their own, up to a whole block.
fn numbers_in_front(content: &mut u64, mut next_block: impl FnMut(&mut [u8]) -> Result<()>) -> Result<Vec<u64>> {
    let wrong = "the map of this sparse file has an invalid number";
    let (mut numbers, mut count, mut number) = (Vec::new(), None, None);
    while count.is_none_or(|count| numbers.len() < count) {
        let mut block = [0; 512];
        *content = content.checked_sub(512).context("the map of this sparse file is cut off")?;
        next_block(&mut block)?;
        for byte in block {
            match byte {
                b'0'..=b'9' => {
                    let so_far = number.unwrap_or(0u64).checked_mul(10);
                    number = Some(so_far.and_then(|n| n.checked_add(u64::from(byte - b'0'))).context(wrong)?);
                }
                b'\n' if count.is_none() => {
                    let pieces = number.take().filter(|n| *n <= EXTENTS_MAX as u64).context(too_many())?;
                    count = Some(2 * pieces as usize);
                }
                b'\n' => numbers.push(number.take().context(wrong)?),
                _ => anyhow::bail!(wrong),
            }
            if count.is_some_and(|count| numbers.len() == count) {
                break;
            }
        }
    }
    Ok(numbers)
}

/// Adds the pieces that a block has. GNU's tar ends the map with an empty one.
fn add_gnu(extents: &mut Vec<Extent>, found: &[GnuSparseHeader]) -> Result<()> {
    let mut pieces = found.iter().filter(|piece| !piece.is_empty());
    pieces.try_for_each(|piece| add(extents, piece.offset()?, piece.length()?))
}

/// Adds a piece, which has to begin where the one before it ends or later, and must not end beyond what a file can be.
fn add(extents: &mut Vec<Extent>, offset: u64, length: u64) -> Result<()> {
    let in_order = extents.last().is_none_or(|last| last.end() <= offset);
    let end = offset.checked_add(length).filter(|end| *end <= i64::MAX as u64);
    ensure!(in_order && end.is_some(), "the map of this sparse file is out of order");
    ensure!(extents.len() < EXTENTS_MAX, too_many());
    if length > 0 {
        extents.push(Extent { offset, length });
    }
    Ok(())
}

fn too_many() -> String {
    format!("this sparse file is in more than {EXTENTS_MAX} pieces")
}

fn checked(size: u64, extents: Vec<Extent>, content: u64) -> Result<Map> {
    let held: u64 = extents.iter().map(|extent| extent.length).sum();
    let fits = extents.last().is_none_or(|last| last.end() <= size);
    ensure!(held == content && fits, "the map of this sparse file does not fit its content");
    ensure!(size <= SIZE_MAX, "a sparse file of {size} bytes, and {SIZE_MAX} are the most that a file may have");
    Ok((size, extents))
}
