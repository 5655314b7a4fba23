//! `root`: a root directory to play with in chapter 1.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, Command, value_parser};
use tinbox::images::base::{self, Source};

use crate::compile;

/// `root` and its options.
pub fn command() -> Command {
    Command::new("root")
        .about("Make a small root directory, to try chroot and pivot_root on")
        .arg(
            Arg::new("dir")
                .value_name("DIR")
                .help("A directory that does not exist yet, or is empty")
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .after_help(
            "It holds a shell, the common tools, and /bin/escape, chapter 1's way out of a chroot. Remove it with rm -r.\n\n\
             Examples:\n  cargo workshop root /tmp/rootfs\n  \
             cargo run -p ch01-chroot -- --naive /tmp/rootfs /bin/escape sh",
        )
}

/// Fills the directory.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let dir = arguments.get_one::<PathBuf>("dir").context("DIR is missing")?;
    must_be_free(dir)?;
    let escape = compile::program("ch01-chroot", "escape")?;
    fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    let built = base::build(dir, &Source::Detect)?;
    base::add_program(dir, &escape, "/bin/escape")?;
    for warning in built.warnings {
        eprintln!("workshop: {warning}");
    }
    println!("{} is a root directory, with a shell, tools and /bin/escape. Try:", dir.display());
    println!("  cargo run -p ch01-chroot -- {}", dir.display());
    Ok(ExitCode::SUCCESS)
}

fn must_be_free(dir: &Path) -> Result<()> {
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => bail!("{} is not empty; name a new directory", dir.display()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("read {}", dir.display())),
    }
}
