//! Docker's form: `manifest.json` has the paths of configs and layers.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use images::{Digest, Expected, Name, shown};

use super::{Contents, Packed};
use crate::image::archive::{DOCKER_INDEX, DockerImage};

pub(super) fn images(contents: &Contents) -> Result<Vec<Packed>> {
    let list: Vec<DockerImage> = serde_json::from_slice(&contents.document(DOCKER_INDEX)?)?;
    ensure!(!list.is_empty(), "it names no image");
    list.into_iter().map(|image| packed(contents, image)).collect()
}

fn packed(contents: &Contents, image: DockerImage) -> Result<Packed> {
    let config = contents.document(&image.config)?;
    if let Some(named) = digest_in(&image.config) {
        let found = Digest::of(&config);
        ensure!(found == named, "the archive is damaged: its config {named} is {found}");
    }
    let name = |text: String| match Name::parse(&text) {
        Ok(name) if name.tag().is_some() => Ok(name),
        Ok(_) => bail!("the name {} has a digest, and an archive cannot say that", shown(text.as_bytes())),
        Err(error) => Err(error),
    };
    let names = image.repo_tags.unwrap_or_default().into_iter().map(name).collect::<Result<_>>()?;
    let layer = |path: String| Ok((contents.find(&path)?, Expected::default()));
    let layers = image.layers.unwrap_or_default().into_iter().map(layer).collect::<Result<_>>()?;
    Packed::new(names, config, layers).with_context(|| format!("read image {}", shown(image.config.as_bytes())))
}

/// The digest that a config is called by: `HEX.json` in old archives, `blobs/sha256/HEX` in newer ones.
fn digest_in(path: &str) -> Option<Digest> {
    Digest::parse_hex(Path::new(path).file_name()?.to_str()?.trim_end_matches(".json"))
}
