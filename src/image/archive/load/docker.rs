//! Docker's form: `manifest.json` has the paths of configs and layers.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use images::{Digest, Expected, Name, shown};

use super::{Contents, Extent, Images, Packed, check_count};
use crate::image::archive::{DOCKER_INDEX, DockerImage};
use crate::image::incoming::Incoming;

pub(super) fn images(contents: &Contents) -> Result<Images<'_>> {
    let list: Vec<DockerImage> = serde_json::from_slice(&contents.document(DOCKER_INDEX)?)?;
    check_count(list.len())?;
    Ok(Box::new(list.into_iter().map(|image| packed(contents, image))))
}

fn packed(contents: &Contents, image: DockerImage) -> Result<Packed> {
    let config = contents.document(&image.config)?;
    let id = Digest::of(&config);
    if let Some(named) = digest_in(&image.config) {
        ensure!(id == named, "the archive is damaged: its config {named} is {id}");
    }
    let paths = image.layers.unwrap_or_default();
    let layers: Vec<Extent> = paths.iter().map(|path| contents.find(path)).collect::<Result<_>>()?;
    let expected = layers.iter().map(|layer| Expected { size: Some(layer.size), ..Expected::default() }).collect();
    let incoming = Incoming::new(config, expected, None);
    let incoming = incoming.with_context(|| format!("read image {}", shown(image.config.as_bytes())))?;
    let mut names = Vec::new();
    for tag in image.repo_tags.unwrap_or_default() {
        let name = Name::parse(&tag)?;
        ensure!(
            name.tag().is_some(),
            "the name {} has a digest, and an archive cannot say that",
            shown(tag.as_bytes())
        );
        names.push(name);
    }
    Ok(Packed { image: incoming, id, names, layers })
}

/// The digest that a config is called by: `HEX.json` in old archives, `blobs/sha256/HEX` in newer ones.
fn digest_in(path: &str) -> Option<Digest> {
    Digest::parse_hex(Path::new(path).file_name()?.to_str()?.trim_end_matches(".json"))
}
