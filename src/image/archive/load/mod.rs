//! Reading an archive.

mod docker;
mod oci;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use anyhow::{Context, Result, bail, ensure};
use images::layer::compression::Compression;
use images::store::DamagedImage;
use images::{ApplyLayer, Digest, Name, Store, Writer};

use super::contents::{Contents, Extent};
use super::spool::Spool;
use super::{DOCKER_INDEX, OCI_INDEX};
use crate::image::incoming::{Arrived, Incoming, Intake};
use crate::image::packing::Packing;
use crate::image::room;
use crate::progress::ProgressTarget;

/// The most images that an archive may have.
const IMAGES_MAX: usize = 1000;

/// An image that an archive describes.
struct Packed {
    image: Incoming,
    /// The digest of its config.
    id: Digest,
    /// What the archive calls it.
    names: Vec<Name>,
    /// Where its layers are.
    layers: Vec<Extent>,
}

/// The images of an archive, each read when it is asked for: their documents together may be larger than memory.
type Images<'a> = Box<dyn Iterator<Item = Result<Packed>> + 'a>;

/// Puts all images of the archive in `file` into `store`, and tells `loaded` of each. The archive may be compressed as a
/// whole, and `file` may be a pipe. `tell` says where to tell how far it is.
pub fn load(
    store: &Store,
    file: File,
    apply: ApplyLayer,
    progress: ProgressTarget,
    mut loaded: impl FnMut(Arrived) -> Result<()>,
) -> Result<()> {
    let mut intake = Intake::begin(store, apply, progress)?;
    let contents = open(intake.writer(), file).map_err(room::with_help)?;
    let (form, images) = match (contents.has(OCI_INDEX), contents.has(DOCKER_INDEX)) {
        // With the manifest as it was made, and so with the digest that registries know.
        (true, _) => (OCI_INDEX, oci::images(&contents)),
        (false, true) => (DOCKER_INDEX, docker::images(&contents)),
        (false, false) => bail!(
            "it is not an archive of images: it has neither index.json nor manifest.json\n  \
             help: a root file system becomes an image with `tinbox import`"
        ),
    };
    for packed in images.with_context(|| format!("read {form}"))? {
        let Packed { mut image, id, names, layers } = packed.with_context(|| format!("read {form}"))?;
        let (names, kept) = names.into_iter().partition::<Vec<_>, _>(|name| may_be_called(store, name, &id));
        names.into_iter().for_each(|name| image.called(name));
        let open = |at: usize| Ok(Box::new(contents.reader(layers[at])) as Box<dyn Read + Send>);
        let mut arrived = intake.take_in(&image, &open).map_err(room::with_help)?;
        arrived.warnings.extend(kept.iter().map(|name| {
            format!(
                "{name} stays the embedded image of this machine: the one in the archive is another, {}",
                id.short()
            )
        }));
        loaded(arrived)?;
    }
    Ok(())
}

/// Whether an image may get this name. What people run as `base` is not replaced because an archive says so.
fn may_be_called(store: &Store, name: &Name, id: &Digest) -> bool {
    let is_the_same = || match store.find(name) {
        Ok(there) => there.is_none_or(|there| there.id == *id),
        // What cannot be read is as good as not there.
        Err(error) => error.is::<DamagedImage>(),
    };
    *name != Name::base() || is_the_same()
}

/// Checks how many images an archive says that it has.
fn check_count(count: usize) -> Result<()> {
    ensure!(count > 0, "it names no image");
    ensure!(count <= IMAGES_MAX, "it names {count} images, and {IMAGES_MAX} is the most that are loaded at once");
    Ok(())
}

/// The archive, where it can be read in any order: in the file itself, or in one that is filled from it.
fn open(writer: &Writer<'_>, mut file: File) -> Result<Contents> {
    let start = file.stream_position().ok().filter(|_| file.metadata().is_ok_and(|about| about.is_file()));
    let mut first = Vec::new();
    (&file).take(Packing::MAGIC_MAX).read_to_end(&mut first).context("read the archive")?;
    if first.is_empty() {
        bail!("the archive is empty");
    }
    let packing = Packing::detect(&first, "tinbox load")?;
    if let (Packing::Layer(Compression::None), Some(start)) = (packing, start) {
        return Contents::of(file, start);
    }
    let scratch = writer.scratch()?;
    let mut spool = Spool::in_dir(&scratch.path())?;
    let mut bytes = packing.reader(Cursor::new(first).chain(&file))?;
    io::copy(&mut bytes, &mut spool).context("copy the archive to where it can be read in any order")?;
    Contents::of(spool.into_file(), 0)
}
