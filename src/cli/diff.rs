//! `tinbox diff`: what a container changed in its root.

use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{ArgMatches, Command};
use images::{Change, ChangeKind, Lower, Store, differences};

use crate::Stages;
use crate::cli::containers;
use crate::container;
use crate::image::changes::changes;
use crate::lent_ids::as_a_containers_root;
use crate::state::State;
use crate::text::escaped;

/// Arguments, as `docker diff` has them.
pub fn command() -> Command {
    Command::new("diff").arg(containers::one()).after_help(
        "A is what was added, C what was changed, D what was deleted, against the image. A directory counts as \
             changed if what is in it was.\n\nExamples:\n  \
             tinbox diff web\n  \
             tinbox diff web | grep ^D             what is gone",
    )
}

/// Does it.
pub fn run(matches: &ArgMatches, _stages: &Stages) -> Result<ExitCode> {
    let state = State::open()?;
    let wanted = matches.get_one::<String>("container").context("CONTAINER is missing")?;
    let (record, _) = container::find(&state, wanted)?;
    let store = Store::open(&state.images());
    let layers = store.trees(&store.look_up(&record.image_id.to_string()).context("the image of the container")?);
    as_a_containers_root(&mut || {
        let mut upper = changes(&record, &state.containers().join(&record.id), &layers)?;
        print(&differences(&mut upper, &mut Lower::open(&layers)?)?)?;
        Ok(ExitCode::SUCCESS)
    })
}

fn print(differences: &[Change]) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout());
    let mut lines = differences.iter().map(|difference| {
        let kind = match difference.kind {
            ChangeKind::Added => 'A',
            ChangeKind::Changed => 'C',
            ChangeKind::Deleted => 'D',
        };
        writeln!(out, "{kind} /{}", shown(&difference.path))
    });
    match lines.try_for_each(|line| line).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("write to standard output"),
    }
}

/// A path as one line: what would move a terminal's cursor, or make two lines of one, is escaped.
fn shown(path: &Path) -> String {
    let text = String::from_utf8_lossy(path.as_os_str().as_bytes());
    escaped(&text).replace('\n', "\\n").replace('\t', "\\t")
}
