//! A registry of one's own: the local store, shared with a room.
//!
//! One laptop has the images, thirty want them, and there is no internet. What is served is the OCI distribution API,
//! version 1.1, over plain HTTP, so `docker pull`, `skopeo copy` and `tinbox pull` can read it; with leave to write,
//! `docker push` and its like can, too.
//!
//! Each image is in the repository of its name's path, under its tag: `localhost:5000/app:1` in `app`,
//! `docker.io/library/alpine:3` in `library/alpine`, and for short also in `alpine`. An image without a name is not
//! shared. What is pushed is called `localhost:PORT/…` here: as a pull from this very registry would call it.
//!
//! # Layout
//!
//! - `connections.rs`: who may connect, and how long they may take.
//! - `route.rs`: what a request is about; `handle.rs`: who answers it.
//! - `catalog.rs`, `shelf.rs`: what there is; `read.rs`: handing it out; `range.rs`: a part of it.
//! - `uploads.rs`, `write.rs`: taking something in.
//! - `answer.rs`: answers, errors, and bodies that are read from a file as they are sent.
//!
//! # A thousand slow clients
//!
//! One thread serves all connections; each costs a few buffers, and no thread waits for it. What takes long (looking an
//! image through, hashing, unpacking) is done by a handful of other threads. Whoever takes longer than a minute to send or
//! to take the next byte is cut off.
//!
//! # What real registries do more
//!
//! TLS and users: who can reach the port can read, and with `--writable` write. Deleting, indexes for several platforms,
//! artifacts that are no images, and storing blobs elsewhere than on one disk.
//!
//! Source: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

mod answer;
mod catalog;
mod catalog_cache;
mod connections;
mod handle;
mod range;
mod read;
mod route;
mod uploads;
mod write;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use images::{ApplyLayer, Store};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

pub use catalog::Catalog;

use catalog_cache::CatalogCache;
use connections::Listener;
use uploads::Uploads;

/// Images that are unpacked at the same time, while others who push wait.
const UNPACKED_AT_ONCE: usize = 2;
/// Manifests that are held in memory at the same time, until their image is unpacked.
const MANIFESTS_AT_ONCE: usize = 4;
/// Threads for what takes long.
const WORKERS: usize = 8;

/// What is shared, and how.
pub struct Registry {
    address: SocketAddr,
    store: Store,
    shelf: CatalogCache,
    /// Only if it may be written to.
    writing: Option<Writing>,
    /// Whether each request is told.
    log: bool,
}

/// A registry that can be reached, but does not answer yet.
pub struct Server {
    runtime: Runtime,
    door: Listener,
    registry: Arc<Registry>,
}

/// What it takes to take something in.
struct Writing {
    uploads: Uploads,
    apply: ApplyLayer,
    manifests: Semaphore,
    turns: Semaphore,
}

impl Server {
    /// Listens on `address`. The store is in `dir`. With `apply`, which unpacks layers, it may be written to. From now on
    /// SIGINT and SIGTERM do not end this process, but [`Server::run`].
    pub fn open(address: SocketAddr, dir: &Path, apply: Option<ApplyLayer>) -> Result<Server> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(WORKERS).build();
        let runtime = runtime.context("start what serves the connections")?;
        let door = runtime.block_on(Listener::open(address)).with_context(|| format!("listen on {address}"))?;
        let address = door.address().context("look up the address")?;
        let store = Store::open(dir);
        let writing = match apply {
            None => None,
            Some(apply) => {
                let uploads = Uploads::in_dir(store.write()?.scratch()?);
                let [manifests, turns] = [MANIFESTS_AT_ONCE, UNPACKED_AT_ONCE].map(Semaphore::new);
                Some(Writing { uploads, apply, manifests, turns })
            }
        };
        let log = std::io::stderr().is_terminal();
        let registry = Registry { address, shelf: CatalogCache::new(&store, dir), store, writing, log };
        Ok(Server { runtime, door, registry: Arc::new(registry) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.registry.address
    }

    /// What there is at this moment.
    pub fn catalog(&self) -> Result<Catalog> {
        Catalog::of(&self.registry.store, self.registry.address.port())
    }

    /// Serves until this process is told to end, by SIGINT or SIGTERM.
    pub fn run(self) {
        self.runtime.block_on(self.door.serve(self.registry));
        // What is being unpacked just now need not be waited for: nothing of it is visible, and it is swept up.
        self.runtime.shutdown_background();
    }
}
