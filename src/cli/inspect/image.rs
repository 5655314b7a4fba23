//! An image, in Docker's shape.

use std::collections::BTreeMap;

use anyhow::Result;
use images::{Digest, Image, Store};
use serde::Serialize;

use crate::cli::format::docker::IMAGE;
use crate::cli::inspect::Document;
use crate::cli::inspect::config::ConfigView;

/// What docker shows where it does not know when.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The image that `wanted` means.
pub fn look_up(store: &Store, wanted: &str) -> Result<Document> {
    let image = store.look_up(wanted)?;
    let names = |names: &[images::Name]| names.iter().map(ToString::to_string).collect();
    let config = &image.config;
    let size = store.sizes(&image)?.iter().sum();
    let view = View {
        id: image.id,
        repo_tags: names(&image.names),
        repo_digests: names(&image.digests),
        parent: "",
        comment: config.comment.as_deref().or(last_comment(&image)).unwrap_or_default(),
        created: config.created.as_deref().unwrap_or(NEVER),
        author: config.author.as_deref().unwrap_or_default(),
        config: ConfigView::of(&config.config),
        architecture: &config.architecture,
        variant: config.variant.as_deref(),
        os: &config.os,
        size,
        virtual_size: size,
        graph_driver: GraphDriver::of(store, &image),
        root_fs: RootFs { kind: "layers", layers: &config.rootfs.diff_ids },
        metadata: BTreeMap::from([("LastTagTime", NEVER)]),
    };
    Document::shaped(&view, IMAGE)
}

fn last_comment(image: &Image) -> Option<&str> {
    image.config.history.last().and_then(|step| step.comment.as_deref())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct View<'a> {
    id: Digest,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    parent: &'a str,
    comment: &'a str,
    created: &'a str,
    author: &'a str,
    config: ConfigView<'a>,
    architecture: &'a str,
    variant: Option<&'a str>,
    os: &'a str,
    size: u64,
    virtual_size: u64,
    graph_driver: GraphDriver,
    #[serde(rename = "RootFS")]
    root_fs: RootFs<'a>,
    metadata: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RootFs<'a> {
    #[serde(rename = "Type")]
    kind: &'a str,
    layers: &'a [Digest],
}

/// Where the layers are, as overlayfs is told: the top one, and those below it from the top down.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GraphDriver {
    data: BTreeMap<&'static str, String>,
    name: &'static str,
}

impl GraphDriver {
    /// Of an image.
    fn of(store: &Store, image: &Image) -> GraphDriver {
        let mut trees: Vec<String> = store.trees(image).iter().map(|tree| tree.display().to_string()).collect();
        let top = trees.pop();
        let lower = (!trees.is_empty()).then(|| trees.into_iter().rev().collect::<Vec<_>>().join(":"));
        let data = lower.map(|lower| ("LowerDir", lower)).into_iter().chain(top.map(|top| ("UpperDir", top)));
        GraphDriver { data: data.collect(), name: "overlay2" }
    }
}
