//! `import`: a tar archive of a root file system becomes an image.

use std::io::{self, BufReader, Cursor, Read};

use anyhow::{Context, Result, bail};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::archive::Archive;
use super::unpack::unpack;
use super::{Config, Image, Name, Store, hex};

/// What an import gave.
#[derive(Debug)]
pub struct Imported {
    /// The image, in the store.
    pub image: Image,
    /// What of the archive is not in it, a sentence each.
    pub warnings: Vec<String>,
}

/// Makes an image of the tar archive that `archive` holds, plain or compressed with gzip, and lets `name` mean it
/// from now on.
///
/// As root, files keep their owners. For an ordinary user they belong to the user, who is root in the user's
/// containers, and device nodes are left out. Modes, times, hard links and the extended attributes `user.*` and
/// `security.capability` are kept. The image's id is the digest of the uncompressed archive (OCI's diff id), so
/// that the same archive gives the same image.
///
/// Nothing is left behind after a failure: an archive that is cut off, damaged, no archive at all, or made to
/// reach outside of the tree.
pub fn import(store: &Store, archive: impl Read, name: Option<&Name>) -> Result<Imported> {
    let mut tar = BufReader::with_capacity(1 << 18, Digesting { inner: unpacked(archive)?, digest: Sha256::new() });
    let draft = store.draft()?;
    let left_out = unpack(&mut Archive::new(&mut tar), &draft.rootfs())?;
    // The digest is over all of it, and what is behind the end mark has to be sound gzip too.
    io::copy(&mut tar, &mut io::sink()).context("read the archive")?;
    let id = hex(&tar.into_inner().digest.finalize());
    let image = draft.commit(&id, &Config::default(), name)?;
    Ok(Imported { image, warnings: left_out.warnings() })
}

/// The archive without its compression, which the first bytes tell.
fn unpacked<'a>(mut archive: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    archive.by_ref().take(6).read_to_end(&mut start).context("read the archive")?;
    let unsupported = match start.as_slice() {
        [] => bail!("the archive is empty"),
        [0x1f, 0x8b, ..] => None,
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some("xz"),
        [b'B', b'Z', b'h', ..] => Some("bzip2"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => return Ok(Box::new(Cursor::new(start).chain(archive))),
    };
    if let Some(program) = unsupported {
        bail!(
            "the archive is compressed with {program}, and import reads gzip only\n  \
             help: unpack it on the way in: {program} -dc ARCHIVE | tinbox import - NAME"
        );
    }
    let whole = BufReader::with_capacity(1 << 16, Cursor::new(start).chain(archive));
    Ok(Box::new(MultiGzDecoder::new(whole)))
}

/// Computes the digest of what is read through it.
struct Digesting<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(&buffer[..count]);
        Ok(count)
    }
}
