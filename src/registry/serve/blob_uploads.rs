//! Taking blobs in: they come first, and wait for the manifest that names them.
//!
//! Source: distribution specification, "Pushing blobs".

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context;
use hyper::StatusCode;
use hyper::body::Incoming as Payload;
use hyper::header::HeaderMap;
use images::Digest;
use tokio::task::spawn_blocking;

use super::Registry;
use super::answer::{self, Answer, Refusal, Result};
use super::body::{End, next_piece};
use super::uploads::Taken;

impl Registry {
    /// Begins an upload; or takes a whole blob; or finds that it is there.
    pub(super) async fn begin_upload(
        &self,
        name: &str,
        parameters: &HashMap<String, String>,
        body: &mut Payload,
        client: IpAddr,
    ) -> Result<Answer> {
        let uploads = &self.writing()?.uploads;
        self.called(name, "latest")?;
        let busy = || Refusal::busy("there are too many uploads: try again when others have ended");
        if let Some(wanted) = parameters.get("mount").and_then(|mount| Digest::parse(mount).ok())
            && let Some((file, size)) = self.any_blob(&wanted).await?
        {
            // It becomes part of this repository with its manifest; until then it can be seen like one that came.
            return if uploads.lend(wanted, file, size, client) {
                Ok(answer::created(name, "blobs", &wanted))
            } else {
                Err(busy())
            };
        }
        let id = uploads.begin(name, client)?.ok_or_else(busy)?;
        match parameters.get("digest") {
            Some(digest) => self.finish_upload(name, &id, Some(digest), body, client).await,
            None => Ok(accepted(name, &id, 0)),
        }
    }

    /// Takes a part of a blob, which has to begin where the last one ended.
    pub(super) async fn continue_upload(
        &self,
        name: &str,
        id: &str,
        headers: &HeaderMap,
        body: &mut Payload,
    ) -> Result<Answer> {
        let mut upload = self.writing()?.uploads.take(name, id).ok_or_else(no_upload)?;
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
        let upload = self.writing()?.uploads.take(name, id).ok_or_else(no_upload)?;
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
        body: &mut Payload,
        client: IpAddr,
    ) -> Result<Answer> {
        let uploads = &self.writing()?.uploads;
        let mut taken = uploads.take(name, id).ok_or_else(no_upload)?;
        let Some(digest) = digest.and_then(|digest| Digest::parse(digest).ok()) else {
            return Err(Refusal::bad("DIGEST_INVALID", "the parameter digest is missing, or is no SHA-256 digest"));
        };
        receive(&mut taken, body).await?;
        let upload = taken.take_out().ok_or_else(no_upload)?;
        let found = upload.digest();
        if found != digest {
            return Err(Refusal::bad("DIGEST_INVALID", format!("what came is {found}, and not {digest}")));
        }
        uploads.complete(upload, client);
        Ok(answer::created(name, "blobs", &digest))
    }

    /// A blob of any image that is shared, or that has come.
    async fn any_blob(&self, digest: &Digest) -> Result<Option<(Arc<File>, u64)>> {
        if let Some(uploaded) = self.writing()?.uploads.blob(digest) {
            return Ok(Some(uploaded));
        }
        match self.current().await?.has_blob(digest) {
            true => Ok(self.cache.blob(*digest).await?),
            false => Ok(None),
        }
    }
}

/// Adds all that comes to an upload.
async fn receive(taken: &mut Taken<'_>, body: &mut Payload) -> Result<()> {
    loop {
        let (piece, end) = next_piece(body).await;
        if !taken.reserve(piece.len() as u64) {
            drop(taken.take_out());
            return Err(insufficient("too much was uploaded that no manifest has named yet"));
        }
        let mut upload = taken.take_out().ok_or_else(no_upload)?;
        let written = spawn_blocking(move || {
            let written = upload.add(&piece);
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

fn no_room(error: std::io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::StorageFull => insufficient("the disk of this registry is nearly full"),
        ErrorKind::QuotaExceeded => insufficient("this registry's owner may not use more of the disk"),
        _ => anyhow::Error::from(error).context("write an upload").into(),
    }
}

fn insufficient(message: &str) -> Refusal {
    Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "DENIED", message)
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
