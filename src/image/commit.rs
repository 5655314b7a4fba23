//! `commit`: an image of what a container changed, on top of the image that it was made from.

use std::path::Path;

use anyhow::{Context, Result};
use images::oci::History;
use images::{Image, Name, Skipped, Store, timestamp};

use crate::Stages;
use crate::container::Record;
use crate::image::changes::changes;
use crate::image::{instructions, made};

/// What to make of a container.
#[derive(Debug, Default)]
pub struct CommitOptions {
    /// What the image is to be called.
    pub name: Option<Name>,
    /// Who made it.
    pub author: Option<String>,
    /// What is said about it in its history.
    pub comment: Option<String>,
    /// What is to be different about how it is started: instructions as in a Dockerfile.
    pub instructions: Vec<String>,
}

/// Makes an image of the container that `record` is about, whose directory is `directory`. Says what of it is not in it.
pub fn commit(
    store: &Store,
    record: &Record,
    directory: &Path,
    wish: &CommitOptions,
    stages: &Stages,
) -> Result<(Image, Skipped)> {
    let writer = store.write()?;
    let parent = store.look_up(&record.image_id.to_string()).context("the image of the container")?;
    let mut config = parent.config.clone();
    config.config = record.config.clone();
    instructions::apply_all(&mut config.config, &wish.instructions)?;

    let mut upper = changes(record, directory, &store.trees(&parent))?;
    let received = made::receive(&writer, stages.apply_layer, |layer| {
        (stages.make_layer)(&mut upper, layer).context("make a layer of what the container changed")
    })?;
    let placed = writer.place(received, parent.layers.last().map(|layer| &layer.chain_id))?;

    let created = Some(timestamp::now());
    config.created.clone_from(&created);
    config.author.clone_from(&wish.author);
    config.comment.clone_from(&wish.comment);
    config.rootfs.diff_ids.push(placed.diff_id);
    config.history.push(History {
        created,
        created_by: Some(record.command.join(" ")),
        author: wish.author.clone(),
        comment: wish.comment.clone(),
        empty_layer: false,
    });
    let layers = parent.layers.iter().map(|layer| layer.descriptor.clone()).chain([placed.descriptor]).collect();
    let image = writer.commit_new(&config, layers, wish.name.as_slice())?;
    Ok((image, placed.skipped))
}
