//! Taking images in.
//!
//! Blobs come first, and wait. When the manifest comes, the layers are unpacked and everything is checked against
//! everything; then the image is there, or nothing of it is.
//!
//! Source: distribution specification, "Push".

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Incoming as Payload};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use images::layer::compression::Compression;
use images::oci::Manifest;
use images::{Digest, Expected, Name};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::{self, Answer, Refusal, Result};
use super::connections::PATIENCE;
use super::uploads::Taken;
use super::{Catalog, Registry, Writing};
use crate::image::archive::Section;
use crate::image::incoming::{Incoming, Intake};
use crate::image::manifest::{Document, LARGEST, check_manifest, read};
use crate::progress::ProgressTarget;

/// As much is collected before another thread writes it.
const PIECE: usize = 512 << 10;

impl Registry {
    fn writing(&self) -> Result<&Writing> {
        let refusal = || Refusal::unsupported("this registry is read-only: it was not started with --writable");
        self.writing.as_ref().ok_or_else(refusal)
    }

    /// Begins an upload; or takes a whole blob; or finds that it is there.
    pub(super) async fn begin_upload(
        &self,
        name: &str,
        parameters: &HashMap<String, String>,
        body: Payload,
    ) -> Result<Answer> {
        let writing = self.writing()?;
        self.called(name, "latest")?;
        if let Some(wanted) = parameters.get("mount").and_then(|mount| Digest::parse(mount).ok())
            && let Some((file, size)) = self.any_blob(&wanted).await?
        {
            // It becomes part of this repository with its manifest; until then it can be seen like one that came.
            writing.uploads.lend(wanted, file, size);
            return Ok(created(name, "blobs", &wanted));
        }
        let begun = writing.uploads.begin(name)?;
        let busy = || Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "there are too many uploads");
        let id = begun.ok_or_else(busy)?;
        match parameters.get("digest") {
            Some(digest) => self.finish_upload(name, &id, Some(digest), body).await,
            None => Ok(accepted(name, &id, 0)),
        }
    }

    /// Takes a part of a blob, which has to begin where the last one ended.
    pub(super) async fn continue_upload(
        &self,
        name: &str,
        id: &str,
        headers: &HeaderMap,
        body: Payload,
    ) -> Result<Answer> {
        let writing = self.writing()?;
        let mut upload = writing.uploads.take(name, id).ok_or_else(no_upload)?;
        let size = upload.size();
        let start = headers.get("content-range").and_then(|range| range.to_str().ok());
        let start = start.and_then(|range| range.trim_start_matches("bytes ").split('-').next()?.parse::<u64>().ok());
        if start.is_some_and(|start| start != size) {
            let mut answer = place_of(StatusCode::RANGE_NOT_SATISFIABLE, name, id);
            answer::header(&mut answer, "range", &range_of(size));
            return Ok(answer);
        }
        receive(&mut upload, body).await?;
        Ok(accepted(name, id, upload.size()))
    }

    /// Says how much has come.
    pub(super) fn upload_status(&self, name: &str, id: &str) -> Result<Answer> {
        let writing = self.writing()?;
        let upload = writing.uploads.take(name, id).ok_or_else(no_upload)?;
        let mut answer = place_of(StatusCode::NO_CONTENT, name, id);
        answer::header(&mut answer, "range", &range_of(upload.size()));
        Ok(answer)
    }

    /// Gives an upload up.
    pub(super) fn end_upload(&self, name: &str, id: &str) -> Result<Answer> {
        self.writing()?.uploads.take(name, id).ok_or_else(no_upload)?.take_out();
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    /// Takes the rest of a blob, and checks it.
    pub(super) async fn finish_upload(
        &self,
        name: &str,
        id: &str,
        digest: Option<&String>,
        body: Payload,
    ) -> Result<Answer> {
        let writing = self.writing()?;
        let mut upload = writing.uploads.take(name, id).ok_or_else(no_upload)?;
        let Some(digest) = digest.and_then(|digest| Digest::parse(digest).ok()) else {
            return Err(Refusal::bad("DIGEST_INVALID", "the parameter digest is missing, or is no SHA-256 digest"));
        };
        receive(&mut upload, body).await?;
        let upload = upload.take_out().ok_or_else(no_upload)?;
        let found = upload.digest();
        if found != digest {
            return Err(Refusal::bad("DIGEST_INVALID", format!("what came is {found}, and not {digest}")));
        }
        writing.uploads.complete(upload);
        Ok(created(name, "blobs", &digest))
    }

    /// Takes a manifest, and with it an image.
    pub(super) async fn put_manifest(
        self: &Arc<Registry>,
        name: &str,
        reference: &str,
        headers: &HeaderMap,
        body: Payload,
    ) -> Result<Answer> {
        let writing = self.writing()?;
        // Until it is taken in or refused, each is held in memory.
        let place = writing.manifests.acquire().await.context("wait for a place")?;
        let late = |_| Refusal::bad("MANIFEST_INVALID", "it took too long to come");
        let bytes = timeout(PATIENCE, collect(body)).await.map_err(late)??;
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
        let Document::Manifest(manifest) = document else {
            let message = "this registry takes single images, and this is an index of several";
            return Err(Refusal::bad("MANIFEST_INVALID", message));
        };
        check_manifest(&manifest).map_err(|error| Refusal::bad("MANIFEST_INVALID", format!("{error:#}")))?;
        let turn = writing.turns.acquire().await.context("wait for a turn")?;
        let registry = self.clone();
        let taken = spawn_blocking(move || registry.take_in(bytes, media_type, &manifest, name_of_image)).await;
        drop((turn, place));
        taken.context("unpack")??;
        Ok(created(name, "manifests", &digest))
    }

    /// Puts an image into the store whose blobs have come.
    fn take_in(&self, bytes: Vec<u8>, media_type: String, manifest: &Manifest, name: Name) -> Result<()> {
        let writing = self.writing()?;
        let invalid = |error: anyhow::Error| Refusal::bad("MANIFEST_INVALID", format!("{error:#}"));
        let mut blobs = self.blobs_of(manifest)?.into_iter();
        let (config, size) = blobs.next().context("a manifest has a config")?;
        let layers: Vec<_> = blobs.collect();
        if size > LARGEST || size != manifest.config.size {
            let message = format!("its config has {size} bytes, and is said to have {}", manifest.config.size);
            return Err(Refusal::bad("MANIFEST_INVALID", message));
        }
        let mut document = Vec::new();
        Section::new(&config, 0, size).read_to_end(&mut document).context("read the config")?;
        if Digest::of(&document) != manifest.config.digest {
            return Err(Refusal::bad("MANIFEST_BLOB_UNKNOWN", "its config is damaged here: upload it again"));
        }
        layers.iter().try_for_each(is_compressed)?;
        let expected = manifest.layers.iter().map(|layer| Expected {
            digest: Some(layer.digest),
            size: Some(layer.size),
            diff_id: None,
        });
        self.check_base(&name, &manifest.config.digest)?;
        let mut image = Incoming::new(document, expected.collect(), Some((bytes, media_type))).map_err(invalid)?;
        image.called(name);
        let mut intake = Intake::begin(&self.store, writing.apply, ProgressTarget::Nothing)?;
        let open = |at: usize| {
            let (file, size) = &layers[at];
            Ok(Box::new(Section::new(file, 0, *size)) as Box<dyn Read + Send>)
        };
        intake.take_in(&image, &open).map_err(invalid)?;
        writing.uploads.used(manifest.layers.iter().chain([&manifest.config]).map(|blob| &blob.digest));
        Ok(())
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
            false => Catalog::of(&self.store, self.address.port())?,
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
    fn called(&self, name: &str, tag: &str) -> Result<Name> {
        let host = format!("localhost:{}", self.address.port());
        let named = Name::parse(&format!("{host}/{name}")).and_then(|named| named.with_tag(tag));
        let named = named.map_err(|error| Refusal::bad("NAME_INVALID", error.to_string()))?;
        // What has a tag or a digest in it is no name of a repository.
        if named.path() != name {
            return Err(Refusal::bad("NAME_INVALID", "this is no name of a repository"));
        }
        Ok(named)
    }

    /// Checks that nobody gets another image for the embedded one.
    fn check_base(&self, name: &Name, id: &Digest) -> Result<()> {
        let base = Name::base();
        let means_base = name.tag() == base.tag() && ["base", base.path()].contains(&name.path());
        let there = if means_base { self.store.find(&base)? } else { None };
        match there {
            Some(there) if there.id != *id => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "DENIED",
                format!(
                    "{base} is the embedded image, and nobody pushes another one in its place: choose another name"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// A blob of any image that is shared, or that has come.
    async fn any_blob(&self, digest: &Digest) -> Result<Option<(Arc<File>, u64)>> {
        if let Some(uploaded) = self.writing()?.uploads.blob(digest) {
            return Ok(Some(uploaded));
        }
        match self.current().await?.has_blob(digest) {
            true => Ok(self.shelf.blob(*digest).await?),
            false => Ok(None),
        }
    }
}

/// Adds all that comes to an upload.
async fn receive(taken: &mut Taken<'_>, mut body: Payload) -> Result<()> {
    loop {
        let (pieces, end) = pieces(&mut body).await;
        let mut upload = taken.take_out().ok_or_else(no_upload)?;
        let written = spawn_blocking(move || {
            let written = pieces.iter().try_for_each(|piece| upload.add(piece));
            (upload, written)
        });
        let (upload, written) = written.await.context("write what came")?;
        // What was written in part cannot be continued.
        written.map_err(no_room)?;
        taken.give_back(upload);
        match end {
            End::NotYet => {}
            End::Here => return Ok(()),
            End::Broken => return Err(Refusal::bad("BLOB_UPLOAD_INVALID", "the connection broke")),
        }
    }
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

/// What comes after a piece of a body.
enum End {
    NotYet,
    Here,
    Broken,
}

/// The next bytes, as many as are worth another thread's while.
async fn pieces(body: &mut Payload) -> (Vec<Bytes>, End) {
    let (mut pieces, mut size) = (Vec::new(), 0);
    while size < PIECE {
        let next = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
        match timeout(PATIENCE, next).await {
            Ok(None) => return (pieces, End::Here),
            Ok(Some(Err(_))) | Err(_) => return (pieces, End::Broken),
            Ok(Some(Ok(frame))) => {
                // Trailers say nothing here.
                if let Ok(bytes) = frame.into_data() {
                    size += bytes.len();
                    pieces.push(bytes);
                }
            }
        }
    }
    (pieces, End::NotYet)
}

/// A whole manifest.
async fn collect(mut body: Payload) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let (pieces, end) = pieces(&mut body).await;
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        if bytes.len() as u64 > LARGEST {
            let message = format!("{LARGEST} bytes are the most that a manifest may have");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", message));
        }
        match end {
            End::NotYet => {}
            End::Here => return Ok(bytes),
            End::Broken => return Err(Refusal::bad("MANIFEST_INVALID", "the connection broke")),
        }
    }
}

fn no_room(error: std::io::Error) -> Refusal {
    match error.kind() {
        std::io::ErrorKind::StorageFull => {
            Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "DENIED", "the disk of this registry is nearly full")
        }
        _ => anyhow::Error::from(error).context("write an upload").into(),
    }
}

fn no_upload() -> Refusal {
    Refusal::unknown("BLOB_UPLOAD_UNKNOWN", "there is no such upload, or somebody is just sending it")
}

fn range_of(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}

fn place_of(status: StatusCode, name: &str, id: &str) -> Answer {
    let mut answer = answer::empty(status);
    answer::header(&mut answer, "location", &format!("/v2/{name}/blobs/uploads/{id}"));
    answer::header(&mut answer, "docker-upload-uuid", id);
    answer
}

fn accepted(name: &str, id: &str, size: u64) -> Answer {
    let mut answer = place_of(StatusCode::ACCEPTED, name, id);
    answer::header(&mut answer, "range", &range_of(size));
    answer
}

fn created(name: &str, kind: &str, digest: &Digest) -> Answer {
    let mut answer = answer::empty(StatusCode::CREATED);
    answer::header(&mut answer, "location", &format!("/v2/{name}/{kind}/{digest}"));
    answer::header(&mut answer, "docker-content-digest", &digest.to_string());
    answer
}
