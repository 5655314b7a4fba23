//! One run of a subject: starting it, talking to it, and being sure that it has gone.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;
use subject::protocol::{Call, Channel, Order, Outcome, Received, Report};

use crate::layers::Disk;
use crate::shares::Place;
use crate::{Stop, audit, diagnosis, processes};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The exercise whose answer makes cgroups.
const NEEDS_A_SHARE: &str = "3.2";
/// The exercises whose answers lay out layers.
const NEED_A_DISK: [&str; 2] = ["4.1", "4.4"];
/// How often it is asked whether there is anything to wait for.
const MOMENT: Duration = Duration::from_millis(20);
/// How much of what an answer prints is kept.
const PRINTED: u64 = 16 * 1024;

/// A subject that runs.
#[derive(Debug)]
pub struct Session {
    child: Child,
    channel: Channel,
    printed: mpsc::Receiver<Vec<u8>>,
    token: String,
    patience: Duration,
    /// A cgroup to make others in, or why there is none; nothing where none is needed.
    share: Option<Result<Place, String>>,
    /// A directory for layers, where one is needed.
    disk: Option<Disk>,
    /// Reports that nobody has asked for yet, with their senders.
    kept: Vec<(Pid, Report)>,
}

/// What is known when a subject has gone.
pub(crate) struct Finished {
    pub(crate) printed: String,
    pub(crate) left_behind: Vec<String>,
}

impl Session {
    /// Starts `program` with the answer called `name` to the exercise with this number. When this returns, the
    /// program is running, and its file may be replaced.
    pub fn start(program: &Path, number: &str, name: &str) -> io::Result<Session> {
        let (channel, theirs) = Channel::pair()?;
        let (reader, writer) = io::pipe()?;
        let token = token();
        let share = (number == NEEDS_A_SHARE).then(|| Place::new(&token));
        // Where there is none, memory may do.
        let disk = NEED_A_DISK.contains(&number).then(|| Disk::new(&token).ok()).flatten();
        let mut command = Command::new(program);
        if let Some(disk) = &disk {
            command.env(subject::host::DISK, disk.dir());
        }
        if let Some(Ok(place)) = &share {
            command.env(subject::host::SHARE, place.dir());
        }
        let child = command
            .args([number, name])
            .env(subject::host::TOKEN, &token)
            .stdin(theirs)
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("run {}: {error}", program.display())))?;
        Ok(Session { child, channel, printed: drain(reader), token, patience: PATIENCE, share, disk, kept: Vec::new() })
    }

    /// Gives an answer less (or more) than ten seconds for each call.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Session {
        self.patience = patience;
        self
    }

    /// By which the processes and mounts of this run are known.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The cgroup in which the answer may make others.
    pub(crate) fn share(&self) -> Result<&Path, Stop> {
        match &self.share {
            Some(Ok(place)) => Ok(place.dir()),
            Some(Err(why)) => Err(Stop::Blocked(why.clone())),
            None => Err(io::Error::other("this exercise has no cgroup").into()),
        }
    }

    pub(crate) fn order(&self, order: Order) -> io::Result<()> {
        self.channel.send(&order)
    }

    /// Waits for a report that `wanted` takes. The processes of the subject speak in any order, so the others are kept
    /// for whoever asks for them later. An end of the answer's process before that is a [`Stop`].
    pub(crate) fn wait<T>(&mut self, wanted: impl Fn(Pid, &Report) -> Option<T>) -> Result<T, Stop> {
        let found = self.wait_unless(wanted, || false)?;
        found.ok_or_else(|| Stop::Early(diagnosis::hung(self.patience)))
    }

    /// The same, until `never` says that it will not come: `None` then.
    pub(crate) fn wait_unless<T>(
        &mut self,
        wanted: impl Fn(Pid, &Report) -> Option<T>,
        never: impl Fn() -> bool,
    ) -> Result<Option<T>, Stop> {
        let taken = self.kept.iter().enumerate().find_map(|(at, (from, report))| Some((at, wanted(*from, report)?)));
        if let Some((at, found)) = taken {
            self.kept.remove(at);
            return Ok(Some(found));
        }
        let until = Instant::now() + self.patience;
        loop {
            let Some(Received { from, message }) = self.next_report(until)? else {
                if never() {
                    return Ok(None);
                }
                continue;
            };
            if let Some(found) = wanted(from, &message) {
                return Ok(Some(found));
            }
            match message {
                Report::Blocked { error } => return Err(Stop::Blocked(error)),
                Report::Ended(end) => return Err(Stop::Early(diagnosis::ended(&end))),
                other => self.kept.push((from, other)),
            }
        }
    }

    /// The next report; `None` if there is none for a moment.
    fn next_report(&self, until: Instant) -> Result<Option<Received<Report>>, Stop> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Stop::Early(diagnosis::hung(self.patience)));
        }
        let mut waiting = [PollFd::new(self.channel.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(left.min(MOMENT)).unwrap_or(PollTimeout::ZERO);
        if poll(&mut waiting, timeout).map_err(io::Error::from)? == 0 {
            return Ok(None);
        }
        let received = self.channel.receive()?;
        received.map(Some).ok_or_else(|| io::Error::other("the subject ended without a word").into())
    }

    /// Waits until the answer's process has made `call` and holds still. Says which process that is.
    pub(crate) fn called(&mut self, call: Call) -> Result<(Pid, Outcome), Stop> {
        let (pid, outcome) = self.wait(|from, report| match report {
            Report::Called { call: made, outcome } if *made == call => Some((from, outcome.clone())),
            _ => None,
        })?;
        Ok((pid, done(outcome)?))
    }

    /// The same for the process `caller`; `None` if it is going to wait for its own children for ever, because each of
    /// those that `held` knows holds still.
    pub(crate) fn called_by(
        &mut self,
        caller: Pid,
        call: Call,
        held: impl Fn(Pid) -> bool,
    ) -> Result<Option<Outcome>, Stop> {
        let wanted = |from, report: &Report| match report {
            Report::Called { call: made, outcome } if from == caller && *made == call => Some(outcome.clone()),
            _ => None,
        };
        let outcome = self.wait_unless(wanted, || processes::waits_in_vain(caller, &held))?;
        outcome.map(done).transpose()
    }

    /// Hangs up, which ends the subject with everything that it started, and looks for what is left.
    pub(crate) fn finish(self) -> io::Result<Finished> {
        let Session { mut child, channel, printed, token, share, disk, .. } = self;
        drop(channel);
        let text = match printed.recv_timeout(PATIENCE) {
            Ok(text) => text,
            Err(_) => {
                child.kill()?;
                printed.recv().unwrap_or_default()
            }
        };
        child.wait()?;
        drop((share, disk));
        let left_behind = audit::left_behind(&token);
        Ok(Finished { printed: String::from_utf8_lossy(&text).into_owned(), left_behind })
    }
}

/// What was done about a call, unless it is not written yet.
fn done(outcome: Outcome) -> Result<Outcome, Stop> {
    match outcome {
        Outcome::NotDone => Err(Stop::Early(diagnosis::not_done())),
        outcome => Ok(outcome),
    }
}

/// Reads all that is printed, so that nobody waits for room in the pipe, and passes on the beginning of it when
/// the last process has closed its end.
fn drain(mut reader: io::PipeReader) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = reader.by_ref().take(PRINTED).read_to_end(&mut text);
        let _ = io::copy(&mut reader, &mut io::sink());
        let _ = sender.send(text);
    });
    receiver
}

/// A word that is in the environment of this run's processes and in the name of its mounts, and nowhere else.
fn token() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let serial = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("check-{}-{serial}-{now:x}", std::process::id())
}

static COUNTER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
