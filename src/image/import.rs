//! `import`: a tar archive of a root file system becomes an image.

use std::io::Read;

use anyhow::{Result, ensure};
use images::oci::{Config, History, ImageConfig, Platform, RootFs};
use images::{ApplyLayer, Expected, Image, LeftOut, Name, Store, timestamp};

/// Makes an image of one layer of the tar archive that `archive` holds, plain or compressed, and lets `name` mean it from
/// now on. Says what of the archive is not in it.
pub fn import(
    store: &Store,
    archive: &mut (dyn Read + Send),
    name: Option<&Name>,
    apply: ApplyLayer,
) -> Result<(Image, LeftOut)> {
    let writer = store.write()?;
    let received = writer.receive(archive, &Expected::default(), apply)?;
    ensure!(received.members > 0, "the archive holds nothing");
    let placed = writer.place(received, None)?;
    let (platform, created) = (Platform::here(), timestamp::now());
    let history =
        History { created: Some(created.clone()), comment: Some("Imported from -".into()), ..History::default() };
    let config = ImageConfig {
        created: Some(created),
        architecture: platform.architecture,
        os: platform.os,
        variant: platform.variant,
        config: Config::default(),
        rootfs: RootFs { diff_ids: vec![placed.diff_id], ..RootFs::default() },
        history: vec![history],
        ..ImageConfig::default()
    };
    let image =
        writer.commit_new(&config, vec![placed.descriptor], name.map(std::slice::from_ref).unwrap_or_default())?;
    Ok((image, placed.left_out))
}
