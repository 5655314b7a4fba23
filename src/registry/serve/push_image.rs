//! Taking an image in, with its manifest, when its blobs have come.
//!
//! The layers are unpacked and everything is checked against everything; then the image is there, or nothing of it is.
//!
//! Source: distribution specification, "Pushing Manifests".

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context;
use hyper::StatusCode;
use hyper::body::Incoming as Payload;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use images::layer::compression::Compression;
use images::oci::{Index, Manifest};
use images::store::DOCUMENT_MAX;
use images::{Digest, Expected, Name};

use super::answer::{self, Answer, Refusal, Result};
use super::turn::in_turn;
use super::{Catalog, Event, Registry, body};
use crate::image::archive::Section;
use crate::image::incoming::{Incoming, Intake};
use crate::image::manifest::{Document, check_manifest, read};
use crate::image::removal::Removal;
use crate::progress::ProgressTarget;

/// What to do about an image for several kinds of machines, or with other things than an image in it.
const ONE_PLATFORM: &str = "push one platform: `docker push --platform linux/amd64`, \
     `docker buildx build --platform linux/amd64 --provenance=false`, `skopeo copy` without --all";

impl Registry {
    /// Takes a manifest, and with it an image.
    pub(super) async fn put_manifest(
        self: &Arc<Registry>,
        name: &str,
        reference: &str,
        headers: &HeaderMap,
        body: &mut Payload,
        client: IpAddr,
    ) -> Result<Answer> {
        let writing = self.writing()?;
        let (bytes, leave) = body::manifest(body, &writing.large_manifests).await?;
        let digest = Digest::of(&bytes);
        let name_of_image = match Digest::parse(reference) {
            Ok(wanted) if wanted != digest => {
                return Err(Refusal::bad("DIGEST_INVALID", format!("what came is {digest}, and not {wanted}")));
            }
            Ok(_) => self.called(name, "latest")?.with_digest(digest),
            Err(_) => self.called(name, reference)?,
        };
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (media_type, document) =
            read(&bytes, media_type).map_err(|error| Refusal::bad("MANIFEST_INVALID", error.to_string()))?;
        let registry = self.clone();
        let take_in = move || {
            let _leave = leave;
            match document {
                Document::Manifest(manifest) => registry.take_in(bytes, media_type, &manifest, &name_of_image),
                Document::Index(index) => Err(registry.refuse_index(&index, &name_of_image)?),
            }
        };
        in_turn(&writing.turns, take_in).await?;
        if !reference.contains(':') {
            (self.tell)(Event::Pushed { client, image: format!("{name}:{reference}") });
        }
        Ok(answer::created(name, "manifests", &digest))
    }

    /// Puts an image into the store whose blobs have come.
    fn take_in(&self, bytes: Vec<u8>, media_type: String, manifest: &Manifest, name: &Name) -> Result<()> {
        let writing = self.writing()?;
        check_manifest(manifest)
            .map_err(|error| Refusal::bad("MANIFEST_INVALID", format!("{error:#}: {ONE_PLATFORM}")))?;
        let mut blobs = self.blobs_of(manifest)?.into_iter();
        let (config, size) = blobs.next().context("a manifest has a config")?;
        let layers: Vec<_> = blobs.collect();
        let document = config_of(manifest, &config, size)?;
        layers.iter().try_for_each(is_compressed)?;
        let expected = manifest.layers.iter().map(|layer| Expected {
            digest: Some(layer.digest),
            size: Some(layer.size),
            diff_id: None,
        });
        self.check_name(name, &manifest.config.digest)?;
        let invalid = |error: anyhow::Error| Refusal::bad("MANIFEST_INVALID", format!("{error:#}"));
        let mut image = Incoming::new(document, expected.collect(), Some((bytes, media_type))).map_err(invalid)?;
        image.called(name.clone());
        let mut intake = Intake::begin(&self.store, writing.apply, ProgressTarget::Nothing)?;
        let open = |at: usize| {
            let (file, size) = &layers[at];
            Ok(Box::new(Section::new(file, 0, *size)) as Box<dyn Read + Send>)
        };
        intake.take_in(&image, &open).map_err(invalid)?;
        // Not before: the owner may have an image by this name that is not shared.
        self.shared.pushed(name);
        writing.uploads.used(manifest.layers.iter().chain([&manifest.config]).map(|blob| &blob.digest));
        Ok(())
    }

    /// Answers with the refusal of an index. The images of it have come already, each called by its digest: they go.
    fn refuse_index(&self, index: &Index, name: &Name) -> Result<Refusal> {
        let mut removal = Removal::begin(&self.state, &self.store)?;
        let names = index.manifests.iter().map(|manifest| name.with_digest(manifest.digest));
        for name in names.filter(|name| self.shared.is_new(name)) {
            let known = self.store.list()?.into_iter().find(|image| image.digests.contains(&name));
            if let Some(image) = known {
                removal.by_name(&name, &image, true)?;
            }
        }
        let message =
            format!("this registry takes images for one kind of machine, and this is an index: {ONE_PLATFORM}");
        Ok(Refusal::bad("MANIFEST_INVALID", message))
    }

    /// The config of an image and its layers: blobs that have come, or of images that are shared. What else is in the
    /// store is nobody's business.
    fn blobs_of(&self, manifest: &Manifest) -> Result<Vec<(Arc<File>, u64)>> {
        let uploads = &self.writing()?.uploads;
        let digests: Vec<_> = [&manifest.config].into_iter().chain(&manifest.layers).map(|blob| blob.digest).collect();
        let uploaded: Vec<_> = digests.iter().map(|digest| uploads.blob(digest)).collect();
        // Afterwards: a blob that is no upload any more is part of an image by now.
        let shared = match uploaded.iter().all(Option::is_some) {
            true => Catalog::default(),
            false => self.shared.catalog()?,
        };
        let find = |(digest, uploaded): (&Digest, Option<(Arc<File>, u64)>)| {
            let here = match uploaded {
                None if shared.has_blob(digest) => {
                    self.store.open_blob(digest)?.map(|(file, size)| (Arc::new(file), size))
                }
                uploaded => uploaded,
            };
            here.ok_or_else(|| Refusal::bad("MANIFEST_BLOB_UNKNOWN", format!("{digest} was not uploaded")))
        };
        digests.iter().zip(uploaded).map(find).collect()
    }

    /// What an image in this repository is called here.
    pub(super) fn called(&self, name: &str, tag: &str) -> Result<Name> {
        let host = format!("localhost:{}", self.address.port());
        let named = Name::parse(&format!("{host}/{name}")).and_then(|named| named.with_tag(tag));
        let named = named.map_err(|error| Refusal::bad("NAME_INVALID", error.to_string()))?;
        // What has a tag or a digest in it is no name of a repository.
        if named.path() != name {
            return Err(Refusal::bad("NAME_INVALID", "this is no name of a repository"));
        }
        Ok(named)
    }

    /// Checks that nobody gets another image for one of the owner's.
    fn check_name(&self, name: &Name, id: &Digest) -> Result<()> {
        let Some(known) = self.shared.hidden_by(name, id)? else { return Ok(()) };
        let message = format!(
            "{}:{} is an image of this registry's owner: choose another name, such as one that begins with yours",
            name.path(),
            known.tag().unwrap_or_default()
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, "DENIED", message))
    }
}

/// The bytes of a config, which are as many as its manifest says, and those that it says.
fn config_of(manifest: &Manifest, config: &File, size: u64) -> Result<Vec<u8>> {
    if size > DOCUMENT_MAX || size != manifest.config.size {
        let message = format!("its config has {size} bytes, and is said to have {}", manifest.config.size);
        return Err(Refusal::bad("MANIFEST_INVALID", message));
    }
    let mut document = Vec::new();
    Section::new(config, 0, size).read_to_end(&mut document).context("read the config")?;
    if Digest::of(&document) != manifest.config.digest {
        return Err(Refusal::bad("MANIFEST_BLOB_UNKNOWN", "its config is damaged here: upload it again"));
    }
    Ok(document)
}

/// Checks that the store will keep this layer byte for byte: others it compresses, and then the manifest would not fit.
fn is_compressed((file, size): &(Arc<File>, u64)) -> Result<()> {
    let mut start = Vec::new();
    Section::new(file, 0, *size).take(6).read_to_end(&mut start).context("read a layer")?;
    match Compression::detect(&start) {
        Ok(Compression::None) => Err(Refusal::bad("MANIFEST_INVALID", "it has a layer that is not compressed")),
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::bad("MANIFEST_INVALID", format!("{error:#}"))),
    }
}
