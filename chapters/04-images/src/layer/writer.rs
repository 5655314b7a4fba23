//! Writing a layer: a tar archive of changes.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use crate::changes::{Entry, Upper};

/// A layer that is being written.
pub struct LayerWriter<'a> {
    _out: &'a mut dyn Write,
}

impl<'a> LayerWriter<'a> {
    /// To `out`.
    pub fn new(out: &'a mut dyn Write) -> LayerWriter<'a> {
        LayerWriter { _out: out }
    }

    /// Writes an entry of `upper`, with its content.
    pub fn put(&mut self, _entry: &Entry, _upper: &Upper) -> Result<()> {
        todo!()
    }

    /// Writes an empty file of this name: a marker.
    pub fn marker(&mut self, _path: &Path) -> Result<()> {
        todo!()
    }

    /// Writes the end mark.
    pub fn finish(self) -> Result<()> {
        todo!()
    }
}
