//! One blob goes to a registry: not at all if it is there, by a word if it is in another repository, or byte by byte.

use anyhow::{Context, Result, ensure};
use images::oci::Descriptor;
use images::{Digest, Name, Store};
use ureq::http::{Method, Uri};

use super::origins;
use crate::registry::client::{Client, scope};
use crate::registry::error::{self, Error, FailureKind};
use crate::registry::transport::origin::{encode, parse_url, with_parameter};
use crate::registry::transport::{Part, Payload, Request, Response};

/// A repository to write to.
pub struct Target<'a> {
    store: &'a Store,
    pub client: &'a Client<'a>,
    path: &'a str,
    scopes: Vec<String>,
    /// Which layers are said to be in which other repositories of the same registry.
    origins: Vec<(Digest, String)>,
}

/// What it took to get a blob there.
pub enum Uploaded {
    /// It was there.
    Nothing,
    /// The registry took it from this repository.
    Mount(String),
    /// It was sent.
    Upload,
}

/// How an upload began.
enum Begun {
    Mounted,
    At(Uri),
}

impl<'a> Target<'a> {
    pub fn new(store: &'a Store, client: &'a Client<'a>, name: &'a Name) -> Result<Target<'a>> {
        let scopes = vec![scope(name.path(), "pull,push")];
        Ok(Target { store, client, path: name.path(), scopes, origins: origins(store, name)? })
    }

    /// Sees to it that the registry has a blob. `sent` is told how many bytes went so far.
    pub fn blob(&self, descriptor: &Descriptor, sent: &(dyn Fn(u64) + Sync)) -> Result<Uploaded> {
        let digest = &descriptor.digest;
        if self.client.has_blob(self.path, digest, &self.scopes)? {
            return Ok(Uploaded::Nothing);
        }
        let origin = self.origins.iter().find(|(layer, _)| layer == digest).map(|(_, path)| path);
        let mut session = None;
        if let Some(from) = origin {
            match self.begin(digest, Some(from)) {
                Ok(Begun::Mounted) => return Ok(Uploaded::Mount(from.clone())),
                Ok(Begun::At(url)) => session = Some(url),
                // It may not be ours to read there any more. That does not keep us from sending it.
                Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let found = self.store.open_blob(digest)?;
        let (file, size) = found.with_context(|| format!("{digest} is not in the store any more"))?;
        ensure!(size == descriptor.size, "{digest} should have {} bytes, but has {size}", descriptor.size);
        let mut asks_first = false;
        self.client.persist(|| {
            let url = match session.take() {
                Some(url) => url,
                None => match self.begin(digest, None)? {
                    Begun::Mounted => return Ok(()),
                    Begun::At(url) => url,
                },
            };
            let url = parse_url(&with_parameter(&url.to_string(), "digest", &digest.to_string()))?;
            let payload = Payload::File(Part { file: &file, size, sent });
            let mut request =
                Request::new(Method::PUT, url, payload).header("content-type", "application/octet-stream");
            if asks_first {
                request = request.header("expect", "100-continue");
            }
            let response = self.client.call(&request, &self.scopes);
            // A registry that refuses in the middle of a blob and hangs up is not heard while we are sending. Next time it
            // is asked for its mind before anything is sent (RFC 9110, section 10.1.1).
            asks_first |= response.as_ref().is_err_and(|error| error.kind() == Some(FailureKind::Broken));
            response.map(drop)
        })?;
        Ok(Uploaded::Upload)
    }

    /// Begins an upload, or has the registry take the blob from another repository.
    fn begin(&self, digest: &Digest, from: Option<&str>) -> error::Result<Begun> {
        let mut path = format!("/v2/{}/blobs/uploads/", self.path);
        let mut scopes = self.scopes.clone();
        if let Some(from) = from {
            path = format!("{path}?mount={digest}&from={}", encode(from));
            scopes.push(scope(from, "pull"));
        }
        let url = self.client.url(&path)?;
        let response = self.client.call(&Request::new(Method::POST, url, Payload::Bytes(&[])), &scopes)?;
        match response.status {
            201 => Ok(Begun::Mounted),
            _ => self.session(&response).map(Begun::At),
        }
    }

    fn session(&self, response: &Response) -> error::Result<Uri> {
        let location = response.header("location");
        let location =
            location.ok_or_else(|| Error::Wrong("the registry does not say where to send the blob".into()))?;
        self.client.follow(&response.url, location)
    }
}
