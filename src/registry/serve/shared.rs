//! Which images of the store are shared.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use images::{Digest, Name, Store};

use super::catalog::{Catalog, paths, was_pushed};

/// The part of the store that is shared, on one port.
#[derive(Debug)]
pub struct Shared {
    store: Store,
    port: u16,
    /// `None` stands for all.
    chosen: Option<HashSet<Name>>,
    /// What has come since the start. Whoever pushes wants to see it, and so do the others.
    pushed: Mutex<HashSet<Name>>,
}

impl Shared {
    /// The images of `store` that are called what is `chosen`; or all.
    pub fn new(store: &Store, port: u16, chosen: Option<HashSet<Name>>) -> Shared {
        Shared { store: store.clone(), port, chosen, pushed: Mutex::default() }
    }

    /// What there is at this moment.
    pub fn catalog(&self) -> Result<Catalog> {
        Catalog::of(&self.store, self.port, &|name| self.has(name))
    }

    /// Shares what is pushed as `name`, too.
    pub fn pushed(&self, name: &Name) {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
    }

    /// Grows when something more is shared.
    pub fn version(&self) -> usize {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether it was pushed since the start.
    pub fn is_new(&self, name: &Name) -> bool {
        self.pushed.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// A name of the owner's, under which the image with this id would hide another one, or would be hidden, if it were
    /// pushed as `name`. What was pushed may be moved.
    pub fn hidden_by(&self, name: &Name, id: &Digest) -> Result<Option<Name>> {
        let Some(tag) = name.tag() else { return Ok(None) };
        let is_in_the_way = |known: &Name| {
            known.tag() == Some(tag)
                && paths(known).any(|path| path == name.path())
                && !(was_pushed(known, self.port) && self.has(known))
        };
        let others = self.store.list()?.into_iter().filter(|image| image.id != *id);
        Ok(others.flat_map(|image| image.names).find(is_in_the_way))
    }

    fn has(&self, name: &Name) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(name)) || self.is_new(name)
    }
}
