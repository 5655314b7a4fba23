//! `tinbox images`: lists images.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgMatches, Command};
use images::{Digest, Image, Name, Store};

use crate::Stages;
use crate::cli::format::{self, Listing};
use crate::cli::image::filter::{self, Filter};
use crate::cli::image::tree;
use crate::cli::options::flag;
use crate::cli::units;
use crate::say::{print, say};
use crate::state::State;

/// What a column says where there is nothing to say.
const NONE: &str = "<none>";

/// Arguments, as `docker images` has them.
pub fn command() -> Command {
    Command::new("images")
        .args([
            flag("all", "Taken for docker's sake: nothing is hidden here").short('a'),
            flag("digests", "Show the digests by which registries know them"),
            filter::argument("Only those: dangling=BOOL, label=KEY[=VALUE], before=IMAGE, since=IMAGE, until=TIME, reference=PATTERN")
                .short('f'),
            format::argument(),
            flag("no-trunc", "Do not shorten ids"),
            flag("quiet", "Only print ids").short('q'),
            flag("tree", "Draw which images stand on which layers").conflicts_with_all(["format", "quiet", "digests"]),
            Arg::new("name").value_name("NAME[:TAG]").help("Only those of this name; `*`, `?` and `[a-z]` stand for others"),
        ])
        .after_help(HELP)
}

const HELP: &str = "\
SIZE is what the layers of an image take unpacked. Images share the layers that they have in common, so together they \
take less: --tree draws it. An image without a name is called dangling: its name was given to another.

For --format there are .ID, .Repository, .Tag, .Digest, .CreatedSince, .CreatedAt and .Size.

Examples:
  tinbox images                                       all, newest first
  tinbox images 'me/*'                                those of a name
  tinbox images --filter dangling=true -q             the ids of those without a name
  tinbox images --format '{{.Repository}}:{{.Tag}}'   one line each, in your words
  tinbox images --format json                         for a program
  tinbox images --tree                                what is shared";

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    const KEYS: [&str; 6] = ["dangling", "label", "before", "since", "until", "reference"];
    let store = Store::open(&State::open()?.images());
    let pattern = matches.get_one::<String>("name").map(String::as_str);
    let filter = Filter::read(matches, &store, &KEYS)?.named(pattern)?;
    let listing = store.listing()?;
    listing.damaged.iter().for_each(|damaged| say!("tinbox: warning: {damaged}"));
    let images: Vec<Image> = listing.images.into_iter().filter_map(|image| filter.apply(image)).collect();
    if matches.get_flag("tree") {
        return tree::print_tree(&store, &images).map(|()| ExitCode::SUCCESS);
    }
    let format = format::given(matches);
    // Who asks for digests in a template wants them.
    let digests = matches.get_flag("digests") || format.is_some_and(|format| format.contains(".Digest"));
    let shown = Shown { digests, whole_ids: matches.get_flag("no-trunc") };
    let rows = images.iter().map(|image| shown.rows(image, &size(&store, image))).collect::<Vec<_>>().concat();
    if matches.get_flag("quiet") && format.is_none_or(|format| format == "table") {
        rows.iter().try_for_each(|row| print(&row[0]))?;
        return Ok(ExitCode::SUCCESS);
    }
    let table = match shown.digests {
        true => "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
        false => "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
    };
    Listing { fields: FIELDS, table, rows }.print(format)?;
    Ok(ExitCode::SUCCESS)
}

const FIELDS: [(&str, &str); 11] = [
    ("ID", "IMAGE ID"),
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("VirtualSize", "SIZE"),
    // Docker knows these for `system df -v` alone.
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
    ("Containers", "CONTAINERS"),
];

/// What its layers take unpacked, in Docker's words.
pub fn size(store: &Store, image: &Image) -> String {
    store.sizes(image).map_or_else(|_| "N/A".to_owned(), |sizes| units::size(sizes.iter().sum()))
}

/// How images are shown.
struct Shown {
    digests: bool,
    whole_ids: bool,
}

impl Shown {
    fn id(&self, image: &Image) -> String {
        if self.whole_ids { image.id.to_string() } else { image.id.short() }
    }

    /// A line for each name. One by which only a registry knows it has a line of its own where it has no tag there.
    fn rows(&self, image: &Image, size: &str) -> Vec<[String; FIELDS.len()]> {
        let digests_in = |repository: &str| -> Vec<Digest> {
            let there = image.digests.iter().filter(|name| self.digests && name.repository() == repository);
            there.filter_map(Name::digest).collect()
        };
        let mut names: Vec<(String, String, Option<Digest>)> = Vec::new();
        for name in &image.names {
            let (repository, tag) = (name.repository(), name.tag().unwrap_or(NONE).to_owned());
            let digests = digests_in(&repository);
            names.extend(digests.iter().map(|digest| (repository.clone(), tag.clone(), Some(*digest))));
            if digests.is_empty() {
                names.push((repository, tag, None));
            }
        }
        let untagged = |name: &&Name| image.names.iter().all(|tagged| tagged.repository() != name.repository());
        let only_digests = image.digests.iter().filter(untagged);
        names.extend(only_digests.map(|name| (name.repository(), NONE.into(), name.digest())));
        if names.is_empty() {
            names.push((NONE.into(), NONE.into(), None));
        }
        let created = units::read_time(image.config.created.as_deref());
        let unknown = || "N/A".to_owned();
        let row = |(repository, tag, digest): (String, String, Option<Digest>)| {
            let digest = digest.map_or_else(|| NONE.to_owned(), |digest| digest.to_string());
            let (since, at) = (units::age(created), created.map_or_else(unknown, units::local));
            let size = size.to_owned();
            [self.id(image), repository, tag, digest, since, at, size.clone(), size, unknown(), unknown(), unknown()]
        };
        names.into_iter().map(row).collect()
    }
}
