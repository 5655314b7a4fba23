//! `push`: an image goes to a registry.
//!
//! First the layers, then the config, and the manifest that names them last: so that nobody ever finds an image there
//! that is not whole. What the registry has is not sent again.

mod upload;

use std::collections::HashSet;

use anyhow::{Context, Result};
use images::oci::{Descriptor, Manifest};
use images::{Digest, Image, Name, Store};
use ureq::http::Method;

use super::access::Access;
use super::client::{Client, scope};
use super::error::Error;
use super::transport::{Operation, Payload, Request};
use crate::parallel;
use crate::progress::{LayerProgress, Progress, ProgressTarget};
use upload::{Target, Uploaded};

/// An image that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of its manifest.
    pub digest: Digest,
    /// How long the manifest is, in bytes.
    pub size: u64,
}

/// Sends `image` to where `name` says, which must have a tag, and tells about it in Docker's words. From then on the
/// store knows it by its digest there, too.
///
/// Errors: [`Error`], or one of the store.
pub fn push(store: &Store, image: &Image, name: &Name, access: &Access, target: ProgressTarget) -> Result<Pushed> {
    let tag = name.tag().context("cannot push a digest reference")?;
    let progress = Progress::begin(target);
    let notice = |line: &str| progress.notice(line);
    let operation = Operation::new(&notice);
    progress.say(&format!("The push refers to repository [{}/{}]", name.registry(), name.path()));
    let bytes = store.read_blob(&image.manifest.digest)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).context("the image's manifest")?;

    let client = Client::connect(access, name.registry(), None, &operation)?;
    let target = Target::new(store, &client, name)?;
    push_layers(&target, image, &progress).map_err(|error| explain(name, error))?;
    target.blob(&manifest.config, &|_| {}).map_err(|error| explain(name, error))?;
    put_manifest(&client, name, tag, &image.manifest, &bytes).map_err(|error| explain(name, error.into()))?;

    let pushed = Pushed { digest: image.manifest.digest, size: bytes.len() as u64 };
    store.tag(image, &name.with_digest(pushed.digest))?;
    progress.say(&format!("{tag}: digest: {} size: {}", pushed.digest, pushed.size));
    Ok(pushed)
}

/// Sends all layers that are not there, several at a time.
fn push_layers(target: &Target<'_>, image: &Image, progress: &Progress) -> Result<()> {
    let mut seen = HashSet::new();
    // As docker does, from the top down, and called by what is in them.
    let layers = image.layers.iter().rev().filter(|layer| seen.insert(layer.descriptor.digest));
    let layers: Vec<(&Descriptor, LayerProgress<'_>)> = layers
        .map(|layer| {
            let shown = progress.layer(&layer.diff_id, layer.descriptor.size, "Preparing");
            (&layer.descriptor, shown)
        })
        .collect();
    let work = |(descriptor, progress): &(&Descriptor, LayerProgress<'_>)| -> Result<()> {
        match target.blob(descriptor, &|position| progress.at(position, "Pushing"))? {
            Uploaded::Nothing => progress.done("Layer already exists"),
            Uploaded::Mount(from) => progress.done(&format!("Mounted from {from}")),
            Uploaded::Upload => progress.done("Pushed"),
        }
        Ok(())
    };
    parallel::each(&layers, work, |results| {
        // The first error is the reason. Those who come after it were told to give up.
        let results = results.map(|(_, pushed)| pushed.inspect_err(|_| target.client.operation().cancel()));
        results.fold(Ok(()), Result::and)
    })
}

fn put_manifest(
    client: &Client<'_>,
    name: &Name,
    tag: &str,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> super::error::Result<()> {
    let scopes = [scope(name.path(), "pull,push")];
    let url = client.url(&format!("/v2/{}/manifests/{tag}", name.path()))?;
    client.persist(|| {
        let request = Request::new(Method::PUT, url.clone(), Payload::Bytes(bytes));
        let response = client.call(&request.header("content-type", &*descriptor.media_type), &scopes)?;
        let claimed = response.header("docker-content-digest").and_then(|claimed| Digest::parse(claimed).ok());
        match claimed.filter(|claimed| *claimed != descriptor.digest) {
            Some(other) => {
                Err(Error::Wrong(format!("the registry took the manifest for {other}, not {}", descriptor.digest)))
            }
            None => Ok(()),
        }
    })
}

fn explain(name: &Name, error: anyhow::Error) -> anyhow::Error {
    match super::error::find(&error).and_then(Error::status) {
        Some(401) => error.context(format!("push access denied for {}: see `tinbox login`", name.repository())),
        // It knows who we are, or does not care.
        Some(403) => error.context(format!("push access denied for {}", name.repository())),
        _ => error,
    }
}

/// The images of the local store that have a layer and are known to be in the same registry: from their repositories
/// the registry can take it.
fn origins(store: &Store, name: &Name) -> Result<Vec<(Digest, String)>> {
    let mut origins = Vec::new();
    for image in store.list()? {
        let there = image.digests.iter().filter(|one| one.registry() == name.registry() && one.path() != name.path());
        for known in there {
            origins.extend(image.layers.iter().map(|layer| (layer.descriptor.digest, known.path().to_owned())));
        }
    }
    Ok(origins)
}
