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
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    /// What the program `xz` makes of `bytes`.
    fn xz(arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
        let mut xz = Command::new("xz");
        let mut child =
            xz.arg("-c").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("xz is needed");
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(bytes).unwrap());
            child.wait_with_output().unwrap()
        });
        assert!(output.status.success());
        output.stdout
    }

    fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        assert_eq!(Packing::detect(bytes, "").unwrap(), Packing::Xz);
        Packing::Xz.reader(bytes).unwrap().read_to_end(&mut unpacked).map(|_| unpacked)
    }

    #[test]
    fn what_xz_packs_is_unpacked() {
        let text: Vec<u8> = (0..30_000u32).flat_map(|number| number.to_le_bytes()).collect();
        for arguments in [&["-1"][..], &["-9"], &["--check=sha256"], &["--block-size=4096"], &["--x86", "--lzma2"]] {
            assert!(unpacked(&xz(arguments, &text)).unwrap() == text, "{arguments:?}");
        }
        let two = [xz(&[], b"one and "), xz(&[], b"another")].concat();
        assert_eq!(unpacked(&two).unwrap(), b"one and another");
    }

    #[test]
    fn damaged_and_greedy_files_are_refused() {
        let whole = xz(&["--check=crc64"], &[7; 5000]);
        for length in [6, 12, 30, whole.len() - 1] {
            assert!(unpacked(&whole[..length]).is_err(), "{length} bytes");
        }
        for at in (6..whole.len()).step_by(5) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x41;
            assert!(unpacked(&damaged).is_err(), "byte {at}");
        }
        // A dictionary of 256 MiB, for a few bytes.
        let greedy = xz(&["--lzma2=dict=256MiB"], b"small");
        assert!(unpacked(&greedy).unwrap_err().to_string().contains("memory"));
    }

    #[test]
    fn other_compressions_come_with_advice() {
        let error = Packing::detect(b"BZh91AY", "tinbox load").unwrap_err().to_string();
        assert!(error.contains("help: unpack it on the way in: bzip2 -dc FILE | tinbox load"), "{error}");
    }
}
