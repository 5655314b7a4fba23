//! Layers are compressed on their way and in the store: with gzip, or with zstd.

use std::io::{BufReader, Cursor, Read};

use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;

use super::zstd::Frames;
use crate::oci::media;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// A compression that no layer has, by the name of its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is compressed with {0}, and layers may be compressed with gzip or zstd")]
pub struct Unsupported(pub &'static str);

impl Compression {
    /// How many bytes [`Compression::detect`] looks at.
    pub const MAGIC_MAX: u64 = 6;

    /// What the first bytes say: RFC 1952, section 2.3.1; RFC 8878, section 3.1; the .xz file format, section 2.1.1.1.
    pub fn detect(start: &[u8]) -> Result<Compression, Unsupported> {
        match start {
            [0x1f, 0x8b, ..] => Ok(Compression::Gzip),
            // A frame, or one that decoders skip.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Compression::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err(Unsupported("xz")),
            [b'B', b'Z', b'h', ..] => Err(Unsupported("bzip2")),
            _ => Ok(Compression::None),
        }
    }

    /// OCI's media type of a layer that is compressed like this.
    pub fn media_type(self) -> &'static str {
        match self {
            Compression::None => media::LAYER,
            Compression::Gzip => media::LAYER_GZIP,
            Compression::Zstd => media::LAYER_ZSTD,
        }
    }

    /// What `compressed` holds, without the compression.
    pub fn reader<'a>(self, compressed: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>> {
        let buffered = BufReader::with_capacity(1 << 16, compressed);
        Ok(match self {
            Compression::None => Box::new(buffered),
            Compression::Gzip => Box::new(MultiGzDecoder::new(buffered)),
            Compression::Zstd => Box::new(Frames::new(buffered)),
        })
    }
}

/// How `stream` is compressed, and all of `stream`, from its first byte on.
pub fn detect<'a>(mut stream: impl Read + Send + 'a) -> Result<(Compression, impl Read + Send + 'a)> {
    let mut start = Vec::new();
    stream.by_ref().take(Compression::MAGIC_MAX).read_to_end(&mut start).context("read the layer")?;
    Ok((Compression::detect(&start)?, Cursor::new(start).chain(stream)))
}
