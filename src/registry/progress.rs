//! Telling how far it is: a bar for each layer on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use images::Digest;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tell {
    /// Nowhere.
    #[default]
    Nothing,
    /// On standard output, as `pull` does.
    Stdout,
    /// On standard error, as `run` does, whose standard output is the container's.
    Stderr,
}

/// What is told of one piece of work with several layers.
pub struct Progress {
    tell: Tell,
    bars: Option<MultiProgress>,
}

impl Progress {
    /// Begins to tell.
    pub fn begin(tell: Tell) -> Progress {
        let target = match tell {
            Tell::Stdout if std::io::stdout().is_terminal() => Some(ProgressDrawTarget::stdout()),
            Tell::Stderr if std::io::stderr().is_terminal() => Some(ProgressDrawTarget::stderr()),
            _ => None,
        };
        Progress { tell, bars: target.map(MultiProgress::with_draw_target) }
    }

    /// A line.
    pub fn say(&self, line: &str) {
        match &self.bars {
            // Above the bars, as long as there are any.
            Some(bars) => drop(bars.println(line)),
            // Nobody who left changes what is done.
            None => match self.tell {
                Tell::Nothing => {}
                Tell::Stdout => drop(writeln!(std::io::stdout(), "{line}")),
                Tell::Stderr => drop(writeln!(std::io::stderr(), "{line}")),
            },
        }
    }

    /// A layer, which is `first` to begin with.
    pub fn layer(&self, digest: &Digest, size: u64, first: &'static str) -> LayerProgress<'_> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(size).with_style(waiting()).with_prefix(digest.short()));
            bar.set_message(first);
            bar.tick();
            bar
        });
        let layer = LayerProgress { progress: self, id: digest.short(), bar, moving: OnceLock::new() };
        if layer.bar.is_none() {
            self.say(&format!("{}: {first}", layer.id));
        }
        layer
    }
}

/// A layer on its way.
pub struct LayerProgress<'a> {
    progress: &'a Progress,
    id: String,
    bar: Option<ProgressBar>,
    moving: OnceLock<()>,
}

impl LayerProgress<'_> {
    /// What the layer is called.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// This much of it, from its beginning on, is done; `doing` says what.
    pub fn at(&self, position: u64, doing: &'static str) {
        if let Some(bar) = &self.bar {
            self.moving.get_or_init(|| {
                bar.set_style(moving());
                bar.set_message(doing);
            });
            bar.set_position(position);
        }
    }

    /// It has come so far.
    pub fn done(&self, state: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_style(waiting());
                bar.finish_with_message(state.to_owned());
            }
            None => self.progress.say(&format!("{}: {state}", self.id)),
        }
    }
}

fn waiting() -> ProgressStyle {
    ProgressStyle::with_template("{prefix}: {msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn moving() -> ProgressStyle {
    ProgressStyle::with_template("{prefix}: {msg} [{bar:40}] {bytes}/{total_bytes}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
