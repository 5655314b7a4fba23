//! How a whole archive is compressed: as layers may be, or with xz, as archives of root file systems often are.

use std::io::{BufReader, Read};

use anyhow::{Result, bail};
use images::layer::compression::{Compression, Unsupported};
use lzma_rust2::XzReader;

/// The most memory that unpacking xz may take, in KiB: the dictionary of `xz -9` has half of it.
const XZ_MEMORY_MAX: u32 = 128 << 10;

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Like a layer.
    Layer(Compression),
    /// With xz.
    Xz,
}

impl Packing {
    /// How many bytes [`Packing::detect`] looks at.
    pub const MAGIC_MAX: u64 = Compression::MAGIC_MAX;

    /// What the first bytes of an archive say. `command` is what reads the archive from a pipe, for what to do about a
    /// compression that is not read here.
    pub fn detect(start: &[u8], command: &str) -> Result<Packing> {
        match Compression::detect(start) {
            Ok(compression) => Ok(Packing::Layer(compression)),
            Err(Unsupported("xz")) => Ok(Packing::Xz),
            Err(Unsupported(program)) => bail!(
                "it is compressed with {program}, and only gzip, zstd and xz are read here\n  \
                 help: unpack it on the way in: {program} -dc FILE | {command}"
            ),
        }
    }

    /// What `packed` holds, without the compression.
    pub fn reader<'a>(self, packed: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>> {
        match self {
            Packing::Layer(compression) => compression.reader(packed),
            Packing::Xz => {
                let buffered = BufReader::with_capacity(1 << 16, packed);
                Ok(Box::new(XzReader::new_mem_limit(buffered, true, XZ_MEMORY_MAX)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A file that the program `xz` has made.
    macro_rules! sample {
        ($name:literal) => {
            &include_bytes!(concat!("samples/", $name, ".xz"))[..]
        };
    }

    fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        assert_eq!(Packing::detect(bytes, "").unwrap(), Packing::Xz);
        Packing::Xz.reader(bytes).unwrap().read_to_end(&mut unpacked).map(|_| unpacked)
    }

    #[test]
    fn what_xz_packs_is_unpacked() {
        let lines: Vec<String> =
            (0..40).map(|line| format!("line {} of a text that repeats itself", line % 7)).collect();
        for packed in [sample!("plain"), sample!("fast-sha256"), sample!("blocks"), sample!("x86")] {
            assert_eq!(unpacked(packed).unwrap(), lines.join("\n").as_bytes());
        }
        assert_eq!(unpacked(sample!("two-streams")).unwrap(), b"one and another");
    }

    #[test]
    fn damaged_and_greedy_files_are_refused() {
        let whole = sample!("plain");
        for length in [6, 12, 30, whole.len() - 1] {
            assert!(unpacked(&whole[..length]).is_err(), "{length} bytes");
        }
        for at in (6..whole.len()).step_by(5) {
            let mut damaged = whole.to_vec();
            damaged[at] ^= 0x41;
            assert!(unpacked(&damaged).is_err(), "byte {at}");
        }
        // A dictionary of 256 MiB, for a few bytes.
        assert!(unpacked(sample!("greedy")).unwrap_err().to_string().contains("memory"));
    }

    #[test]
    fn other_compressions_come_with_advice() {
        let error = Packing::detect(b"BZh91AY", "tinbox load").unwrap_err().to_string();
        assert!(error.contains("help: unpack it on the way in: bzip2 -dc FILE | tinbox load"), "{error}");
    }
}
