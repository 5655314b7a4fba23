//! From a directory to an image of one layer.

use std::path::Path;

use anyhow::Result;
use images::oci::{Config, History, ImageConfig, Platform, RootFs};
use images::{ApplyLayer, Image, LayerWriter, Name, TreeWalk, Writer, timestamp};
use nix::sys::time::TimeSpec;

use crate::image::made;

/// 2000-01-01. All files are said to be of this day, so that the same programs give the same layer.
const LONG_AGO: TimeSpec = TimeSpec::new(946_684_800, 0);

/// Adds the directory `tree` as the layer of the embedded image.
pub(super) fn commit(writer: &Writer<'_>, tree: &Path, config: &Config, apply: ApplyLayer) -> Result<Image> {
    let received = made::receive(writer, apply, |layer| pack(tree, layer))?;
    let placed = writer.place(received, None)?;
    let (platform, created) = (Platform::here(), timestamp::now());
    let history = History {
        created: Some(created.clone()),
        created_by: Some("tinbox: made of what this machine has".into()),
        ..History::default()
    };
    let config = ImageConfig {
        created: Some(created),
        architecture: platform.architecture,
        os: platform.os,
        variant: platform.variant,
        config: config.clone(),
        rootfs: RootFs { diff_ids: vec![placed.diff_id], ..RootFs::default() },
        history: vec![history],
        ..ImageConfig::default()
    };
    writer.commit_new(&config, vec![placed.descriptor], &[Name::base()])
}

/// Writes the tree as a layer in which all belongs to root.
fn pack(tree: &Path, layer: &mut LayerWriter<'_>) -> Result<()> {
    let mut tree = TreeWalk::upper(tree, false)?;
    while let Some(mut entry) = tree.next_entry()? {
        entry.attributes.mtime = LONG_AGO;
        (entry.attributes.uid, entry.attributes.gid) = (0, 0);
        layer.put(&entry, &tree)?;
    }
    Ok(())
}
