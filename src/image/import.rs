//! `import`: a tar archive of a root file system becomes an image.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, ensure};
use images::oci::{Config, History, ImageConfig, Platform, RootFs};
use images::{ApplyLayer, Expected, Image, Name, Skipped, Store, timestamp};

use super::packing::Packing;
use super::room;

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
    let mut contents = without_xz(archive)?;
    let received = writer.receive(&mut contents, &Expected::default(), apply).map_err(room::with_help)?;
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
    Ok((image, placed.skipped))
}

/// All of `archive`, but for the compression that layers do not have.
fn without_xz<'a>(archive: &'a mut (dyn Read + Send)) -> Result<Box<dyn Read + Send + 'a>> {
    let mut start = Vec::new();
    archive.take(Packing::MAGIC_MAX).read_to_end(&mut start).context("read the archive")?;
    let packing = Packing::detect(&start, "tinbox import - NAME")?;
    let whole = Cursor::new(start).chain(archive);
    match packing {
        Packing::Xz => packing.reader(whole),
        Packing::Layer(_) => Ok(Box::new(whole)),
    }
}
