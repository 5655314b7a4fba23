//! Removing images.
//!
//! A name is taken away at once. The image behind it goes with its last name, unless a container came from it: as long
//! as the container is there its layers must be, so the image stays, without a name. What no image needs any more is
//! cleared away then, and only while nobody adds anything: a container that is being started right now may have found
//! the image already, and holds the store until its record says so.
//!
//! As long as this goes on, nobody else gets at the store. So layers only leave their places then, and their files, of
//! which there may be very many, are removed when the store was let go: see [`Removal::finish`].

use anyhow::{Result, bail};
use images::store::{CollectedKind, Collection, DamagedImage, ExclusiveLock};
use images::{Digest, Image, Name, Store};

use crate::container::{self, Life, Record};
use crate::state::State;

/// Something that was done, as Docker reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name was taken away.
    Untagged(Name),
    /// An image or a layer is gone.
    Deleted(Digest),
}

/// Removes images, while nobody adds any.
#[derive(Debug)]
pub struct Removal<'a> {
    store: &'a Store,
    /// `None` if somebody adds something: then what loses its name stays until the next time.
    alone: Option<ExclusiveLock>,
    containers: Vec<(Record, Life)>,
    collections: Vec<Collection>,
    /// How many bytes were freed.
    pub freed: u64,
}

impl<'a> Removal<'a> {
    /// Looks who is there. Call it as whoever may remove layers: see [`crate::lent_ids`].
    pub fn begin(state: &State, store: &'a Store) -> Result<Removal<'a>> {
        let alone = store.alone()?;
        Ok(Removal { store, alone, containers: container::all(state)?, collections: Vec::new(), freed: 0 })
    }

    /// Lets go of the store, and removes the files of the layers that went.
    pub fn finish(self) -> Result<()> {
        drop(self.alone);
        self.collections.into_iter().try_for_each(Collection::remove_files)
    }

    /// Images that are so damaged that nothing was cleared away because of them: nobody can say what they need.
    pub fn in_the_way(&self) -> &[DamagedImage] {
        self.collections.last().map_or(&[], |collection| &collection.unknown)
    }

    /// Whether nobody adds anything, so that what is not needed can be cleared away.
    pub fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// A container that came from `image`; one that runs, if there is one.
    pub fn user_of(&self, image: &Image) -> Option<&(Record, Life)> {
        let users = || self.containers.iter().filter(|(record, _)| record.image_id == image.id);
        users().find(|(_, life)| *life == Life::Running).or_else(|| users().next())
    }

    /// Takes `name` from its image, which goes if that was its last.
    ///
    /// A conflict is an error: with `force` the name goes even if a container uses the image.
    pub fn by_name(&mut self, name: &Name, image: &Image, force: bool) -> Result<Vec<Removed>> {
        let names = [&image.names[..], &image.digests].concat();
        let gone = gone_with(name, &names);
        let is_last = names.iter().all(|name| gone.contains(name));
        let user = self.user_of(image).filter(|_| is_last);
        if let Some((user, _)) = user.filter(|_| !force) {
            bail!(
                "conflict: unable to remove repository reference \"{name}\" (must force) - container {} is using its \
                 referenced image {}",
                user.short_id(),
                image.id.short()
            );
        }
        let keep = !is_last || user.is_some() || self.alone.is_none();
        gone.iter().try_for_each(|name| self.store.untag(name, keep))?;
        let mut deeds: Vec<Removed> = gone.into_iter().map(Removed::Untagged).collect();
        if !keep {
            deeds.extend(self.clear(&[image])?);
        }
        Ok(deeds)
    }

    /// A container that came from a damaged image, or may have: where its id is lost, that is each whose image is none
    /// that can be read.
    pub fn user_of_damaged(&self, image: &DamagedImage) -> Result<Option<&(Record, Life)>> {
        let others = if image.id.is_none() { self.store.list()? } else { Vec::new() };
        let is_known = |id: &Digest| others.iter().any(|other| other.id == *id);
        let uses = |id: &Digest| image.id.map_or_else(|| !is_known(id), |own| own == *id);
        Ok(self.containers.iter().find(|(record, _)| uses(&record.image_id)))
    }

    /// Takes `name` from a damaged image, or all its names if none is said, and removes it if those were its last.
    ///
    /// Conflicts are errors: without `force`, that it has several names, or that a container may have come from it.
    pub fn damaged(&mut self, image: &DamagedImage, name: Option<&Name>, force: bool) -> Result<Vec<Removed>> {
        let id = image.manifest.short();
        let user = self.user_of_damaged(image)?;
        if let Some((user, _)) = user.filter(|_| !force || image.names.is_empty()) {
            bail!(
                "conflict: unable to delete {id} ({}) - container {short} may be using it\n  help: `tinbox rm {short}` \
                 removes the container",
                if force { "cannot be forced" } else { "must be forced" },
                short = user.short_id()
            );
        }
        if !force && name.is_none() && image.names.len() > 1 {
            bail!("conflict: unable to delete {id} (must be forced) - image is referenced in multiple repositories");
        }
        let keep = user.is_some() || self.alone.is_none();
        // One that was looked up by a name says only that.
        let known = self.store.listing()?.damaged.into_iter().find(|known| known.manifest == image.manifest);
        let names = known.map_or_else(|| image.names.clone(), |known| known.names);
        let gone = name.map_or_else(|| names.clone(), |name| gone_with(name, &names));
        match name {
            Some(_) => gone.iter().try_for_each(|name| self.store.untag(name, keep))?,
            None => self.store.forget_damaged(image, keep)?,
        }
        if !keep {
            self.clear(&[])?;
        }
        Ok(gone.into_iter().map(Removed::Untagged).collect())
    }

    /// Takes all names from `image`, and removes it.
    ///
    /// Conflicts are errors: without `force`, that it has several names, or that a container came from it that has
    /// ended; a container that runs, always.
    pub fn by_id(&mut self, image: &Image, force: bool) -> Result<Vec<Removed>> {
        let id = image.id.short();
        let user = self.user_of(image);
        let nameless = image.names.is_empty() && image.digests.is_empty();
        match user {
            Some((user, Life::Running)) => bail!(
                "conflict: unable to delete {id} (cannot be forced) - image is being used by running container {}",
                user.short_id()
            ),
            Some((user, _)) if nameless || !force => bail!(
                "conflict: unable to delete {id} ({}) - image is being used by stopped container {short}\n  help: \
                 `tinbox rm {short}` removes the container",
                if nameless { "cannot be forced" } else { "must be forced" },
                short = user.short_id()
            ),
            _ => {}
        }
        if !force && is_known_by_several_names(image) {
            bail!("conflict: unable to delete {id} (must be forced) - image is referenced in multiple repositories");
        }
        let keep = user.is_some() || self.alone.is_none();
        self.store.forget(image, keep)?;
        let mut deeds = untagged(image);
        if !keep {
            deeds.extend(self.clear(&[image])?);
        }
        Ok(deeds)
    }

    /// Removes all of `images`, and all of `damaged`. No container came from any of them.
    pub fn all(&mut self, images: &[&Image], damaged: &[&DamagedImage]) -> Result<Vec<Removed>> {
        images.iter().try_for_each(|image| self.store.forget(image, false))?;
        damaged.iter().try_for_each(|image| self.store.forget_damaged(image, false))?;
        let names = damaged.iter().flat_map(|image| image.names.iter().cloned().map(Removed::Untagged));
        let deeds = images.iter().flat_map(|image| untagged(image)).chain(names).collect();
        Ok([deeds, self.clear(images)?].concat())
    }

    /// Clears away what nothing refers to, and says what of it was these images'.
    fn clear(&mut self, images: &[&Image]) -> Result<Vec<Removed>> {
        let Some(alone) = &self.alone else { return Ok(Vec::new()) };
        let collection = self.store.collect(alone)?;
        let collected = &collection.collected;
        self.freed += collected.iter().map(|collected| collected.bytes).sum::<u64>();
        let is_gone = |what: CollectedKind, digest: &Digest| {
            collected.iter().any(|collected| collected.what == what && collected.digest == *digest)
        };
        let mut deeds: Vec<Removed> = Vec::new();
        for image in images {
            let layers = image.layers.iter().rev().map(|layer| layer.chain_id);
            let layers = layers.filter(|layer| is_gone(CollectedKind::Layer, layer));
            let id = Some(image.id).filter(|id| is_gone(CollectedKind::Blob, id));
            for digest in id.into_iter().chain(layers) {
                // Two of them may have shared a layer.
                if !deeds.contains(&Removed::Deleted(digest)) {
                    deeds.push(Removed::Deleted(digest));
                }
            }
        }
        self.collections.push(collection);
        Ok(deeds)
    }
}

/// The names that go with `name`, of all those of an image: by which digest a repository knows it means nothing once no
/// tag of that repository does.
fn gone_with(name: &Name, names: &[Name]) -> Vec<Name> {
    let others = names.iter().filter(|other| *other != name && other.repository() == name.repository());
    let is_last_tag = name.tag().is_some() && others.clone().all(|other| other.tag().is_none());
    std::iter::once(name).chain(others.filter(|_| is_last_tag)).cloned().collect()
}

fn untagged(image: &Image) -> Vec<Removed> {
    image.names.iter().chain(&image.digests).cloned().map(Removed::Untagged).collect()
}

/// One tag, and the digest by which the same repository knows it, count as one name.
fn is_known_by_several_names(image: &Image) -> bool {
    let elsewhere = |digest: &Name| image.names.first().is_none_or(|name| name.repository() != digest.repository());
    image.names.len() + image.digests.iter().filter(|digest| elsewhere(digest)).count() > 1
}
