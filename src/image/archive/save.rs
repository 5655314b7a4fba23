//! Writing an archive.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Write};

use anyhow::{Context, Result, bail};
use images::oci::{Descriptor, Index, REF_NAME};
use images::{Digest, HashingReader, Image, Name, Store};
use serde::Serialize;
use tar::{Builder, EntryType, Header};

use super::contents::blob_path;
use super::{DOCKER_INDEX, DockerImage, FULL_NAME, OCI_INDEX};

/// Writes these images to `out`, each with the names that it is to have. The same images give the same bytes.
pub fn save(store: &Store, images: &[(Image, Vec<Name>)], out: impl Write) -> Result<()> {
    // Nothing that is named here may be cleared away before it is written.
    let _hold = store.hold()?;
    let mut archive = Archive(Builder::new(out));
    archive.document("oci-layout", &serde_json::json!({ "imageLayoutVersion": "1.0.0" }))?;
    archive.document(OCI_INDEX, &index(images))?;
    archive.document(DOCKER_INDEX, &images.iter().map(docker_image).collect::<Vec<_>>())?;
    archive.directory("blobs/")?;
    archive.directory("blobs/sha256/")?;
    for digest in blobs(images) {
        archive.blob(store, &digest).with_context(|| format!("save {digest}"))?;
    }
    archive.0.finish().context("write the archive")?;
    archive.0.get_mut().flush().context("write the archive")
}

/// One entry for each name; an image without one has an entry, too.
fn index(images: &[(Image, Vec<Name>)]) -> Index {
    let mut entries = Vec::new();
    for (image, names) in images {
        let entry = |annotations| Descriptor { annotations, ..image.manifest.clone() };
        entries.extend(names.iter().map(|name| {
            let annotations = [(FULL_NAME, name.full()), (REF_NAME, name.full())];
            entry(annotations.map(|(key, value)| (key.to_owned(), value)).into())
        }));
        if names.is_empty() {
            entries.push(entry(BTreeMap::new()));
        }
    }
    Index::new(entries)
}

fn docker_image((image, names): &(Image, Vec<Name>)) -> DockerImage {
    DockerImage {
        config: blob_path(&image.id),
        repo_tags: (!names.is_empty()).then(|| names.iter().map(Name::to_string).collect()),
        layers: Some(image.layers.iter().map(|layer| blob_path(&layer.descriptor.digest)).collect()),
    }
}

/// All that the images are made of, each once.
fn blobs(images: &[(Image, Vec<Name>)]) -> BTreeSet<Digest> {
    let layers = images.iter().flat_map(|(image, _)| image.layers.iter().map(|layer| layer.descriptor.digest));
    let documents = images.iter().flat_map(|(image, _)| [image.manifest.digest, image.id]);
    layers.chain(documents).collect()
}

/// An archive that is being written.
struct Archive<W: Write>(Builder<W>);

impl<W: Write> Archive<W> {
    fn document(&mut self, path: &str, document: &impl Serialize) -> Result<()> {
        let bytes = serde_json::to_vec(document)?;
        let mut header = header(EntryType::Regular, 0o644, bytes.len() as u64);
        self.0.append_data(&mut header, path, bytes.as_slice()).context("write the archive")
    }

    fn directory(&mut self, path: &str) -> Result<()> {
        let mut header = header(EntryType::Directory, 0o755, 0);
        self.0.append_data(&mut header, path, io::empty()).context("write the archive")
    }

    /// Copies a blob, and sees whether it is what its name says.
    fn blob(&mut self, store: &Store, digest: &Digest) -> Result<()> {
        let Some((file, size)) = store.open_blob(digest)? else { bail!("it is not in the store any more") };
        let mut header = header(EntryType::Regular, 0o644, size);
        // A file that became shorter would shift all that follows.
        let mut bytes = HashingReader::new(BufReader::with_capacity(1 << 18, file).take(size));
        self.0.append_data(&mut header, blob_path(digest), &mut bytes).context("write the archive")?;
        let (found, copied) = bytes.finish();
        if found != *digest || copied != size {
            bail!("its contents are not what its name says: remove the image, and fetch it again");
        }
        Ok(())
    }
}

/// With nobody's name and at no time, so that only the contents count.
fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
