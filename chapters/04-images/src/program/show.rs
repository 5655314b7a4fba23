//! `show`: what lies in the directory of a layer, and what it means.

use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{ArgMatches, Command};
use images::changes::Entry;
use images::{Kind, TreeWalk, shown};
use namespaces::identity::is_the_machines_root;

use super::files::{given, path};

/// `show` and its argument.
pub fn command() -> Command {
    Command::new("show").about("Show what lies in the directory of a layer, and what it means to overlayfs").arg(path(
        "dir",
        "DIR",
        "What `apply` made, or the upper directory of an overlay",
    ))
}

/// `show`.
pub fn show(arguments: &ArgMatches) -> Result<u8> {
    print(given(arguments, "dir")?, &mut io::stdout().lock())?;
    Ok(0)
}

/// Writes a line for each thing in `dir`.
pub fn print(dir: &Path, out: &mut dyn Write) -> Result<()> {
    let mut upper = TreeWalk::upper(dir, !is_the_machines_root())?;
    while let Some(entry) = upper.next_entry()? {
        match writeln!(out, "  {}", line(&entry)) {
            // Who reads it has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written.context("write")?,
        }
    }
    Ok(())
}

fn line(entry: &Entry) -> String {
    let (kind, more) = match &entry.kind {
        _ if entry.whiteout => ("whiteout", "what the layers below have here is gone".to_owned()),
        Kind::Directory if entry.opaque => ("opaque", "a directory that shows nothing from below".to_owned()),
        Kind::Directory => ("directory", String::new()),
        Kind::File { size, .. } => ("file", format!("{size} bytes")),
        Kind::HardLink(first) => ("hard link", format!("to {}", shown(first.as_os_str().as_bytes()))),
        Kind::Symlink(target) => ("symlink", format!("to {}", shown(target))),
        Kind::Fifo => ("fifo", String::new()),
        Kind::Device { major, minor, .. } => ("device", format!("{major}/{minor}")),
    };
    format!("{kind:<10} {:<24} {more}", shown(entry.path.as_os_str().as_bytes())).trim_end().to_owned()
}
