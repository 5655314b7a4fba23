//! Puts the learner's functions that passed into the runtime's table of stages.

use std::path::{Path, PathBuf};

use catalog::module::{self, SEAMS};

fn main() -> Result<(), String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run me from cargo")?);
    println!("cargo::rerun-if-changed=build.rs");
    let entries = module::learners(&repository, SEAMS, false);
    let file = out.join("stages.rs");
    std::fs::write(&file, module::stages(&entries)).map_err(|e| format!("write {}: {e}", file.display()))
}
