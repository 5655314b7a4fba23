//! The documents of an image, with the names of the OCI image specification.
//!
//! ```text
//! index.json ──▶ manifest ──▶ config: how to start it, and the diff ids of its layers
//!                    └──────▶ layers: compressed tar archives, bottom first
//! ```
//!
//! Each arrow is a [`Descriptor`]: media type, digest and size. Docker's own documents (version 2, schema 2) are the
//! same under other media types.
//!
//! Source: <https://github.com/opencontainers/image-spec>; for Docker's,
//! <https://distribution.github.io/distribution/spec/manifest-v2-2/>.

mod config;
mod lenient;
mod manifest;

pub use config::{Config, Healthcheck, History, ImageConfig, RootFs};
pub use manifest::{Descriptor, Index, Manifest, Platform};

/// Media types.
pub mod media {
    /// A manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// An index: one image for several platforms.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// A config.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// A layer that is not compressed.
    pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    /// A layer compressed with gzip.
    pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// A layer compressed with zstd.
    pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    /// Docker's manifest.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker's index.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker's config.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
}

/// The annotation of a descriptor in `index.json` that says what the image is called.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
