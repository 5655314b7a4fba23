//! OCI's form: `index.json` has the digests of manifests, and perhaps of more indexes.

use anyhow::{Context, Result, bail, ensure};
use images::oci::{Descriptor, Index, Platform, REF_NAME, media};
use images::{Expected, Name, shown};

use super::{Contents, Images, Packed, check_count};
use crate::image::archive::contents::blob_path;
use crate::image::archive::{FULL_NAME, OCI_INDEX};
use crate::image::incoming::Incoming;
use crate::image::manifest::{self, Document, check_manifest};
use crate::image::platform;

/// Indexes in indexes: more than this is no image.
const DEPTH: usize = 4;

pub(super) fn images(contents: &Contents) -> Result<Images<'_>> {
    let index = index(&contents.document(OCI_INDEX)?, "")?;
    check_count(index.manifests.len())?;
    let mut images: Vec<(Descriptor, Vec<Name>)> = Vec::new();
    for (name, entries) in by_name(index.manifests)? {
        let manifest = one_of(contents, entries, DEPTH)?;
        // An image with two names has two entries, and is one image.
        match images.iter_mut().find(|(known, _)| *known == manifest) {
            Some((_, names)) => names.extend(name),
            None => images.push((manifest, name.into_iter().collect())),
        }
    }
    Ok(Box::new(images.into_iter().map(|(manifest, names)| {
        image(contents, &manifest, names).with_context(|| format!("read image {}", manifest.digest))
    })))
}

/// The index in `bytes`, which come as `media_type`.
fn index(bytes: &[u8], media_type: &str) -> Result<Index> {
    match manifest::read(bytes, media_type)?.1 {
        Document::Index(index) => Ok(index),
        Document::Manifest(_) => bail!("it is the manifest of an image, and no index"),
    }
}

/// What may stand for one image, in the order of the archive: one entry, or several for several machines.
fn by_name(entries: Vec<Descriptor>) -> Result<Vec<(Option<Name>, Vec<Descriptor>)>> {
    let mut groups: Vec<(Option<Name>, Vec<Descriptor>)> = Vec::new();
    for entry in entries {
        let name = name_of(&entry)?;
        let mut groups_of_several =
            groups.iter_mut().filter(|(_, group)| group.iter().all(|one| one.platform.is_some()));
        match groups_of_several.find(|(known, _)| entry.platform.is_some() && *known == name) {
            Some((_, group)) => group.push(entry),
            None => groups.push((name, vec![entry])),
        }
    }
    Ok(groups)
}

/// What an entry is called. A reference may be a name or a tag alone, and a tag alone says nothing.
fn name_of(entry: &Descriptor) -> Result<Option<Name>> {
    let annotation = |key| entry.annotations.get(key).filter(|text: &&String| !text.is_empty());
    let Some(text) = annotation(FULL_NAME).or(annotation(REF_NAME)) else { return Ok(None) };
    if !text.contains([':', '/']) && text == "latest" {
        return Ok(None);
    }
    let name = Name::parse(text)?;
    ensure!(name.tag().is_some(), "the name {} has a digest, and an archive cannot say that", shown(text.as_bytes()));
    Ok(Some(name))
}

/// The manifest for this machine among `entries`. A single one is taken whatever it is for.
fn one_of(contents: &Contents, mut entries: Vec<Descriptor>, depth: usize) -> Result<Descriptor> {
    let here = Platform::here();
    let entry = match entries.len() {
        1 => entries.remove(0),
        _ => {
            platform::choose(&entries, &here).cloned().with_context(|| format!("there is no image for {here} in it"))?
        }
    };
    match entry.media_type.as_str() {
        // What else is said about it is not kept: there may be much of it.
        media::MANIFEST | media::DOCKER_MANIFEST => Ok(Descriptor::new(&entry.media_type, entry.digest, entry.size)),
        media::INDEX | media::DOCKER_LIST if depth > 0 => {
            let index = index(&contents.blob(&entry)?, &entry.media_type).context("read an index")?;
            ensure!(!index.manifests.is_empty(), "the index {} names no image", entry.digest);
            one_of(contents, index.manifests, depth - 1)
        }
        other => bail!("{} is not an image, but {}", entry.digest, shown(other.as_bytes())),
    }
}

fn image(contents: &Contents, descriptor: &Descriptor, names: Vec<Name>) -> Result<Packed> {
    let bytes = contents.blob(descriptor)?;
    let (media_type, document) = manifest::read(&bytes, &descriptor.media_type)?;
    let Document::Manifest(manifest) = document else { bail!("it is an index, and no manifest of an image") };
    check_manifest(&manifest)?;
    let config = contents.blob(&manifest.config)?;
    let extents = manifest.layers.iter().map(|layer| contents.find(&blob_path(&layer.digest)));
    let layers = extents.collect::<Result<_>>()?;
    let expected = |layer: &Descriptor| Expected { digest: Some(layer.digest), size: Some(layer.size), diff_id: None };
    let expected = manifest.layers.iter().map(expected).collect();
    let image = Incoming::new(config, expected, Some((bytes, media_type)))?;
    Ok(Packed { image, id: manifest.config.digest, names, layers })
}
