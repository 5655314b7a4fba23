//! What a layer leaves open until the layers below it are there.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// What is still to be taken from the layers below.
#[derive(Debug)]
pub struct Unsettled;

impl Unsettled {
    /// Takes it from the trees `below`, the bottom one first, into `tree`.
    pub fn settle(self, _tree: &Path, _below: &[PathBuf]) -> Result<()> {
        Ok(())
    }
}
