//! The embedded image, `tinbox/base`: made on first use from what the machine has, with no network and no root.
//!
//! Nothing of it is carried in the program. Every Linux machine has a shell and the core tools; this finds them
//! and lays them out as a root of their own:
//!
//! - If there is a *static* busybox, the image is that one file and a symlink to it for each command it knows
//!   (`busybox.rs`). A static program needs nothing but itself, so this always fits together.
//! - Otherwise it is the machine's own tools (`host.rs`) and, for each, the dynamic loader and the libraries that
//!   it asks for. Which ones, its ELF header says (`elf.rs`), and where the loader looks for them is documented in
//!   ld.so(8) (`libraries.rs`). ldd(1) would tell too, but it does so by *running* the program.
//!
//! Around that come the directories and the few files in `/etc` that programs expect (`skeleton.rs`).
//!
//! The same closure serves [`add_program`]: put one program of the machine into a root.

mod busybox;
mod elf;
mod host;
mod layer;
mod laying;
mod libraries;
mod skeleton;
#[cfg(test)]
mod test_elf;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use images::oci::Config;
use images::{ApplyLayer, Image, Name, Store};
use laying::Laying;

/// What the embedded image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A static busybox that has every command of [`REQUIRED`], else the machine's own tools.
    Detect,
    /// The machine's own tools.
    Host,
    /// This static busybox.
    Busybox(PathBuf),
}

/// A tree that was built.
#[derive(Debug)]
pub struct Built {
    /// How to start it.
    pub config: Config,
    /// What is missing, a sentence each.
    pub warnings: Vec<String>,
}

/// What the image holds at the least, where the machine has it. `ip` and `ifconfig` are alternatives, and extra.
pub const REQUIRED: [&str; 16] = [
    "sh", "ls", "cat", "ps", "mount", "hostname", "id", "sleep", "env", "ln", "rm", "mkdir", "touch", "head", "wc",
    "grep",
];

/// The embedded image; made now if it is not there. The sentences say what the machine did not have for it.
pub fn find_or_make(store: &Store, apply: ApplyLayer) -> Result<(Image, Vec<String>)> {
    let name = Name::base();
    if let Some(image) = store.find(&name)? {
        return Ok((image, Vec::new()));
    }
    // Of many that come at once, one makes it, and the others find it made.
    let writer = store.write()?;
    let _making = store.lock("base.lock")?;
    if let Some(image) = store.find(&name)? {
        return Ok((image, Vec::new()));
    }
    let scratch = writer.scratch()?;
    let built = build(&scratch.path(), &Source::Detect).context("make the embedded image tinbox/base")?;
    let image = layer::commit(&writer, &scratch.path(), &built.config, apply)?;
    Ok((image, built.warnings))
}

/// Fills the empty directory `into` with the embedded image.
pub fn build(into: &Path, source: &Source) -> Result<Built> {
    let mut tree = Laying::new(into)?;
    skeleton::lay(&mut tree)?;
    let warnings = match source {
        Source::Host => host::lay(&mut tree)?,
        Source::Busybox(program) => busybox::lay(&mut tree, &busybox::Busybox::at(program)?)?,
        Source::Detect => match busybox::find() {
            Some(busybox) => busybox::lay(&mut tree, &busybox)?,
            None => host::lay(&mut tree)?,
        },
    };
    let config = Config {
        cmd: vec!["/bin/sh".into()],
        env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()],
        ..Config::default()
    };
    Ok(Built { config, warnings })
}

/// Copies the machine's program `program` to `at` in the root file system `rootfs`, with the loader and the
/// libraries it asks for. A program that is there is replaced; libraries that are there stay.
///
/// The program must be an ELF program of this machine, not a script.
pub fn add_program(rootfs: &Path, program: &Path, at: &str) -> Result<()> {
    let host = program.canonicalize().with_context(|| format!("find {}", program.display()))?;
    let mut tree = Laying::new(rootfs)?;
    let needs = tree.needs(&host, Path::new(at)).with_context(|| format!("copy {} into a root", host.display()))?;
    tree.program(&host, Path::new(at), &needs)
}

/// A warning for each of the [`REQUIRED`] commands that `has` does not know.
fn missing(has: impl Fn(&str) -> bool, who: &str) -> Vec<String> {
    let missing = REQUIRED.iter().filter(|command| !has(command));
    missing.map(|command| format!("{who} has no `{command}`: tinbox/base is made without it")).collect()
}
