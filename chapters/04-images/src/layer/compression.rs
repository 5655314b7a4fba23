//! Layers are compressed on their way and in the store: with gzip, or with zstd.

use std::io::{BufReader, Cursor, Read};

use anyhow::{Context, Result, bail};
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

impl Compression {
    /// What the first bytes say. Programs are named that Tinbox has not.
    pub fn detect(start: &[u8]) -> Result<Compression> {
        let program = match start {
            [0x1f, 0x8b, ..] => return Ok(Compression::Gzip),
            // A frame, or one that decoders skip.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Ok(Compression::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "xz",
            [b'B', b'Z', b'h', ..] => "bzip2",
            _ => return Ok(Compression::None),
        };
        bail!(
            "it is compressed with {program}, and only gzip and zstd are read here\n  \
             help: unpack it on the way in: {program} -dc FILE | tinbox import - NAME"
        );
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
    pub fn reader<'a>(self, compressed: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
        let buffered = BufReader::with_capacity(1 << 16, compressed);
        Ok(match self {
            Compression::None => Box::new(buffered),
            Compression::Gzip => Box::new(MultiGzDecoder::new(buffered)),
            Compression::Zstd => Box::new(Frames::new(buffered)),
        })
    }
}

/// Looks at the beginning of `stream`, which is then still all there.
pub fn detect<'a>(mut stream: impl Read + 'a) -> Result<(Compression, impl Read + 'a)> {
    let mut start = Vec::new();
    stream.by_ref().take(6).read_to_end(&mut start).context("read the layer")?;
    Ok((Compression::detect(&start)?, Cursor::new(start).chain(stream)))
}
