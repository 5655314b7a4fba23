//! Telling how far it is: a bar for each layer on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use images::Digest;
use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Where to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgressTarget {
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
    tell: ProgressTarget,
    bars: Option<MultiProgress>,
    /// The bars on the screen. Those that nobody holds any more would be wiped away.
    drawn: Mutex<Vec<ProgressBar>>,
}

impl Progress {
    /// Begins to tell.
    pub fn begin(tell: ProgressTarget) -> Progress {
        let target = match tell {
            ProgressTarget::Stdout if std::io::stdout().is_terminal() => Some(ProgressDrawTarget::stdout()),
            ProgressTarget::Stderr if std::io::stderr().is_terminal() => Some(ProgressDrawTarget::stderr()),
            _ => None,
        };
        Progress { tell, bars: target.map(MultiProgress::with_draw_target), drawn: Mutex::default() }
    }

    /// A line. Bars that there are stay above it as they are, so it is for when they are done.
    pub fn say(&self, line: &str) {
        self.leave_bars();
        self.write(line);
    }

    fn write(&self, line: &str) {
        // Nobody who left changes what is done.
        match self.tell {
            ProgressTarget::Nothing => {}
            ProgressTarget::Stdout => drop(writeln!(std::io::stdout(), "{line}")),
            ProgressTarget::Stderr => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }

    /// Leaves the bars on the screen. The cursor stands behind the last.
    fn leave_bars(&self) {
        let drawn = std::mem::take(&mut *self.drawn.lock().unwrap_or_else(PoisonError::into_inner));
        if !drawn.is_empty() {
            drawn.iter().filter(|bar| !bar.is_finished()).for_each(ProgressBar::abandon);
            self.write("");
        }
    }

    /// A layer, which is `first` to begin with.
    pub fn layer(&self, digest: &Digest, size: u64, first: &'static str) -> LayerProgress<'_> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(size).with_style(waiting()).with_prefix(digest.short()));
            bar.set_message(first);
            bar.tick();
            self.drawn.lock().unwrap_or_else(PoisonError::into_inner).push(bar.clone());
            bar
        });
        let layer = LayerProgress { progress: self, id: digest.short(), bar, moving: OnceLock::new() };
        if layer.bar.is_none() {
            self.say(&format!("{}: {first}", layer.id));
        }
        layer
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.leave_bars();
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
    let bytes = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let size = |bytes| DecimalBytes(bytes).to_string().replace(' ', "");
        // A string takes whatever is written to it.
        let _ = write!(out, "{}/{}", size(state.pos()), size(state.len().unwrap_or_default()));
    };
    // As wide as the terminal, so that each layer has one line.
    ProgressStyle::with_template("{prefix}: {msg} [{wide_bar}] {sizes}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("sizes", bytes)
        .progress_chars("=> ")
}
