//! Images as archives: one tar file, to be carried on a stick or through a pipe.
//!
//! There are two forms, and what [`save`] writes is both at once, as Docker does since version 25:
//!
//! ```text
//! oci-layout            an OCI image layout …
//! index.json            … and its names: each leads to a manifest, to a config, to layers
//! manifest.json         Docker's form: for each image its config, its tags and its layers, by their paths here
//! blobs/sha256/<hex>    what both lead to
//! ```
//!
//! [`load`] reads both forms, from any program that writes one of them. Nothing that an archive says is believed: not
//! its paths, which are looked up and never opened; not its digests, which are computed again; not its sizes.
//!
//! Source: <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>; for Docker's,
//! <https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format>.

mod contents;
mod load;
mod output;
mod save;
mod section;
mod spool;

pub use load::load;
pub use output::Output;
pub use save::save;
pub use section::Section;
pub use spool::Spool;

use serde::{Deserialize, Serialize};

/// Where Docker's form begins.
const DOCKER_INDEX: &str = "manifest.json";
/// Where OCI's form begins.
const OCI_INDEX: &str = "index.json";
/// The annotation of a name in full, which containerd and Docker read. `ref.name` may be a tag alone.
const FULL_NAME: &str = "io.containerd.image.name";

/// An image in `manifest.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    /// The path of its config.
    config: String,
    /// Its names with tags.
    repo_tags: Option<Vec<String>>,
    /// The paths of its layers, bottom first.
    layers: Option<Vec<String>>,
}
