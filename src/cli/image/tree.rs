//! Which images stand on which layers, as a drawing.
//!
//! A layer is known by its chain id, which says what it is and what it stands on. So layers make trees: each stands on
//! one, and several can stand on the same. Where two images part is where they stop to share.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use colored::Colorize;
use images::{Digest, Image, Store};

use crate::cli::image::step;
use crate::cli::units;
use crate::say::print;
use crate::text::one_line;

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

/// All layers, and those at the bottom.
#[derive(Debug, Default)]
struct Trees {
    nodes: BTreeMap<Digest, Node>,
    roots: BTreeSet<Digest>,
}

/// Draws `images` and the layers below them.
pub fn print_tree(store: &Store, images: &[Image]) -> Result<()> {
    let mut trees = Trees::default();
    let mut alone = 0;
    for image in images {
        let sizes = store.sizes(image).unwrap_or_default();
        alone += sizes.iter().sum::<u64>();
        trees.add(image, &sizes);
        if image.layers.is_empty() {
            print(&format!("□ without a layer  {}", called(image).green().bold()))?;
        }
    }
    for root in &trees.roots {
        trees.draw(*root)?;
    }
    let together = trees.nodes.values().filter_map(|node| node.size).sum::<u64>();
    if together < alone {
        print(&format!("\n{} together; {} if they shared nothing", units::size(together), units::size(alone)))?;
    }
    Ok(())
}

/// By its tags, or else by what there is.
fn called(image: &Image) -> String {
    let names = if image.names.is_empty() { &image.digests } else { &image.names };
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    if names.is_empty() { format!("<none> {}", image.id.short()) } else { names.join(", ") }
}

impl Trees {
    fn add(&mut self, image: &Image, sizes: &[u64]) {
        let made_by = step::of_layers(&image.config, image.layers.len());
        let mut below: Option<Digest> = None;
        for (at, layer) in image.layers.iter().enumerate() {
            match below {
                None => self.roots.insert(layer.chain_id),
                Some(below) => self.nodes.entry(below).or_default().above.insert(layer.chain_id),
            };
            let node = self.nodes.entry(layer.chain_id).or_default();
            node.size = sizes.get(at).copied();
            node.made_by.clone_from(&made_by[at]);
            below = Some(layer.chain_id);
        }
        if let Some(top) = below {
            self.nodes.entry(top).or_default().images.push(called(image));
        }
    }

    /// Line after line, without recursion: an image may have as many layers as it likes. A layer that stands alone on
    /// another is drawn right below it; where several do, each begins a branch.
    fn draw(&self, root: Digest) -> Result<()> {
        let mut pending: Vec<(Digest, String, &str)> = vec![(root, String::new(), "")];
        while let Some((id, before, joint)) = pending.pop() {
            let Some(node) = self.nodes.get(&id) else { continue };
            print(&line(&id, node, &format!("{before}{joint}")))?;
            let inner = match joint {
                "├─" => before + "│ ",
                "└─" => before + "  ",
                _ => before,
            };
            let last = node.above.len().saturating_sub(1);
            let joint = |at: usize| match (last, at == last) {
                (0, _) => "",
                (_, true) => "└─",
                (_, false) => "├─",
            };
            let above = node.above.iter().enumerate().rev();
            pending.extend(above.map(|(at, id)| (*id, inner.clone(), joint(at))));
        }
        Ok(())
    }
}

fn line(id: &Digest, node: &Node, before: &str) -> String {
    let size = node.size.map_or_else(|| "?".to_owned(), units::size);
    let sign = if node.images.is_empty() { "□" } else { "■" };
    let made_by = one_line(&node.made_by, 36);
    let line = format!("{before}{sign} {} {} {made_by}", id.short().dimmed(), format!("{size:>7}").cyan());
    let images = node.images.join(", ");
    if images.is_empty() { line } else { format!("{line}  {}", images.green().bold()) }
}
