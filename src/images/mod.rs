//! Images: where containers get their root from.
//!
//! In this simple form an image is one directory tree and a few words about how to start it. The store holds
//! them as plain files:
//!
//! ```text
//! images/
//! ├── lock                       held for the moment in which something becomes visible
//! ├── names/tinbox%2Fbase:latest → ../<id>
//! ├── <id>/                      64 hex digits that stand for the contents
//! │   ├── image.json             its Config
//! │   └── rootfs/                the tree
//! └── tmp-<pid>-<n>/             an image that is being made (draft.rs)
//! ```
//!
//! An image is made under a temporary name and renamed when it is complete and on disk, so it is there whole or
//! not at all, whatever is killed when. Two processes may make the same image at once: the first to finish gives
//! it its place, the other throws its own away. Nothing in `<id>/` changes afterwards; containers stack a
//! directory of their own on top.
//!
//! To remove an image, delete its link in `names/` and its directory. The embedded image is made again the next
//! time it is asked for.
//!
//! What real runtimes do more: they keep an image as layers that images share, and as the very bytes that were
//! downloaded, so that it can be verified and passed on.

mod archive;
mod attributes;
pub mod base;
mod copy;
mod draft;
mod import;
mod name;
mod pax;
mod remove;
mod sparse;
mod unpack;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod test_dir;
#[cfg(test)]
mod test_tar;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use look::Error;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

pub use copy::copy_tree;
pub use import::{Imported, import};
pub use name::Name;
pub use remove::remove_tree;

use draft::Draft;

/// The images of one user, in one directory.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

/// An image in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// 64 hex digits that stand for the contents.
    pub id: String,
    /// The tree. It is shared by all containers of the image: never write to it.
    pub rootfs: PathBuf,
    /// How to start it.
    pub config: Config,
}

/// How to start an image, with the names and meanings of the OCI image configuration.
///
/// Source: the `config` object in <https://github.com/opencontainers/image-spec/blob/main/config.md>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// The command if the user gives none, or its arguments if there is an entrypoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// What always comes first in the command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// `NAME=VALUE` each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Where the command starts; `/` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// As whom: `user`, `uid`, `user:group` or `uid:gid`; root if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
}

impl Store {
    /// The store in `dir`. Nothing is touched: the directory appears with the first image.
    pub fn open(dir: &Path) -> Store {
        Store { dir: dir.to_owned() }
    }

    /// The image called `name`, if there is one. Costs one readlink and one small file: every start pays it.
    pub fn find(&self, name: &Name) -> Result<Option<Image>> {
        let link = self.link(name);
        let target = match fs::read_link(&link) {
            Ok(target) => target,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("readlink", link.display().to_string(), &e).into()),
        };
        match target.file_name().and_then(|id| id.to_str()).filter(|id| is_id(id)) {
            Some(id) => self.image(id),
            None => {
                let problem = format!("it should point to an image, not to {}", target.display());
                Err(Error::Content { object: link.display().to_string(), problem }.into())
            }
        }
    }

    /// The image with this id, if it is there.
    fn image(&self, id: &str) -> Result<Option<Image>> {
        let dir = self.dir.join(id);
        let record = dir.join("image.json");
        let shown = || record.display().to_string();
        let json = match fs::read(&record) {
            Ok(json) => json,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io("read", shown(), &e).into()),
        };
        let config = serde_json::from_slice(&json)
            .map_err(|e| Error::Content { object: shown(), problem: format!("not the record of an image: {e}") })?;
        Ok(Some(Image { id: id.to_owned(), rootfs: dir.join("rootfs"), config }))
    }

    /// Begins a new image, and sweeps up what creators that were killed left behind.
    fn draft(&self) -> Result<Draft<'_>> {
        Draft::begin(self)
    }

    fn names(&self) -> PathBuf {
        self.dir.join("names")
    }

    fn link(&self, name: &Name) -> PathBuf {
        self.names().join(name.to_string().replace('/', "%2F"))
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name out of an archive or image, fit to be printed: nothing in it moves a terminal's cursor or fills a screen.
fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(&name[..name.len().min(LONGEST)]).escape_debug().to_string();
    if name.len() > LONGEST { text + "…" } else { text }
}

/// An error of `call` on a path of the store.
fn failed<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(Errno) -> Error + 'a {
    move |errno| Error::call(call, path.display().to_string(), errno)
}

/// The same for the standard library's calls.
fn failed_io<'a>(call: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
    move |error| Error::io(call, path.display().to_string(), &error)
}
