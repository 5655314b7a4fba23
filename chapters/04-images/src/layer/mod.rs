//! Reading a tar archive that nobody vouches for.
//!
//! A tar archive is a row of 512-byte blocks: a header for each member, then its content, then at least one block
//! of zeros as the end mark. What does not fit into a header comes as a member of its own before the member it is
//! about: GNU's `L` and `K` hold a long name or link target, POSIX's `x` ("pax") holds `key=value` records. The
//! `tar` crate decodes the fields of a block; the walk from block to block is here, because it is where a hostile
//! archive attacks:
//!
//! - a name or a record of gigabytes would have to be held in memory: they are capped;
//! - two readers that disagree on how long a member is see different archives: a header that says that a
//!   directory or a link has content is refused;
//! - an archive that was cut off between two members looks whole: it is not, without its end mark;
//! - a name can mean more than itself: see `markers`.

pub mod compression;
mod fields;
mod markers;
mod member;
mod pax;
mod reader;
mod sparse;
pub mod writer;
mod zstd;

pub use member::{Kind, Member};
pub use reader::Layer;
pub use sparse::Extent;

/// What an archive is made of (POSIX.1-2017, `pax`, "ustar Interchange Format").
const BLOCK: u64 = 512;
/// The most that one long name, or the records about one member, may take.
const RECORD_MAX: u64 = 1 << 20;
