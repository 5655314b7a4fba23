//! What is made before the library is compiled.

use std::path::Path;

#[path = "build/seccomp.rs"]
mod seccomp;
#[path = "build/shim.rs"]
mod shim;

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let out = std::env::var("OUT_DIR").map_err(|error| format!("OUT_DIR: {error}"))?;
    seccomp::generate(Path::new(&out))?;
    shim::compile(Path::new(&out))
}
