//! Reading an archive.

mod docker;
mod layers;
mod oci;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use anyhow::{Context, Result, bail};
use images::layer::compression::Compression;
use images::oci::{Descriptor, ImageConfig};
use images::{ApplyLayer, Digest, Expected, Image, Name, Store, Writer, chain_ids};

use super::contents::{Contents, Extent};
use super::spool::Spool;
use super::{DOCKER_INDEX, OCI_INDEX};
use crate::registry::Progress;
use layers::Known;

/// No overlay has more layers than that, and no image that is any good.
const LAYERS_MAX: usize = 500;

/// An image that an archive describes.
struct Packed {
    names: Vec<Name>,
    config: Vec<u8>,
    layers: Vec<PackedLayer>,
    /// The bytes and the media type of its manifest, if it has one.
    manifest: Option<(Vec<u8>, String)>,
}

/// A layer, where it is in the archive, and what it should be.
struct PackedLayer {
    extent: Extent,
    expected: Expected,
    diff_id: Digest,
}

/// An image that was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// It, in the store.
    pub image: Image,
    /// The names that it got.
    pub names: Vec<Name>,
    /// Names that it took from other images, and the ids of those.
    pub taken: Vec<(Name, Digest)>,
    /// What of it could not be unpacked here, a sentence each.
    pub warnings: Vec<String>,
}

/// Puts all images of the archive in `file` into `store`, and tells `loaded` of each. The archive may be compressed as a
/// whole, and `file` may be a pipe.
pub fn load(
    store: &Store,
    file: File,
    apply: ApplyLayer,
    progress: &Progress,
    mut loaded: impl FnMut(Loaded) -> Result<()>,
) -> Result<()> {
    let writer = store.write()?;
    let contents = open(&writer, file)?;
    let packed = match (contents.has(OCI_INDEX), contents.has(DOCKER_INDEX)) {
        // With the manifest as it was made, and so with the digest that registries know.
        (true, _) => oci::images(&contents).context("read the image layout")?,
        (false, true) => docker::images(&contents).context("read manifest.json")?,
        (false, false) => bail!(
            "it is no archive of images: it has neither index.json nor manifest.json\n  \
             help: a root file system becomes an image with `tinbox import`"
        ),
    };
    let mut known = Known::of(store)?;
    for packed in packed {
        loaded(add(store, &writer, &contents, &packed, &mut known, apply, progress)?)?;
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

/// Puts one image into the store.
fn add(
    store: &Store,
    writer: &Writer<'_>,
    contents: &Contents,
    packed: &Packed,
    known: &mut Known,
    apply: ApplyLayer,
    progress: &Progress,
) -> Result<Loaded> {
    let (layers, warnings) = known.bring(writer, contents, &packed.layers, apply, progress)?;
    let mut taken = Vec::new();
    for name in &packed.names {
        let before = store.find(name)?.filter(|before| before.id != Digest::of(&packed.config));
        taken.extend(before.map(|before| (name.clone(), before.id)));
    }
    let image = match packed.manifest_of(&layers) {
        Some((manifest, media_type)) => {
            writer.put(&packed.config)?;
            writer.commit(manifest, media_type, &packed.names)?
        }
        None => writer.commit_config(&packed.config, layers, &packed.names)?,
    };
    known.note(&image);
    Ok(Loaded { image, names: packed.names.clone(), taken, warnings })
}

impl Packed {
    /// The image of this config, and what is known of its layers, bottom first.
    fn new(names: Vec<Name>, config: Vec<u8>, layers: Vec<(Extent, Expected)>) -> Result<Packed> {
        let parsed: ImageConfig = serde_json::from_slice(&config).context("its config cannot be read")?;
        let diff_ids = parsed.rootfs.diff_ids;
        if layers.len() != diff_ids.len() {
            bail!("it has {} layers, but its config knows {}", layers.len(), diff_ids.len());
        }
        if layers.len() > LAYERS_MAX {
            bail!("it has {} layers, and {LAYERS_MAX} is the most that can be stacked", layers.len());
        }
        let layers = layers.into_iter().zip(diff_ids).map(|((extent, expected), diff_id)| PackedLayer {
            extent,
            expected: Expected { diff_id: Some(diff_id), ..expected },
            diff_id,
        });
        Ok(Packed { names, config, layers: layers.collect(), manifest: None })
    }

    /// Its own manifest, if these are its layers byte for byte.
    fn manifest_of(&self, layers: &[Descriptor]) -> Option<(&[u8], &str)> {
        let (bytes, media_type) = self.manifest.as_ref()?;
        let same = |(wanted, found): (&PackedLayer, &Descriptor)| wanted.expected.digest == Some(found.digest);
        self.layers.iter().zip(layers).all(same).then_some((bytes, media_type))
    }
}

impl PackedLayer {
    /// The chain ids of these layers, bottom first.
    fn chain(layers: &[PackedLayer]) -> Vec<Digest> {
        chain_ids(&layers.iter().map(|layer| layer.diff_id).collect::<Vec<_>>())
    }
}
