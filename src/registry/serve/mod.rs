//! A registry of one's own: the local store, shared with a room.
//!
//! One laptop has the images, thirty want them, and there is no internet. What is served is the OCI distribution API,
//! version 1.1, over plain HTTP, so `docker pull`, `skopeo copy` and `tinbox pull` can read it; with leave to write,
//! `docker push` and its like can, too.
//!
//! Each image is in the repository of its name's path, under its tag: `localhost:5000/app:1` in `app`,
//! `docker.io/library/alpine:3` in `library/alpine`, and for short also in `alpine`. An image without a name is not
//! shared. What is pushed is called `localhost:PORT/…` here: as a pull from this very registry would call it. It never
//! takes the place of an image that the owner has by another name.
//!
//! # Layout
//!
//! - `connections.rs`: who may connect, and how long they may take; `peers.rs`: how many from each address.
//! - `route.rs`: what a request is about; `handle.rs`: who answers it; `pulls.rs`: who took which image.
//! - `shared.rs`, `catalog.rs`, `catalog_cache.rs`: what there is; `read.rs`: handing it out; `range.rs`: a part of it.
//! - `blob_uploads.rs`, `push_image.rs`: taking something in; `body.rs`: reading what comes; `uploads.rs`: where it waits;
//!   `quota.rs`: how much of it; `turn.rs`: how many are unpacked at once.
//! - `answer.rs`: answers, errors, and bodies that are read from a file as they are sent.
//!
//! # A thousand slow clients
//!
//! One thread serves all connections; each costs a few buffers, and no thread waits for it. What takes long (looking an
//! image through, hashing, unpacking) is done by a handful of other threads. Whoever takes longer than ten seconds for the
//! head of a request, or than a minute to send or to take the next bytes, is cut off. Of connections and uploads one address
//! gets a quarter, and of the disk that these take it leaves a quarter to others: one client alone cannot keep the registry
//! from them. What broken pushes left behind goes when room is needed.
//!
//! # What real registries do more
//!
//! TLS and users: who can reach the port can read, and with `--writable` write. Deleting, indexes for several platforms,
//! artifacts that are no images, and storing blobs elsewhere than on one disk.
//!
//! Source: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

mod answer;
mod blob_uploads;
mod body;
mod catalog;
mod catalog_cache;
mod connections;
mod handle;
mod peers;
mod pulls;
mod push_image;
mod quota;
mod range;
mod read;
mod route;
mod shared;
mod turn;
mod uploads;

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use images::{ApplyLayer, Name, Store};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

pub use catalog::Catalog;
pub use pulls::PullDone;

use crate::state::State;
use answer::Refusal;
use catalog_cache::CatalogCache;
use connections::Listener;
use pulls::Pulls;
use shared::Shared;
use uploads::Uploads;

/// Images that are unpacked at the same time, while others who push wait.
const UNPACKED_AT_ONCE: usize = 2;
/// Large manifests that are held in memory at the same time, until their image is unpacked.
const LARGE_MANIFESTS: usize = 4;
/// Threads for what takes long.
const WORKERS: usize = 8;

/// What is shared, and how.
pub struct Options {
    /// What unpacks layers, if the registry may be written to.
    pub apply: Option<ApplyLayer>,
    /// The names of the images that are shared; `None` stands for all.
    pub chosen: Option<HashSet<Name>>,
    /// Who is told what happens.
    pub tell: Box<dyn Fn(Event) + Send + Sync>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A request was answered.
    Request {
        /// Who asked.
        client: IpAddr,
        /// The method and the path, as they came.
        asked: String,
        /// The status of the answer.
        status: u16,
        /// The length of its body in bytes.
        length: u64,
    },
    /// Somebody has an image now.
    Pulled(PullDone),
    /// Somebody pushed an image.
    Pushed {
        /// Who.
        client: IpAddr,
        /// `REPOSITORY:TAG`.
        image: String,
    },
}

/// A registry.
struct Registry {
    address: SocketAddr,
    state: State,
    store: Store,
    shared: Arc<Shared>,
    cache: CatalogCache,
    pulls: Arc<Pulls>,
    /// Only if it may be written to.
    writing: Option<Writing>,
    tell: Box<dyn Fn(Event) + Send + Sync>,
}

/// A registry that can be reached, but does not answer yet.
pub struct Server {
    runtime: Runtime,
    listener: Listener,
    registry: Arc<Registry>,
}

/// What it takes to take something in.
struct Writing {
    uploads: Uploads,
    apply: ApplyLayer,
    large_manifests: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Server {
    /// Listens on `address`, for the images of `state`. From now on SIGINT and SIGTERM do not end this process, but
    /// [`Server::run`].
    ///
    /// Errors: the address cannot be listened on, which is an [`std::io::Error`]; the store cannot be written to.
    pub fn open(address: SocketAddr, state: &State, options: Options) -> Result<Server> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(WORKERS).build();
        let runtime = runtime.context("start what serves the connections")?;
        let listener = runtime.block_on(Listener::open(address)).with_context(|| format!("listen on {address}"))?;
        let address = listener.address().context("look up the address")?;
        let dir = state.images();
        let store = Store::open(&dir);
        let writing = match options.apply {
            None => None,
            Some(apply) => {
                let uploads = Uploads::in_dir(store.write()?.scratch()?)?;
                let [large_manifests, turns] =
                    [LARGE_MANIFESTS, UNPACKED_AT_ONCE].map(|most| Arc::new(Semaphore::new(most)));
                Some(Writing { uploads, apply, large_manifests, turns })
            }
        };
        let shared = Arc::new(Shared::new(&store, address.port(), options.chosen));
        let cache = CatalogCache::new(&store, &dir, &shared);
        let (state, pulls, tell) = (state.clone(), Arc::default(), options.tell);
        let registry = Arc::new(Registry { address, state, store, shared, cache, pulls, writing, tell });
        Ok(Server { runtime, listener, registry })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.registry.address
    }

    /// What there is at this moment.
    pub fn catalog(&self) -> Result<Catalog> {
        self.registry.shared.catalog()
    }

    /// Serves until this process is told to end, by SIGINT or SIGTERM.
    pub fn run(self) {
        self.runtime.block_on(self.listener.serve(self.registry));
        // What is being unpacked just now need not be waited for: nothing of it is visible, and it is swept up.
        self.runtime.shutdown_background();
    }
}

impl Registry {
    fn writing(&self) -> answer::Result<&Writing> {
        let refusal = || Refusal::unsupported("this registry is read-only: it was not started with --writable");
        self.writing.as_ref().ok_or_else(refusal)
    }

    /// What is done every now and then.
    fn tick(&self) {
        self.pulls.done().into_iter().for_each(|pull| (self.tell)(Event::Pulled(pull)));
        if let Some(writing) = &self.writing {
            writing.uploads.forget();
        }
    }
}
