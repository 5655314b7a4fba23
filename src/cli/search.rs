//! `tinbox search`: looks for images in a registry.

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::Stages;
use crate::cli::format::{self, Listing};
use crate::cli::options::{flag, tls_argument, tls_verify};
use crate::cli::registry::{self, is_registry_alone, refuse_url};
use crate::registry::Access;
use crate::registry::search::{FoundImage, search};
use crate::say::say;
use crate::text::one_line;

/// As long as a description is shown.
const DESCRIPTION: usize = 45;

/// Arguments, as `docker search` has them.
pub fn command() -> Command {
    Command::new("search")
        .args([
            Arg::new("filter")
                .long("filter")
                .short('f')
                .value_name("KEY=VALUE")
                .help("Only images with is-official=BOOL, is-automated=BOOL, stars=NUMBER or more")
                .action(ArgAction::Append),
            format::argument(),
            Arg::new("limit")
                .long("limit")
                .value_name("NUMBER")
                .help("How many images to show at most [default: 25]")
                .value_parser(clap::value_parser!(u64)),
            flag("no-trunc", "Show descriptions whole"),
            tls_argument(),
            Arg::new("term").value_name("TERM").help("What to look for: a word, or REGISTRY/WORD").required(true),
        ])
        .after_help(
            "Docker Hub is searched, or another registry if the term begins with one that has a dot or a port.\n\n\
             Examples:\n  \
             tinbox search --limit 5 alpine\n  \
             tinbox search --filter is-official=true --format '{{.Name}}' postgres\n  \
             tinbox search localhost:5000/app",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(25);
    ensure!((1..=100).contains(&limit), "Limit {limit} is outside the range of [1, 100]");
    let filters: Vec<Filter> = matches
        .get_many::<String>("filter")
        .into_iter()
        .flatten()
        .map(|text| Filter::read(text))
        .collect::<Result<_>>()?;
    let typed = matches.get_one::<String>("term").context("TERM is missing")?;
    refuse_url(typed)?;
    if is_registry_alone(typed) {
        bail!("{typed} is a registry: which images? ({typed}/WORD, or {typed}/ for all)");
    }
    let (server, term) = match typed.split_once('/') {
        Some((server, term)) if server.contains(['.', ':']) || server == "localhost" => (server, term),
        _ => (registry::DEFAULT, typed.as_str()),
    };
    let access = Access::from_environment(tls_verify(matches))?;
    let found = search(server, term, limit as usize, &access)?;
    let whole = matches.get_flag("no-trunc");
    let prefix = if server == registry::DEFAULT { String::new() } else { format!("{server}/") };
    let fitting = found.images.iter().filter(|found| filters.iter().all(|filter| filter.fits(found)));
    let rows = fitting.map(|found| row(found, &prefix, whole)).collect();
    let fields = [
        ("Name", "NAME"),
        ("Description", "DESCRIPTION"),
        ("StarCount", "STARS"),
        ("IsOfficial", "OFFICIAL"),
        ("IsAutomated", "AUTOMATED"),
    ];
    let table = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}\t{{.IsAutomated}}";
    let listing = Listing { fields, table, rows };
    listing.print(format::given(matches))?;
    if found.more > 0 {
        say!("… and {} more (--limit)", found.more);
    }
    Ok(ExitCode::SUCCESS)
}

fn row(found: &FoundImage, prefix: &str, whole: bool) -> [String; 5] {
    let yes = |is: bool| if is { "[OK]".to_owned() } else { String::new() };
    let description = one_line(&found.description, if whole { usize::MAX } else { DESCRIPTION });
    [
        format!("{prefix}{}", found.name),
        description,
        found.star_count.to_string(),
        yes(found.is_official),
        yes(found.is_automated),
    ]
}

/// What an image must be to be shown.
enum Filter {
    Official(bool),
    Automated(bool),
    Stars(u64),
}

impl Filter {
    fn read(text: &str) -> Result<Filter> {
        let (key, value) = text.split_once('=').with_context(|| {
            format!("invalid argument \"{text}\" for \"--filter\": bad format of filter (expected name=value)")
        })?;
        let truth = || match value {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => bail!("invalid filter '{text}': {value} is neither true nor false"),
        };
        match key {
            "is-official" => truth().map(Filter::Official),
            "is-automated" => truth().map(Filter::Automated),
            "stars" => Ok(Filter::Stars(value.parse().with_context(|| format!("invalid filter '{text}'"))?)),
            _ => bail!("invalid filter '{key}'\n  help: there are is-official, is-automated, stars"),
        }
    }

    fn fits(&self, found: &FoundImage) -> bool {
        match self {
            Filter::Official(is) => found.is_official == *is,
            Filter::Automated(is) => found.is_automated == *is,
            Filter::Stars(least) => found.star_count >= *least,
        }
    }
}
