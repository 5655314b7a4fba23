//! Which images stand on which layers, as a drawing.
//!
//! A layer is known by its chain id, which says what it is and what it stands on. So layers make trees: each stands on
//! one, and several can stand on the same. Where two images part is where they stop to share.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use colored::Colorize;
use images::{Digest, Image, Store};

use crate::cli::image::step;
use crate::cli::table::shortened;
use crate::cli::units;
use crate::say::print;

/// A layer that stands somewhere.
#[derive(Debug, Default)]
struct Node {
    /// What it takes, if that is known.
    size: Option<u64>,
    /// What made it.
    made_by: String,
    /// The images whose top it is.
    images: Vec<String>,
    /// What stands on it.
    above: BTreeSet<Digest>,
}

/// Draws `images` and the layers below them.
pub fn print_tree(store: &Store, images: &[Image]) -> Result<()> {
    let mut nodes: BTreeMap<Digest, Node> = BTreeMap::new();
    let mut roots: BTreeSet<Digest> = BTreeSet::new();
    for image in images {
        let sizes = store.sizes(image).ok();
        let made_by = step::of_layers(&image.config, image.layers.len());
        let mut below: Option<Digest> = None;
        for (at, layer) in image.layers.iter().enumerate() {
            match below {
                None => drop(roots.insert(layer.chain_id)),
                Some(below) => drop(nodes.entry(below).or_default().above.insert(layer.chain_id)),
            }
            let node = nodes.entry(layer.chain_id).or_default();
            node.size = sizes.as_ref().and_then(|sizes| sizes.get(at).copied());
            node.made_by.clone_from(&made_by[at]);
            below = Some(layer.chain_id);
        }
        match below {
            Some(top) => nodes.entry(top).or_default().images.push(called(image)),
            None => print(&format!("{} without layers", called(image).green()))?,
        }
    }
    Drawing { nodes: &nodes }.draw(roots)
}

fn called(image: &Image) -> String {
    let names: Vec<String> = image.names.iter().chain(&image.digests).map(ToString::to_string).collect();
    if names.is_empty() { format!("<none> {}", image.id.short()) } else { names.join(", ") }
}

struct Drawing<'a> {
    nodes: &'a BTreeMap<Digest, Node>,
}

impl Drawing<'_> {
    /// Line after line, without recursion: an image may have as many layers as it likes.
    fn draw(&self, roots: BTreeSet<Digest>) -> Result<()> {
        let mut pending: Vec<(Digest, String, &str)> =
            roots.into_iter().rev().map(|root| (root, String::new(), "")).collect();
        while let Some((id, before, joint)) = pending.pop() {
            let Some(node) = self.nodes.get(&id) else { continue };
            print(&self.line(&id, node, &before, joint))?;
            // A stack of layers with nothing beside it needs no more room for each.
            let inner = match joint {
                "" => before,
                "├─ " => before + "│  ",
                "└─ " => before + "   ",
                _ => before,
            };
            let last = node.above.len().saturating_sub(1);
            let above = node.above.iter().enumerate().rev();
            pending.extend(above.map(|(at, id)| {
                let joint = match (last, at == last) {
                    (0, _) => "│  ",
                    (_, true) => "└─ ",
                    (_, false) => "├─ ",
                };
                (*id, inner.clone(), joint)
            }));
        }
        Ok(())
    }

    fn line(&self, id: &Digest, node: &Node, before: &str, joint: &str) -> String {
        let size = node.size.map_or_else(|| "?".to_owned(), units::size);
        let joint = if joint == "│  " { "" } else { joint };
        let (id, images) = (id.short(), node.images.join(", "));
        let made_by = shortened(&node.made_by, 40);
        let line = format!("{before}{joint}{} {} {made_by}", id.dimmed(), format!("{size:>7}").cyan());
        if images.is_empty() { line } else { format!("{line}  {}", format!("◀ {images}").green().bold()) }
    }
}
