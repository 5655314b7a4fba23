//! `commit`: an image of what a container changed, on top of the image that it was made from.

use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use images::oci::History;
use images::{Expected, Image, LayerWriter, LeftOut, Name, Received, Store, Upper, Writer, timestamp};

use crate::Stages;
use crate::container::Record;
use crate::image::changes::changes;
use crate::image::instructions;

/// How much is handed on at a time from what makes the layer to what stores it.
const PIECE: usize = 256 << 10;

/// What to make of a container.
#[derive(Debug, Default)]
pub struct CommitWish {
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
    wish: &CommitWish,
    stages: &Stages,
) -> Result<(Image, LeftOut)> {
    let writer = store.write()?;
    let parent = store.look_up(&record.image_id.to_string()).context("the image of the container")?;
    let mut config = parent.config.clone();
    config.config = record.config.clone();
    instructions::apply_all(&mut config.config, &wish.instructions)?;

    let upper = changes(record, directory, &store.trees(&parent))?;
    let received = layer_of(upper, &writer, stages)?;
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
    Ok((image, placed.left_out))
}

/// Makes a layer of `upper` and stores it while it is made, in little memory however large it is.
fn layer_of(mut upper: Upper, writer: &Writer<'_>, stages: &Stages) -> Result<Received> {
    let (mut reading, writing) = std::io::pipe().context("make a pipe")?;
    std::thread::scope(|scope| {
        let making = scope.spawn(move || -> Result<()> {
            let mut out = BufWriter::with_capacity(PIECE, writing);
            let mut layer = LayerWriter::new(&mut out);
            (stages.make_layer)(&mut upper, &mut layer)?;
            layer.finish()
        });
        let received = writer.receive(&mut reading, &Expected::default(), stages.apply_layer);
        // Should it have failed, the other side must not wait for it to read on.
        drop(reading);
        let made = making.join().map_err(|_| anyhow!("the thread that makes the layer panicked"))?;
        match (made, received) {
            (Err(error), _) if !is_broken_pipe(&error) => {
                Err(error.context("make a layer of what the container changed"))
            }
            (_, received) => received.context("store the layer"),
        }
    })
}

/// Whether it failed only because the other side had.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    kinds.into_iter().any(|kind| kind == std::io::ErrorKind::BrokenPipe)
}
