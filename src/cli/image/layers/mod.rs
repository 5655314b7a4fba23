//! The layers of an image, as they lie: what made each, what it holds, what it hides, and who else has it.
//!
//! | file        | what it is about                          |
//! |-------------|-------------------------------------------|
//! | `draw.rs`   | the picture, line by line                 |
//! | `canvas.rs` | a box of text with edges, and its colours |

mod canvas;
mod draw;

use anyhow::Result;
use images::oci::History;
use images::{Digest, Image, Store};
use serde::Serialize;

use crate::cli::image::step;
use crate::image::survey::{Holdings, sharers, survey};

pub use draw::draw;

/// All that there is to say about them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Picture {
    id: Digest,
    repo_tags: Vec<String>,
    os: String,
    architecture: String,
    /// Bytes unpacked, of all layers.
    size: u64,
    /// Bytes of the layers as they came.
    compressed_size: u64,
    /// Bytes that a layer holds and another hides.
    hidden: u64,
    /// Bottom first.
    layers: Vec<LayerPicture>,
    /// Oldest first.
    history: Vec<Step>,
}

/// A layer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LayerPicture {
    /// 1 is the bottom one.
    number: usize,
    created_by: String,
    digest: Digest,
    diff_id: Digest,
    chain_id: Digest,
    size: u64,
    compressed_size: u64,
    #[serde(flatten)]
    holdings: Holdings,
    shared_with: Vec<String>,
}

/// A step of the image's making.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    created_by: String,
    created: Option<String>,
    /// The layer that it left, by number.
    layer: Option<usize>,
}

impl Picture {
    /// Of the image that `wanted` means. Call it as whoever may read all of its layers: see [`crate::lent_ids`].
    pub fn of(store: &Store, wanted: &str) -> Result<Picture> {
        let _hold = store.hold()?;
        let image = store.look_up(wanted)?;
        let others = store.list()?;
        let sizes = store.sizes(&image)?;
        let made_by = step::of_layers(&image.config, image.layers.len());
        let mut layers = Vec::new();
        for (at, holdings) in survey(store, &image)?.into_iter().enumerate() {
            let layer = &image.layers[at];
            layers.push(LayerPicture {
                number: at + 1,
                created_by: made_by[at].clone(),
                digest: layer.descriptor.digest,
                diff_id: layer.diff_id,
                chain_id: layer.chain_id,
                size: sizes[at],
                compressed_size: layer.descriptor.size,
                holdings,
                shared_with: sharers(&others, &image, &layer.chain_id),
            });
        }
        Ok(Picture {
            id: image.id,
            repo_tags: image.names.iter().map(ToString::to_string).collect(),
            os: image.config.os.clone(),
            architecture: image.config.architecture.clone(),
            size: sizes.iter().sum(),
            compressed_size: layers.iter().map(|layer| layer.compressed_size).sum(),
            hidden: layers.iter().map(|layer| layer.holdings.hidden).sum(),
            layers,
            history: history(&image),
        })
    }
}

/// The steps, each with its layer. Layers that the history does not know of come last.
fn history(image: &Image) -> Vec<Step> {
    let mut next = 1..=image.layers.len();
    let step = |step: &History| Step {
        created_by: step::instruction(step),
        created: step.created.clone(),
        layer: if step.empty_layer { None } else { next.next() },
    };
    let mut steps: Vec<Step> = image.config.history.iter().map(step).collect();
    steps.extend(next.map(|number| Step { created_by: String::new(), created: None, layer: Some(number) }));
    steps
}
