//! A directory on the machine's disk for layers, for kernels whose memory file system does not keep attributes.

use std::path::{Path, PathBuf};

/// It goes away with what is in it. What does not go is left for the audit to find.
#[derive(Debug)]
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Makes it, with `token` in its name.
    pub(crate) fn new(token: &str) -> std::io::Result<Disk> {
        let dir = std::env::temp_dir().join(format!("tinbox-{token}"));
        std::fs::create_dir(&dir)?;
        Ok(Disk(dir))
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.0
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
