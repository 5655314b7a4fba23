//! Logging in and out: whether a registry takes us for who we say we are, and what is kept of it.

use anyhow::Result;

use super::access::Access;
use super::auth::{self, Credentials};
use super::client::Client;
use super::error;
use super::transport::Operation;
use crate::say::say;

/// Asks the registry whether these credentials are good.
pub fn check(registry: &str, credentials: Credentials, access: &Access) -> error::Result<()> {
    let operation = Operation::new(&|line| say!("{line}"));
    Client::connect(access, registry, Some(credentials), &operation)?.log_in()
}

/// What is kept for a registry.
pub fn known(registry: &str, access: &Access) -> Result<Option<Credentials>> {
    auth::find(&access.credentials, registry)
}

/// Keeps credentials. Returns whether they are kept as they are, in the configuration file.
pub fn keep(registry: &str, credentials: &Credentials, access: &Access) -> Result<bool> {
    auth::store(&access.credentials, registry, credentials)
}

/// Forgets what is kept for a registry. Returns whether there was anything.
pub fn forget(registry: &str, access: &Access) -> Result<bool> {
    auth::erase(&access.credentials, registry)
}
