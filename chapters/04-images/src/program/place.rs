//! Where an overlay has what it needs besides the layers: its upper directory, a work directory, and where to mount.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use images::{Overlay, remove_tree};
use look::kernel::MsFlags;
use namespaces::identity::is_the_machines_root;
use nix::unistd::mkdtemp;

/// A directory with `upper`, `work` and `merged` in it. If nobody asked for it by name, it is removed when this is
/// dropped.
pub struct Place {
    dir: PathBuf,
    kept: bool,
}

impl Place {
    /// At `wanted`, or in a new directory beside the layer `top`: a file system that holds a layer holds an upper too.
    pub fn new(wanted: Option<&Path>, top: &Path) -> Result<Place> {
        let place = match wanted {
            Some(dir) => {
                make(dir)?;
                Place { dir: dir.canonicalize().context("look up where it is")?, kept: true }
            }
            None => {
                let template = top.parent().unwrap_or(top).join(".ch04-images-XXXXXX");
                let made = mkdtemp(&template).with_context(|| {
                    format!("mkdtemp {}\n  help: choose another place with --overlay DIR", template.display())
                });
                Place { dir: made?, kept: false }
            }
        };
        for name in ["upper", "work", "merged"] {
            make(&place.dir.join(name))?;
        }
        Ok(place)
    }

    /// Where what the command writes goes.
    pub fn upper(&self) -> PathBuf {
        self.dir.join("upper")
    }

    /// Where the command sees it all.
    pub fn merged(&self) -> PathBuf {
        self.dir.join("merged")
    }

    /// These layers, bottom first, with the upper directory on top.
    pub fn overlay(&self, layers: Vec<PathBuf>) -> Overlay {
        // An ordinary user's overlay keeps its notes where an ordinary user may write: in `user.` attributes.
        let more = if is_the_machines_root() { vec![] } else { vec!["userxattr"] };
        Overlay { layers, upper: self.upper(), work: self.dir.join("work"), more, flags: MsFlags::empty() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = remove_tree(&self.dir)
        {
            eprintln!("ch04-images: {error}");
        }
    }
}

fn make(dir: &Path) -> Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.with_context(|| format!("make {}", dir.display())),
    }
}
