//! `import`: a tar archive of a root file system becomes an image.

use std::io::Read;

use anyhow::{Result, ensure};
use images::oci::{Config, History, ImageConfig, Platform, RootFs};
use images::{ApplyLayer, Expected, Image, Name, Skipped, Store, timestamp};

/// What to make of an archive.
#[derive(Debug, Default)]
pub struct ImportOptions {
    /// What the image is to be called.
    pub name: Option<Name>,
    /// How to start it.
    pub config: Config,
    /// What is said about it in its history.
    pub comment: String,
    /// For which machines it is; this one if nothing is said.
    pub platform: Option<Platform>,
}

/// Makes an image of one layer of the tar archive that `archive` holds, plain or compressed. Says what of the archive is
/// not in it.
pub fn import(
    store: &Store,
    archive: &mut (dyn Read + Send),
    wish: &ImportOptions,
    apply: ApplyLayer,
) -> Result<(Image, Skipped)> {
    let writer = store.write()?;
    let received = writer.receive(archive, &Expected::default(), apply)?;
    ensure!(received.members > 0, "the archive holds nothing");
    let placed = writer.place(received, None)?;
    let Platform { architecture, os, variant } = wish.platform.clone().unwrap_or_else(Platform::here);
    let created = Some(timestamp::now());
    let history = History { created: created.clone(), comment: Some(wish.comment.clone()), ..History::default() };
    let config = ImageConfig {
        created,
        architecture,
        os,
        variant,
        config: wish.config.clone(),
        rootfs: RootFs { diff_ids: vec![placed.diff_id], ..RootFs::default() },
        history: vec![history],
        ..ImageConfig::default()
    };
    let image = writer.commit_new(&config, vec![placed.descriptor], wish.name.as_slice())?;
    Ok((image, placed.left_out))
}
