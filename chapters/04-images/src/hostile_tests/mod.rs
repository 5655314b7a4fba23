//! Archives that were made to do harm. Whatever is in them, nothing outside of the tree changes, and after a
//! refusal nothing is left in the store.

mod deletions;
mod format;
mod paths;
mod sizes;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::store::{Expected, Store};
use crate::test_dir::TestDir;
use crate::test_tar::{Member, archive};
use crate::{Skipped, apply_layer};

/// A layer that was accepted.
#[derive(Debug)]
struct Unpacked {
    tree: PathBuf,
    skipped: Skipped,
}

/// A place with a store in `store/`, and beside it what an archive would like to reach.
struct Place {
    temp: TestDir,
}

impl Place {
    fn new() -> Place {
        let temp = TestDir::new();
        fs::write(temp.path().join("outside"), "untouched").unwrap();
        Place { temp }
    }

    fn outside(&self) -> PathBuf {
        self.temp.path().join("outside")
    }

    fn unpack(&self, mut tar: &[u8]) -> anyhow::Result<Unpacked> {
        let store = Store::open(&self.temp.path().join("store"));
        let writer = store.write()?;
        let received = writer.receive(&mut tar, &Expected::default(), apply_layer);
        let unpacked = received.and_then(|received| writer.place(received, None)).map(|placed| Unpacked {
            tree: self.temp.path().join("store/layers").join(placed.chain_id.hex()).join("tree"),
            skipped: placed.skipped,
        });
        assert_eq!(fs::read_to_string(self.outside()).unwrap(), "untouched");
        assert_eq!(fs::metadata(self.outside()).unwrap().nlink(), 1, "nothing may be linked to it");
        let mut beside: Vec<_> = fs::read_dir(self.temp.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        beside.retain(|name| name != "outside" && name != "store");
        assert!(beside.is_empty(), "{beside:?} came to be beside the store");
        unpacked
    }

    /// The tree that `tar` became.
    fn accepts(&self, tar: &[u8]) -> PathBuf {
        self.unpack(tar).unwrap().tree
    }

    /// Why `tar` was refused.
    fn refuses(&self, tar: &[u8]) -> String {
        let before = self.stored();
        let error = format!("{:#}", self.unpack(tar).expect_err("it must be refused"));
        assert_eq!(self.stored(), before, "something was left in the store after: {error}");
        error
    }

    fn stored(&self) -> Vec<OsString> {
        stored(&self.temp.path().join("store"))
    }
}

/// What is in a store.
fn stored(store: &Path) -> Vec<OsString> {
    let dirs = ["", "layers", "blobs/sha256", "tmp"];
    let entries = dirs.iter().flat_map(|dir| fs::read_dir(store.join(dir)).into_iter().flatten());
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    // What the first to come makes: directories, locks, an empty index, and the room that removing needs.
    names.retain(|name| {
        !["layers", "blobs", "tmp", "lock", "writers", "index.json", "oci-layout", "spare"]
            .iter()
            .any(|made| name == made)
    });
    names.sort();
    names
}

fn refusal(members: &[Member<'_>]) -> String {
    Place::new().refuses(&archive(members))
}

#[track_caller]
fn assert_says(error: &str, words: &str) {
    assert!(error.contains(words), "it should say {words:?}, but says: {error}");
}
