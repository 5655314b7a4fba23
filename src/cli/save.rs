//! `tinbox save`: writes images to an archive.

use std::io::{BufWriter, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Arg, ArgMatches, Command};
use images::{Image, Name, Store};

use crate::Stages;
use crate::cli::options::has_version;
use crate::image::archive::{Output, save};
use crate::say::end_if_nobody_reads;
use crate::state::State;

/// Arguments, as `docker save` has them.
pub fn command() -> Command {
    Command::new("save")
        .args([
            Arg::new("output").long("output").short('o').value_name("FILE").help("Write to a file, not to standard output"),
            Arg::new("image").value_name("IMAGE").help("Names, or ids").num_args(1..).required(true),
        ])
        .after_help(
            "The archive is an OCI image layout and a docker archive at once, so tinbox, docker, podman and skopeo read \
             it. A name without a tag stands for all tags of that name; an image that is asked for by its id has no name \
             in it.\n\nExamples:\n  \
             tinbox save -o images.tar base alpine:3\n  \
             tinbox save base | gzip > base.tar.gz\n  \
             tinbox save base | ssh other tinbox load",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let output = matches.get_one::<String>("output");
    let stdout = std::io::stdout();
    ensure!(
        output.is_some() || !stdout.is_terminal(),
        "cowardly refusing to save to a terminal. Use the -o flag or redirect"
    );
    let store = Store::open(&State::open()?.images());
    let images = chosen(&store, matches.get_many::<String>("image").into_iter().flatten())?;
    match output {
        None => save(&store, &images, BufWriter::with_capacity(1 << 18, stdout.lock())).or_else(end_if_nobody_reads)?,
        Some(path) => {
            let mut file = Output::begin(Path::new(path))?;
            save(&store, &images, BufWriter::with_capacity(1 << 18, &mut file))?;
            file.finish()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Each image once, with the names by which it was asked for: of a repository without a tag, all that it has.
fn chosen<'a>(store: &Store, wanted: impl Iterator<Item = &'a String>) -> Result<Vec<(Image, Vec<Name>)>> {
    let mut images: Vec<(Image, Vec<Name>)> = Vec::new();
    for wanted in wanted {
        for (image, found) in meant(store, wanted)? {
            match images.iter_mut().find(|(known, _)| known.manifest.digest == image.manifest.digest) {
                Some((_, names)) => {
                    let new: Vec<Name> = found.into_iter().filter(|name| !names.contains(name)).collect();
                    names.extend(new);
                }
                None => images.push((image, found)),
            }
        }
    }
    Ok(images)
}

/// The images that one word means, with the names that it means.
fn meant(store: &Store, wanted: &str) -> Result<Vec<(Image, Vec<Name>)>> {
    let name = Name::parse(wanted).ok();
    if let Some(name) = name.as_ref().filter(|_| !has_version(wanted)) {
        let tags = |image: &Image| -> Vec<Name> {
            image.names.iter().filter(|tag| tag.repository() == name.repository()).cloned().collect()
        };
        let all = store.list()?.into_iter().map(|image| (tags(&image), image));
        let found: Vec<_> = all.filter(|(tags, _)| !tags.is_empty()).map(|(tags, image)| (image, tags)).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let image = store.look_up(wanted)?;
    let name = name.filter(|name| name.tag().is_some() && image.names.contains(name));
    Ok(vec![(image, name.into_iter().collect())])
}
