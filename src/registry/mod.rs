//! Registries: where images come from and go to.
//!
//! A registry is a web server with blobs, called by their digest, and manifests, called by their digest or by a tag.
//! Nothing that it says is believed: whatever comes is compared with the digest that it was asked for by, and a tag's
//! manifest is at least the same bytes for all who ask for its digest later. TLS keeps names and passwords secret;
//! that the image is the right one is shown by digests alone.
//!
//! # Layout
//!
//! - [`pull()`] and [`push()`] are the two things that people do with registries; `search` is the third.
//! - `client.rs`: one registry: who we are, where it sends us on to, what its errors mean.
//! - `transport/`: one request and its response; when to try again.
//! - `auth/`: challenges, tokens, and where credentials are kept.
//! - `access.rs`: what the settings of this user and machine say.
//! - `download.rs`: a file from the web, for `import`.
//!
//! # What real runtimes do more
//!
//! Mirrors (`registry-mirrors`, containerd's `hosts.toml`), signatures (notation, cosign), layers that are fetched
//! when they are first looked at (stargz, nydus), and digests other than SHA-256.

mod access;
mod auth;
mod client;
mod download;
mod error;
pub mod login;
mod pull;
mod push;
mod refusal;
pub mod search;
pub mod serve;
mod transport;

pub use access::Access;
pub use auth::{ConfigFile, Credentials};
pub use download::download;
pub use error::{Error, could_not_be_reached};
pub use pull::{PullOptions, Pulled, pull, tags};
pub use push::{Pushed, push};
