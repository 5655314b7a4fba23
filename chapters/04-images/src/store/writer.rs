//! Adding to the store.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, renameat};
use nix::unistd::syncfs;

use super::draft::{self, Draft};
use super::files::sync_dir;
use super::index::{Names, Room};
use super::layers::LayerRecord;
use super::lock::{self, SharedLock, make_private_dir};
use super::receive::{Expected, Received, receive};
use super::{Image, Store};
use crate::oci::{Descriptor, ImageConfig, Manifest, media};
use crate::{ApplyLayer, Digest, Name, Skipped, chain_ids, failed};

/// Adds layers and images. While it lives, nothing that it added is cleared away.
#[derive(Debug)]
pub struct Writer<'a> {
    store: &'a Store,
    _hold: SharedLock,
    /// Which layer each stands on, of those that something was put on.
    below: Mutex<HashMap<Digest, Option<Digest>>>,
}

/// Docker's words.
const TAG_WITH_DIGEST: &str = "refusing to create a tag with a digest reference";

/// A layer in its place.
#[derive(Debug)]
pub struct Placed {
    /// Its blob.
    pub descriptor: Descriptor,
    /// The digest of its contents without the compression.
    pub diff_id: Digest,
    /// What it is called together with the layers below it.
    pub chain_id: Digest,
    /// What of it could not be unpacked here.
    pub skipped: Skipped,
}

/// A directory that is gone when this is dropped, or swept up later if it never is.
#[derive(Debug)]
pub struct Scratch(Draft);

impl Scratch {
    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.0.tree()
    }
}

impl<'a> Writer<'a> {
    pub(super) fn begin(store: &'a Store) -> Result<Writer<'a>> {
        for dir in ["blobs/sha256", "layers", "tmp"] {
            make_private_dir(&store.dir.join(dir))?;
        }
        let hold = SharedLock::take(store)?;
        Names::begin(store)?;
        let removed = draft::abandoned(store)?.into_iter().try_for_each(Draft::remove);
        removed.context("clean up after a layer that was never finished")?;
        Ok(Writer { store, _hold: hold, below: Mutex::default() })
    }

    /// Writes a manifest or a config.
    pub fn put(&self, document: &[u8]) -> Result<Digest> {
        self.store.put_blob(document)
    }

    /// Whether a layer is there, unpacked above the layers that it stands on and as this blob, which was seen to hold it.
    pub fn has_layer(&self, blob: &Descriptor, chain_id: &Digest) -> bool {
        self.store.holds(blob, chain_id)
    }

    /// The blobs that are there of a layer, each seen to hold it when it came; none if it is not unpacked.
    pub fn blobs_of(&self, chain_id: &Digest) -> Vec<Descriptor> {
        self.store.blobs_of(chain_id)
    }

    /// An empty directory in the store, to make something in. It goes when the result is dropped.
    pub fn scratch(&self) -> Result<Scratch> {
        Ok(Scratch(Draft::begin(self.store)?))
    }

    /// Reads a layer from `bytes`, compressed or not: keeps it, and unpacks it with `apply` as it comes. Several threads
    /// may do so at once. Where it is not as expected, nothing of it is left.
    pub fn receive(&self, bytes: &mut (dyn Read + Send), expected: &Expected, apply: ApplyLayer) -> Result<Received> {
        receive(self.store, bytes, expected, apply)
    }

    /// Gives a layer its place above `below`, the chain id of the layer that it stands on, if it is not the bottom one.
    pub fn place(&self, received: Received, below: Option<&Digest>) -> Result<Placed> {
        // The chain id below stands for all that is there, as the diff id of the bottom layer does.
        let chain: Vec<Digest> = below.copied().into_iter().chain([received.diff_id]).collect();
        let chain_id = *chain_ids(&chain).last().context("there is at least this layer")?;
        let Received { descriptor, diff_id, skipped, size, draft, deferred, .. } = received;
        deferred.settle(&draft.tree(), &self.trees_up_to(below)?)?;
        let record = LayerRecord { below: below.copied(), size, blobs: vec![descriptor.clone()] };
        record.write_new(&draft.layer())?;
        // One call for the blob, the record and all the files of the tree: they must be on disk before they have their
        // names. That the names are on disk matters when an image speaks of them.
        syncfs(draft.disk()).map_err(failed("syncfs", &draft.layer()))?;
        // The blob comes first: the record of the layer speaks of it.
        put_in_place(&draft.blob(), &self.store.blob(&descriptor.digest))?;
        self.put_layer_in_place(&draft, &chain_id, &record)?;
        // The layer may have been there, out of another blob.
        self.store.add_blob(&descriptor, &chain_id)?;
        Ok(Placed { descriptor, diff_id, chain_id, skipped })
    }

    /// The trees from the bottom up to the layer `top`.
    fn trees_up_to(&self, top: Option<&Digest>) -> Result<Vec<PathBuf>> {
        let mut below = self.below.lock().unwrap_or_else(PoisonError::into_inner);
        let chain = self.store.up_to(top, &mut below)?;
        Ok(chain.iter().map(|chain_id| self.store.tree(chain_id)).collect())
    }

    /// Puts a layer in its place. One that is there stays, and if it is damaged, it gets what it lacks.
    fn put_layer_in_place(&self, draft: &Draft, chain_id: &Digest, record: &LayerRecord) -> Result<()> {
        let place = self.store.layer(chain_id);
        // Of several who find the same damage, only the first may mend it.
        let lock = lock::index(self.store)?;
        if put_in_place(&draft.layer(), &place)? || self.store.has_layer(chain_id) {
            return Ok(());
        }
        // A tree is there whole or not at all, and a container may have it mounted: only the record is replaced.
        if self.store.tree(chain_id).is_dir() {
            record.write(&place)?;
            return sync_dir(&place);
        }
        let damaged = Draft::take_away(self.store, &place)?;
        put_in_place(&draft.layer(), &place)?;
        drop(lock);
        damaged.remove()
    }

    /// Makes an image of layers that are in place, in this order, and lets `names` mean it, which are tags: the digest of
    /// an image is what it is, and not what it is to be called.
    pub fn commit_new(&self, config: &ImageConfig, layers: Vec<Descriptor>, names: &[Name]) -> Result<Image> {
        ensure!(names.iter().all(|name| name.digest().is_none()), TAG_WITH_DIGEST);
        let config = serde_json::to_vec(config)?;
        self.commit_config(&config, layers, names)
    }

    /// The same with the bytes of a config that somebody else wrote.
    pub fn commit_config(&self, config: &[u8], layers: Vec<Descriptor>, names: &[Name]) -> Result<Image> {
        let config = Descriptor::new(media::CONFIG, self.put(config)?, config.len() as u64);
        let manifest = serde_json::to_vec(&Manifest::new(config, layers))?;
        self.commit(&manifest, media::MANIFEST, names)
    }

    /// Makes the image visible that these bytes of a manifest describe, and lets `names` mean it; with none, it is
    /// there without a name. Its config and layers must be there, and each blob must be one that holds its layer. A name
    /// with a digest is believed: it may be that of an index which was seen to name the manifest.
    pub fn commit(&self, manifest: &[u8], media_type: &str, names: &[Name]) -> Result<Image> {
        let descriptor = Descriptor::new(media_type, self.put(manifest)?, manifest.len() as u64);
        let mut image = Image::from_manifest(self.store, &descriptor, manifest)?;
        if let Some(problem) = image.problem(self.store) {
            bail!("the image cannot be added: {problem}");
        }
        sync_dir(&self.store.dir.join("blobs/sha256"))?;
        sync_dir(&self.store.dir.join("layers"))?;
        self.store.change_names(Room::Free, |known| {
            names.iter().for_each(|name| known.set(name, &descriptor));
            known.keep(&descriptor);
        })?;
        names.iter().for_each(|name| image.called(Some(name.clone())));
        Ok(image)
    }
}

impl Store {
    /// Lets `name` mean `image`. What it meant before keeps an entry without a name if that was its last.
    pub fn tag(&self, image: &Image, name: &Name) -> Result<()> {
        let manifest = image.manifest.digest;
        ensure!(name.digest().is_none_or(|digest| digest == manifest), TAG_WITH_DIGEST);
        let _hold = self.hold()?;
        ensure!(self.blob(&manifest).exists(), "image {} is not there any more", image.id.short());
        self.change_names(Room::Free, |names| names.set(name, &image.manifest))
    }

    /// Changes the index, alone.
    pub(super) fn change_names(&self, room: Room, change: impl FnOnce(&mut Names)) -> Result<()> {
        let _lock = lock::index(self)?;
        let mut names = Names::read(self)?;
        change(&mut names);
        names.write(self, room)
    }
}

/// Renames `from` to `to`, unless there is such a directory already: it is called by its contents. Says whether it did.
fn put_in_place(from: &Path, to: &Path) -> Result<bool> {
    match renameat(AT_FDCWD, from, AT_FDCWD, to) {
        Ok(()) => Ok(true),
        Err(Errno::ENOTEMPTY | Errno::EEXIST) => Ok(false),
        Err(errno) => Err(failed("rename", from)(errno).into()),
    }
}
