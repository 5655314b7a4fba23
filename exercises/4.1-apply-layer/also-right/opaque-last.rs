//! Remembers which directories are opaque, and makes them so when all is laid out.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anyhow::Result;
use images::{Layer, Tree};

pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()> {
    let mut opaque: BTreeSet<PathBuf> = BTreeSet::new();
    while let Some(mut member) = layer.next_member()? {
        let name = member.path.file_name().unwrap_or_default().as_bytes().to_owned();
        if !name.starts_with(b".wh.") {
            tree.put(&member, layer)?;
            continue;
        }
        member.path.pop();
        match &name[4..] {
            b".wh..opq" => drop(opaque.insert(member.path)),
            note if note.starts_with(b".wh.") => {}
            hidden => tree.whiteout(&member.path.join(OsStr::from_bytes(hidden)))?,
        }
    }
    opaque.iter().try_for_each(|directory| tree.opaque(directory))
}
