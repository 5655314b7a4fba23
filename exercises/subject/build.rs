//! Takes the chapter's own escape out of its program, so that an answer's root can be attacked with it.

use std::path::{Path, PathBuf};

use catalog::module::{Part, write};

fn main() -> Result<(), String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run me from cargo")?);
    let escape = catalog::select("escape").into_iter().next().ok_or("there is no exercise escape")?;
    write(Part::Solution, escape, &repository, &out)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
