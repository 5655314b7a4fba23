//! `tinbox commit`: makes an image of what a container changed.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use cgroups::Group;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use images::{Name, Store};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::unistd::getppid;

use crate::Stages;
use crate::cli::containers;
use crate::cli::options::on;
use crate::container::{self, Life, Record};
use crate::image::commit::{CommitOptions, commit};
use crate::image::instructions;
use crate::lent_ids::as_a_containers_root;
use crate::say::{print, say};
use crate::state::State;

/// Arguments, as `docker commit` has them.
pub fn command() -> Command {
    let text =
        |long: &'static str, short, value, help| Arg::new(long).long(long).short(short).value_name(value).help(help);
    Command::new("commit")
        .args([
            text("author", 'a', "AUTHOR", "Who made it, such as \"Ada <ada@example.org>\""),
            text("message", 'm', "MESSAGE", "What to say about it in its history"),
            text("change", 'c', "INSTRUCTION", "How it is to be started: CMD, ENV … as in a Dockerfile")
                .action(ArgAction::Append),
            on("pause", "Hold the container still meanwhile").short('p'),
            containers::one(),
            Arg::new("name").value_name("REPOSITORY[:TAG]").help("What to call the image"),
        ])
        .after_help(
            "Prints the id of the image: that of the container with one more layer. Volumes are not in it. A container \
             that runs is held still while it is read, unless --pause=false says otherwise.\n\nExamples:\n  \
             tinbox commit web me/web:2\n  \
             tinbox commit -m 'with vim' -c 'CMD [\"vim\"]' -c 'ENV EDITOR=vim' 3f2a editor\n  \
             tinbox diff web                        what would be in the layer",
        )
}

/// Does it.
pub fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let wish = CommitOptions {
        name: text("name").map(|name| Name::parse(&name)).transpose()?,
        author: text("author"),
        comment: text("message"),
        instructions: matches.get_many("change").into_iter().flatten().cloned().collect(),
    };
    ensure!(
        wish.name.as_ref().is_none_or(|name| name.digest().is_none()),
        "refusing to create a tag with a digest reference"
    );
    let state = State::open()?;
    let (record, life) = container::find(&state, &text("container").context("CONTAINER is missing")?)?;
    // What is wrong with an instruction is said before anything is done.
    instructions::apply_all(&mut record.config.clone(), &wish.instructions)?;
    let insists = matches.value_source("pause") == Some(ValueSource::CommandLine);
    let pause = Some(matches.get_flag("pause")).filter(|_| insists);
    let paused = if life == Life::Running && pause != Some(false) { Paused::begin(&record, pause)? } else { None };
    let (store, directory) = (Store::open(&state.images()), state.containers().join(&record.id));
    let committed = as_a_containers_root(&mut || {
        if let Some(paused) = &paused {
            paused.hear_signals()?;
            if paused.parent_is_interrupted() {
                return Ok(ExitCode::FAILURE);
            }
        }
        let (image, skipped) = commit(&store, &record, &directory, &wish, stages)?;
        skipped.warnings().iter().for_each(|warning| say!("tinbox: warning: {warning}"));
        print(&image.id.to_string())?;
        Ok(ExitCode::SUCCESS)
    });
    match paused {
        Some(paused) => paused.end().and(committed),
        None => committed,
    }
}

/// What ends a process that people have enough of.
const ENDS: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// A container that is held still. Until it is let go, this process ends by no signal but SIGKILL: the one that does the
/// work ends by them instead.
struct Paused {
    group: Group,
    before: SigSet,
}

impl Paused {
    /// Holds it still, unless somebody else does. One that cannot be is read as it runs, if nobody insists.
    fn begin(record: &Record, wanted: Option<bool>) -> Result<Option<Paused>> {
        let Some(group) = Group::open(&record.id) else {
            ensure!(
                wanted.is_none(),
                "container {} has no cgroup, and so cannot be paused: use --pause=false",
                record.name
            );
            say!(
                "tinbox: warning: {} has no cgroup, so it is not paused: files may change while they are read",
                record.name
            );
            return Ok(None);
        };
        if group.is_frozen() {
            return Ok(None);
        }
        let ends = SigSet::from_iter(ENDS);
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&ends), Some(&mut before)).context("block signals")?;
        let paused = Paused { group, before };
        match paused.group.freeze() {
            Ok(()) => Ok(Some(paused)),
            Err(error) => paused.end().and(Err(error)),
        }
    }

    fn hear_signals(&self) -> Result<()> {
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None).context("unblock signals")
    }

    /// In the process that does the work: whether a signal that is to end it came before it was there, and so reached its
    /// parent alone, where it waits. Source: proc_pid_status(5), `ShdPnd`.
    fn parent_is_interrupted(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", getppid())).unwrap_or_default();
        let waiting = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
        let waiting = waiting.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        ENDS.iter().any(|signal| waiting & 1 << (*signal as u32 - 1) != 0 && !self.before.contains(*signal))
    }

    /// Lets it go on. What was to end this process ends it now.
    fn end(self) -> Result<()> {
        self.group.thaw()?;
        self.hear_signals()
    }
}
