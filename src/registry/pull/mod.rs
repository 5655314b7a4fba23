//! `pull`: an image comes from a registry.

mod fetch;
mod layers;
mod resume;

use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail, ensure};
use images::oci::{Descriptor, ImageConfig, Manifest, Platform};
use images::store::DOCUMENT_MAX;
use images::{ApplyLayer, Digest, Image, Name, Store};

use super::access::Access;
use super::client::{Client, scope};
use super::error::{self, Error};
use super::transport::{Operation, Request, read_at_most};
use crate::image::manifest::{Document, check_manifest};
use crate::image::platform;
use crate::progress::{Progress, ProgressTarget};
use crate::say::say;
use crate::text::printable;
use fetch::{Fetched, fetch};

/// How an image shall be pulled.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// For which machine; this one if it is not said.
    pub platform: Option<Platform>,
    /// Where to tell how far it is.
    pub progress: ProgressTarget,
}

/// An image that was pulled.
#[derive(Debug)]
pub struct Pulled {
    /// The image, in the store.
    pub image: Image,
    /// The digest of what the registry has under its name: of an index, if it is one.
    pub digest: Digest,
    /// Whether the name meant another image before, or none.
    pub newer: bool,
    /// What is not as it should be, a sentence each.
    pub warnings: Vec<String>,
}

/// Gets the image `name` from its registry into `store`, with `apply` to unpack its layers, and tells about it in
/// Docker's words.
///
/// Errors: [`Error`], which [`super::could_not_be_reached`] finds; or one of the store.
pub fn pull(store: &Store, name: &Name, wish: &PullOptions, access: &Access, apply: ApplyLayer) -> Result<Pulled> {
    let progress = Progress::begin(wish.progress);
    let notice = |line: &str| progress.notice(line);
    let operation = Operation::new(&notice);
    let client = Client::connect(access, name.registry(), None, &operation)?;
    let scopes = [scope(name.path(), "pull")];
    let source = Source { client: &client, path: name.path(), scopes: &scopes, flows: AtomicBool::new(false) };

    let reference = reference(name);
    let first = source.manifest(&reference).map_err(|error| explain(name, error))?;
    progress.say(&format!("{reference}: Pulling from {}", name.path()));
    let digest = first.digest;
    let (fetched, manifest) = source.one_image(first, wish.platform.as_ref())?;
    // One that is damaged is mended by this.
    let newer = store.find(name).ok().flatten().is_none_or(|known| known.id != manifest.config.digest);
    let (config_bytes, config) = source.config(store, &manifest)?;
    let mut warnings = check_platform(&config, wish.platform.as_ref())?;

    let writer = store.write()?;
    let work = layers::Work { source: &source, store, writer: &writer, apply, progress: &progress };
    let coming = work.receive(&manifest, &config)?;
    warnings.extend(coming.warnings);
    let mut names = vec![name.with_digest(digest)];
    names.extend(name.tag().map(|_| name.clone()));
    let image = if coming.as_described {
        writer.put(&config_bytes)?;
        writer.commit(&fetched.bytes, &fetched.media_type, &names)?
    } else {
        writer.commit_config(&config_bytes, coming.layers, &names)?
    };

    progress.say(&format!("Digest: {digest}"));
    let status = if newer { "Downloaded newer image for" } else { "Image is up to date for" };
    progress.say(&format!("Status: {status} {name}"));
    Ok(Pulled { image, digest, newer, warnings })
}

/// All tags of the repository of `name`.
pub fn tags(name: &Name, access: &Access) -> Result<Vec<String>> {
    let operation = Operation::new(&|line| say!("{line}"));
    let client = Client::connect(access, name.registry(), None, &operation)?;
    let scopes = [scope(name.path(), "pull")];
    let tags = client.list(&format!("/v2/{}/tags/list", name.path()), "tags", &scopes);
    let mut tags = tags.map_err(|error| match error.status() {
        Some(404) => anyhow::Error::from(error).context(denied(name)),
        _ => explain(name, error),
    })?;
    tags.sort();
    Ok(tags)
}

/// A repository to read from.
pub(super) struct Source<'a> {
    client: &'a Client<'a>,
    path: &'a str,
    scopes: &'a [String],
    /// Whether any blob has begun to come.
    flows: AtomicBool,
}

impl Source<'_> {
    fn manifest(&self, reference: &str) -> error::Result<Fetched> {
        fetch(self.client, self.path, reference, self.scopes)
    }

    /// The manifest of the one image that is wanted, of several in an index.
    fn one_image(&self, fetched: Fetched, wanted: Option<&Platform>) -> Result<(Fetched, Manifest)> {
        let index = match &fetched.document {
            Document::Manifest(manifest) => {
                let manifest = check_manifest(manifest)?.clone();
                return Ok((fetched, manifest));
            }
            Document::Index(index) => index,
        };
        let here = Platform::here();
        let wanted = wanted.unwrap_or(&here);
        let chosen = platform::choose(&index.manifests, wanted)
            .with_context(|| format!("no matching manifest for {wanted} in the manifest list entries"))?;
        let of_image = self.manifest(&chosen.digest.to_string())?;
        let size = of_image.bytes.len() as u64;
        ensure!(size == chosen.size, "the manifest should have {} bytes, but has {size}", chosen.size);
        ensure!(
            chosen.media_type == of_image.media_type,
            "the index says that the manifest is {}, and the registry that it is {}",
            printable(&chosen.media_type),
            of_image.media_type
        );
        let Document::Manifest(manifest) = &of_image.document else {
            bail!("the manifest is refused: it is an index inside an index");
        };
        let manifest = check_manifest(manifest)?.clone();
        Ok((of_image, manifest))
    }

    /// The config that a manifest names: its bytes and what they say.
    fn config(&self, store: &Store, manifest: &Manifest) -> Result<(Vec<u8>, ImageConfig)> {
        let descriptor = &manifest.config;
        let bytes = match store.read_blob(&descriptor.digest) {
            Ok(bytes) => bytes,
            Err(_) => self.document(descriptor)?,
        };
        check_config(descriptor, &bytes)?;
        let config: ImageConfig = serde_json::from_slice(&bytes).context("the config cannot be read")?;
        let (layers, known) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        ensure!(layers == known, "the config does not fit: the manifest has {layers} layers, the config {known}");
        ensure!(config.rootfs.kind == "layers", "the config is refused: its rootfs is not of the type layers");
        Ok((bytes, config))
    }

    /// A small blob.
    fn document(&self, descriptor: &Descriptor) -> error::Result<Vec<u8>> {
        let Descriptor { digest, size, .. } = descriptor;
        if *size > DOCUMENT_MAX {
            let problem = format!("it has {size} bytes, and {} are the most", DOCUMENT_MAX);
            return Err(wrong_config(&problem));
        }
        let url = self.client.url(&format!("/v2/{}/blobs/{digest}", self.path))?;
        self.client
            .persist(|| read_at_most(self.client.call(&Request::get(url.clone()), self.scopes)?, *size, "the config"))
    }
}

/// Whether a config is the one that a manifest names, wherever it came from.
fn check_config(expected: &Descriptor, bytes: &[u8]) -> error::Result<()> {
    let Descriptor { digest, size, .. } = expected;
    match Digest::of(bytes) {
        found if found != *digest => Err(wrong_config(&format!("its digest is {found}, not {digest}"))),
        _ if bytes.len() as u64 != *size => Err(wrong_config(&format!("it has {} bytes, not {size}", bytes.len()))),
        _ => Ok(()),
    }
}

fn wrong_config(problem: &str) -> Error {
    Error::Wrong(format!("the config is not what it should be: {problem}"))
}

/// An image for another machine is what was asked for, or a surprise.
fn check_platform(config: &ImageConfig, wanted: Option<&Platform>) -> Result<Vec<String>> {
    let actual = config.platform();
    let shown = printable(&actual.to_string());
    if !actual.os.is_empty() && actual.os != "linux" {
        bail!("image operating system \"{}\" cannot be used on this platform", printable(&actual.os));
    }
    let says_nothing = actual.os.is_empty() || actual.architecture.is_empty();
    match wanted {
        _ if says_nothing => Ok(Vec::new()),
        Some(wanted) if !platform::fits(wanted, &actual) => {
            bail!("the image was found but does not match the specified platform: wanted {wanted}, actual: {shown}")
        }
        Some(_) => Ok(Vec::new()),
        None => Ok(platform::warning(&actual).into_iter().collect()),
    }
}

fn reference(name: &Name) -> String {
    name.digest().map(|digest| digest.to_string()).or(name.tag().map(str::to_owned)).unwrap_or_default()
}

/// What docker says if there is no such image, or one may not have it.
fn explain(name: &Name, error: Error) -> anyhow::Error {
    let words = match error.status() {
        Some(404) => format!("manifest for {name} not found"),
        Some(401 | 403) => denied(name),
        _ => return error.into(),
    };
    anyhow::Error::from(error).context(words)
}

fn denied(name: &Name) -> String {
    format!("pull access denied for {}, repository does not exist or may require 'tinbox login'", name.repository())
}
