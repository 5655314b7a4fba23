//! What to do when there is no room for an image.

use std::io::{self, ErrorKind};

use anyhow::{Error, anyhow};

const HELP: &str = "make room (`tinbox image prune` removes images that have no name), or keep images on a larger disk \
    with TINBOX_ROOT";

/// Adds what to do to an error that is for want of room on the disk. Others stay as they are.
pub fn with_help(error: Error) -> Error {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    if causes.any(|cause| cause.kind() == ErrorKind::StorageFull) {
        return anyhow!("{error:#}\n  help: {HELP}");
    }
    error
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn only_a_full_disk_gets_help() {
        let error = |kind| Err::<(), _>(io::Error::new(kind, "the cause")).context("what was done").unwrap_err();
        let full = with_help(error(ErrorKind::StorageFull));
        assert!(format!("{full:#}").starts_with("what was done: the cause\n  help: make room ("), "{full:#}");
        let other = with_help(error(ErrorKind::NotFound));
        assert_eq!(format!("{other:#}"), "what was done: the cause");
    }
}
