//! Reading an archive.

mod docker;
mod oci;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use anyhow::{Context, Result, bail};
use images::layer::compression::Compression;
use images::{ApplyLayer, Store, Writer};

use super::contents::{Contents, Extent};
use super::spool::Spool;
use super::{DOCKER_INDEX, OCI_INDEX};
use crate::image::incoming::{Arrived, Incoming, Intake};
use crate::registry::Tell;

/// An image that an archive describes.
struct Packed {
    image: Incoming,
    /// Where its layers are.
    layers: Vec<Extent>,
}

/// Puts all images of the archive in `file` into `store`, and tells `loaded` of each. The archive may be compressed as a
/// whole, and `file` may be a pipe. `tell` says where to tell how far it is.
pub fn load(
    store: &Store,
    file: File,
    apply: ApplyLayer,
    tell: Tell,
    mut loaded: impl FnMut(Arrived) -> Result<()>,
) -> Result<()> {
    let mut intake = Intake::begin(store, apply, tell)?;
    let contents = open(intake.writer(), file)?;
    let images = match (contents.has(OCI_INDEX), contents.has(DOCKER_INDEX)) {
        // With the manifest as it was made, and so with the digest that registries know.
        (true, _) => oci::images(&contents).context("read index.json")?,
        (false, true) => docker::images(&contents).context("read manifest.json")?,
        (false, false) => bail!(
            "it is no archive of images: it has neither index.json nor manifest.json\n  \
             help: a root file system becomes an image with `tinbox import`"
        ),
    };
    for Packed { image, layers } in images {
        let open = |at: usize| Ok(Box::new(contents.reader(layers[at])) as Box<dyn Read + Send>);
        loaded(intake.take_in(&image, &open)?)?;
    }
    Ok(())
}

/// The archive, where it can be read in any order: in the file itself, or in one that is filled from it.
fn open(writer: &Writer<'_>, mut file: File) -> Result<Contents> {
    let start = file.stream_position().ok().filter(|_| file.metadata().is_ok_and(|about| about.is_file()));
    let mut first = Vec::new();
    (&file).take(6).read_to_end(&mut first).context("read the archive")?;
    if first.is_empty() {
        bail!("the archive is empty");
    }
    let compression = match Compression::detect(&first) {
        Ok(compression) => compression,
        Err(_) => {
            let program = if first.starts_with(b"BZh") { "bzip2" } else { "xz" };
            bail!(
                "it is compressed with {program}, and only gzip and zstd are read here\n  \
                 help: unpack it on the way in: {program} -dc FILE | tinbox load"
            );
        }
    };
    if let (Compression::None, Some(start)) = (compression, start) {
        return Contents::of(file, start);
    }
    let scratch = writer.scratch()?;
    let mut spool = Spool::in_dir(&scratch.path())?;
    let mut bytes = compression.reader(Cursor::new(first).chain(&file))?;
    io::copy(&mut bytes, &mut spool).context("copy the archive to where it can be read in any order")?;
    Contents::of(spool.into_file(), 0)
}
