//! Telling how far it is: a bar for each layer on a terminal, plain lines elsewhere.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use images::Digest;
use indicatif::style::ProgressTracker;
use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// When nothing has come for so long, that is told.
const STALLED: Duration = Duration::from_secs(10);

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
    target: ProgressTarget,
    bars: Option<MultiProgress>,
    /// The bars on the screen. Those that nobody holds any more would be wiped away.
    drawn: Mutex<Vec<ProgressBar>>,
}

impl Progress {
    /// Begins to tell.
    pub fn begin(target: ProgressTarget) -> Progress {
        let terminal = match target {
            ProgressTarget::Stdout if std::io::stdout().is_terminal() => Some(ProgressDrawTarget::stdout()),
            ProgressTarget::Stderr if std::io::stderr().is_terminal() => Some(ProgressDrawTarget::stderr()),
            _ => None,
        };
        Progress { target, bars: terminal.map(MultiProgress::with_draw_target), drawn: Mutex::default() }
    }

    /// A line. Bars that there are stay above it as they are, so it is for when they are done.
    pub fn say(&self, line: &str) {
        self.leave_bars();
        self.write(line);
    }

    /// A line that may come while there are bars: it stands above them.
    pub fn notice(&self, line: &str) {
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.bars {
            Some(bars) if !drawn.is_empty() => drop(bars.println(line)),
            _ => self.write(line),
        }
    }

    fn write(&self, line: &str) {
        // Nobody who left changes what is done.
        match self.target {
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
            // It is drawn again also when nothing comes: that is told, too.
            bar.enable_steady_tick(Duration::from_secs(1));
            self.drawn.lock().unwrap_or_else(PoisonError::into_inner).push(bar.clone());
            bar
        });
        let layer = LayerProgress { progress: self, id: digest.short(), bar, moves: AtomicBool::new(false) };
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
    /// Whether the bar is one that grows.
    moves: AtomicBool,
}

impl LayerProgress<'_> {
    /// What the layer is called.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// This much of it, from its beginning on, is done; `doing` says what.
    pub fn at(&self, position: u64, doing: &'static str) {
        if let Some(bar) = &self.bar {
            if !self.moves.swap(true, Ordering::Relaxed) {
                bar.set_style(moving());
                bar.set_message(doing);
            }
            bar.set_position(position);
        }
    }

    /// Why nothing happens to it for the moment.
    pub fn notice(&self, why: &str) {
        match &self.bar {
            Some(bar) => {
                self.moves.store(false, Ordering::Relaxed);
                bar.set_style(waiting());
                bar.set_message(why.to_owned());
            }
            None => self.progress.notice(&format!("{}: {why}", self.id)),
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
    // As wide as the terminal, so that each layer has one line.
    ProgressStyle::with_template("{prefix}: {msg} [{wide_bar}] {sizes}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("sizes", Sizes { position: 0, since: Instant::now() })
        .progress_chars("=> ")
}

/// How much there is of how much, and for how long it has been no more.
#[derive(Clone)]
struct Sizes {
    position: u64,
    since: Instant,
}

impl ProgressTracker for Sizes {
    fn clone_box(&self) -> Box<dyn ProgressTracker> {
        Box::new(self.clone())
    }

    fn tick(&mut self, state: &ProgressState, now: Instant) {
        if state.pos() != self.position {
            *self = Sizes { position: state.pos(), since: now };
        }
    }

    fn reset(&mut self, state: &ProgressState, now: Instant) {
        *self = Sizes { position: state.pos(), since: now };
    }

    fn write(&self, state: &ProgressState, out: &mut dyn fmt::Write) {
        let size = |bytes| DecimalBytes(bytes).to_string().replace(' ', "");
        // A string takes whatever is written to it.
        let _ = write!(out, "{}/{}", size(state.pos()), size(state.len().unwrap_or_default()));
        let silence = self.since.elapsed();
        if silence >= STALLED {
            let _ = write!(out, ", stalled for {} s", silence.as_secs());
        }
    }
}
