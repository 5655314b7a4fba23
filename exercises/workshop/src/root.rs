//! `root`: a root directory to play with in the early chapters.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, Command, value_parser};
use tinbox::image::base::{self, Source};

use crate::compile;

/// The attacks of the chapters: package and program.
const ATTACKS: [(&str, &str); 6] = [
    ("ch01-chroot", "escape"),
    ("ch02-namespaces", "hunter"),
    ("ch03-cgroups", "fork-bomb"),
    ("ch03-cgroups", "memory-hog"),
    ("ch04-images", "evil-layer"),
    ("ch04-images", "naive-unpack"),
];

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
            "It holds a shell, the common tools, and the attacks of the chapters: /bin/escape walks out of a chroot, \
             /bin/hunter finds the machine's processes, /bin/fork-bomb and /bin/memory-hog take what they can get, \
             /bin/evil-layer writes a layer that reaches out of where /bin/naive-unpack lays it. Remove it with rm -r.\n\n\
             Examples:\n  cargo workshop root /tmp/rootfs\n  \
             cargo run -p ch01-chroot -- --naive /tmp/rootfs /bin/escape sh\n  \
             cargo run -p ch02-namespaces -- run /tmp/rootfs /bin/hunter",
        )
}

/// Fills the directory.
pub fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let dir = arguments.get_one::<PathBuf>("dir").context("DIR is missing")?;
    must_be_free(dir)?;
    let programs = ATTACKS.iter().map(|(package, name)| compile::program(package, name)).collect::<Result<Vec<_>>>()?;
    fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    let built = base::build(dir, &Source::Detect)?;
    for ((_, name), program) in ATTACKS.iter().zip(&programs) {
        base::add_program(dir, program, &format!("/bin/{name}"))?;
    }
    for warning in built.warnings {
        eprintln!("workshop: {warning}");
    }
    println!("{} is a root directory, with a shell, tools and the attacks of the chapters. Try:", dir.display());
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
