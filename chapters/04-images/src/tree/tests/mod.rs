//! Layers, one on the other: what is seen in the end.

mod attributes;
mod deletions;
mod flat;
mod formats;
mod random;
mod settled;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::store::{Expected, Placed, Store};
use crate::test_dir::TestDir;
use crate::test_tar::{Member, archive};
use crate::{Digest, apply_layer, flatten, shown};

/// A store with layers that stand on one another.
struct Layers {
    temp: TestDir,
    top: Option<Digest>,
    trees: Vec<PathBuf>,
}

impl Layers {
    fn new() -> Layers {
        Layers { temp: TestDir::new(), top: None, trees: Vec::new() }
    }

    fn of(layers: &[&[Member<'_>]]) -> Layers {
        let mut made = Layers::new();
        layers.iter().for_each(|members| drop(made.add(members)));
        made
    }

    fn add(&mut self, members: &[Member<'_>]) -> Placed {
        self.add_archive(&archive(members)).unwrap()
    }

    fn add_archive(&mut self, mut archive: &[u8]) -> Result<Placed> {
        let store = Store::open(&self.temp.path().join("store"));
        let writer = store.write()?;
        let received = writer.receive(&mut archive, &Expected::default(), apply_layer)?;
        let placed = writer.place(received, self.top.as_ref())?;
        self.top = Some(placed.chain_id);
        self.trees.push(self.temp.path().join("store/layers").join(placed.chain_id.hex()).join("tree"));
        Ok(placed)
    }

    /// The top layer.
    fn tree(&self) -> &Path {
        self.trees.last().unwrap()
    }

    /// All layers, copied as one tree.
    fn flat(&self) -> PathBuf {
        let to = self.temp.path().join("flat");
        crate::remove_tree(&to).unwrap();
        flatten(&self.trees, &to).unwrap();
        to
    }

    /// What is seen in the end: directories with a `/`, files with `=` and their content, symlinks with `>`.
    fn shows(&self) -> String {
        let mut lines = Vec::new();
        list(&self.flat(), "", &mut lines);
        lines.join(" ")
    }
}

fn list(dir: &Path, above: &str, lines: &mut Vec<String>) {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let (path, name) = (dir.join(&name), format!("{above}{}", shown(name.as_bytes())));
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            lines.push(format!("{name}/"));
            list(&path, &format!("{name}/"), lines);
        } else if kind.is_symlink() {
            lines.push(format!("{name}>{}", fs::read_link(&path).unwrap().display()));
        } else if kind.is_file() {
            lines.push(format!("{name}={}", fs::read_to_string(&path).unwrap()));
        } else {
            lines.push(format!("{name}?"));
        }
    }
}
