//! Chapter 2: looking at a process that an answer made, and at the one that made it.

use look::{Kind, Namespaces, namespaces_of};
use nix::unistd::Pid;
use subject::protocol::{Call, Order, Outcome, Report, STATUS, Said};

use crate::facts::Facts;
use crate::session::Session;
use crate::{Seen, Stop, processes, returned};

/// The words for kinds of which there are none.
pub(crate) const NONE: &str = "none";
/// The words for a caller that is where it was.
pub(crate) const STAYED: &str = "the host's, as before";
/// The words for what a handle stands for.
pub(crate) const THE_CHILD: &str = "the child";
/// The words for a user namespace that was not entered.
pub(crate) const LEFT_OUT: &str = "is entered, but not that";
/// The words for a caller that comes back at once.
pub(crate) const GOES_ON: &str = "the caller goes on";
/// The words for one that does not.
pub(crate) const WAITS: &str = "the caller waits for its end";
/// The words for a child that never comes back.
pub(crate) const CALLER_ONLY: &str = "the caller only";

/// The words for a child that is none.
pub(crate) const NO_CHILD: &str = "none: it is the caller";
/// The words for a PID namespace that was left by nobody and is entered by those to come.
pub(crate) const WOULD_BEGIN: &str = "would begin at 1";

/// The process that calls the answer, before it does.
struct Caller {
    pid: Pid,
    namespaces: Namespaces,
    for_children: std::path::PathBuf,
}

/// 2.1
pub(crate) fn spawn(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    let caller = begin(session)?;
    session.order(Order::Continue)?;
    let look = |child: Pid, facts: &mut Facts| {
        let theirs = namespaces_of(child)?;
        facts.say("the child's new namespaces", kinds(&theirs, |kind, number| caller.namespaces[kind] != *number));
        facts.say("the child's number there", number(&caller, child));
        Ok(())
    };
    let mut watched = watch(session, &caller, look)?;
    if watched.done {
        let now = namespaces_of(caller.pid)?;
        let moved = kinds(&now, |kind, number| caller.namespaces[kind] != *number);
        let children_moved = processes::for_children(caller.pid)? != caller.for_children;
        watched.facts.say(
            "the caller's namespaces",
            match (moved.as_str(), children_moved) {
                (NONE, false) => STAYED.to_owned(),
                (NONE, true) => "changed: pid, for its children".into(),
                (moved, _) => format!("changed: {moved}"),
            },
        );
        session.order(Order::Continue)?;
        let (_, outcome) = session.called(Call::NoCgroup)?;
        let said = match outcome {
            Outcome::Failed { .. } => "an error".into(),
            Outcome::Done(Said::Status(Some(status))) => format!("ok, and the child ended with {status}"),
            other => returned(&other)?.0.get("returned").to_owned(),
        };
        watched.facts.say("asked to be born in a cgroup that is none", said);
    }
    Ok(Seen { facts: watched.facts, error: watched.error })
}

/// The process id of the child in its own PID namespace.
fn number(caller: &Caller, child: Pid) -> String {
    let number = processes::numbers(child).last().map_or_else(String::new, i32::to_string);
    let elsewhere = processes::for_children(child).ok() != std::fs::read_link(format!("/proc/{child}/ns/pid")).ok();
    match child == caller.pid {
        true => NO_CHILD.into(),
        false if elsewhere => format!("{number}, and only its own children {WOULD_BEGIN}"),
        false => number,
    }
}

/// 2.2
pub(crate) fn enter(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    let caller = begin(session)?;
    let neighbour = |from, report: &Report| matches!(report, Report::Neighbour).then_some(from);
    let neighbours = [session.wait(neighbour)?, session.wait(neighbour)?];
    let [one, two] = [namespaces_of(neighbours[0])?, namespaces_of(neighbours[1])?];
    let shares_the_user = one.get(&Kind::User) == caller.namespaces.get(&Kind::User);
    let other = if shares_the_user { one } else { two };
    session.order(Order::Continue)?;
    let (_, in_its_user) = session.called(Call::OwnUser)?;
    session.order(Order::Continue)?;
    let look = |child: Pid, facts: &mut Facts| {
        let theirs = namespaces_of(child)?;
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (kind, number) in theirs.iter().filter(|(kind, number)| other.get(kind) != Some(number)) {
            let group = if caller.namespaces.get(kind) == Some(number) { &mut old } else { &mut new };
            group.push(kind.name());
        }
        facts.say(
            "the child's namespaces",
            match (old.as_slice(), new.as_slice()) {
                ([], []) => "all of that process".to_owned(),
                (old, []) => format!("still the caller's: {}", old.join(" ")),
                (_, new) => format!("new ones: {}", new.join(" ")),
            },
        );
        Ok(())
    };
    let mut watched = watch(session, &caller, look)?;
    watched.facts.say(
        "one with a user namespace of its own",
        match in_its_user {
            Outcome::Done(Said::Status(Some(0))) => "is entered as well".into(),
            Outcome::Done(Said::Status(Some(1))) => LEFT_OUT.into(),
            outcome => returned(&outcome)?.0.get("returned").to_owned(),
        },
    );
    Ok(Seen { facts: watched.facts, error: watched.error })
}

fn begin(session: &mut Session) -> Result<Caller, Stop> {
    session.order(Order::Begin)?;
    let pid = session.wait(|from, report| matches!(report, Report::Ready).then_some(from))?;
    Ok(Caller { pid, namespaces: namespaces_of(pid)?, for_children: processes::for_children(pid)? })
}

/// What was seen of a process that was made.
struct Watched {
    facts: Facts,
    error: Option<String>,
    /// Whether caller and child came to their ends, so that more can be asked of the caller.
    done: bool,
}

/// Looks at the child while it runs what it was given, then at what becomes of both.
fn watch(
    session: &mut Session,
    caller: &Caller,
    look: impl Fn(Pid, &mut Facts) -> look::Result<()>,
) -> Result<Watched, Stop> {
    let (child, early) = match begun(session)? {
        Begun::Runs(child, outcome) => (child, outcome),
        Begun::Failed(outcome) => return so_far(Some(&outcome)),
    };
    let mut seen = Facts::default();
    look(child, &mut seen)?;
    if child == caller.pid {
        session.order(Order::ContinueChild)?;
    }
    let outcome = match early {
        Some(outcome) => Some(outcome),
        None => session.called_by(caller.pid, Call::TheFunction, |pid| pid == child)?,
    };
    let mut watched = so_far(outcome.as_ref())?;
    watched.facts.append(seen);
    let handle = outcome.as_ref().map(|outcome| handle(outcome, caller.pid, child));
    watched.facts.say("while the child runs", if outcome.is_some() { GOES_ON } else { WAITS });
    let Some(handle) = handle else { return Ok(watched) };
    watched.facts.say("the handle stands for", handle);
    if child != caller.pid && watched.error.is_none() {
        end(session, caller, child, &mut watched)?;
    }
    Ok(watched)
}

/// How it began.
enum Begun {
    /// The child runs, and the caller may have said already what came of the call.
    Runs(Pid, Option<Outcome>),
    /// The caller has failed, and will have no child.
    Failed(Outcome),
}

/// Waits for whoever speaks first, the child or the caller, and then for the child.
fn begun(session: &mut Session) -> Result<Begun, Stop> {
    let first = session.wait(|from, report| match report {
        Report::Called { call: Call::InTheChild, .. } => Some(Ok(from)),
        Report::Called { call: Call::TheFunction, outcome } => Some(Err(outcome.clone())),
        _ => None,
    })?;
    Ok(match first {
        Ok(child) => Begun::Runs(child, None),
        Err(Outcome::NotDone) => return Err(Stop::Early(crate::diagnosis::not_done())),
        Err(failed @ (Outcome::Failed { .. } | Outcome::Panicked { .. })) => Begun::Failed(failed),
        Err(outcome) => Begun::Runs(in_the_child(session)?, Some(outcome)),
    })
}

/// The first fact: what came of the call, if it has come back.
fn so_far(outcome: Option<&Outcome>) -> Result<Watched, Stop> {
    let (facts, error) = match outcome {
        Some(outcome) => returned(outcome)?,
        None => {
            let mut facts = Facts::default();
            facts.say("returned", "not while the child ran");
            (facts, None)
        }
    };
    Ok(Watched { facts, error, done: false })
}

fn in_the_child(session: &mut Session) -> Result<Pid, Stop> {
    session.wait(|from, report| matches!(report, Report::Called { call: Call::InTheChild, .. }).then_some(from))
}

/// Lets the child end and the caller wait for it.
fn end(session: &mut Session, caller: &Caller, child: Pid, watched: &mut Watched) -> Result<(), Stop> {
    session.order(Order::ContinueChild)?;
    session.order(Order::Continue)?;
    let ended = session.wait(|from, report| match report {
        Report::Called { call: Call::WaitForTheChild, outcome } if from == caller.pid => Some(Some(outcome.clone())),
        // The child itself says that the function has returned.
        Report::Called { call: Call::TheFunction, outcome } if from == child => match outcome {
            Outcome::Panicked { .. } => Some(Some(outcome.clone())),
            _ => Some(None),
        },
        _ => None,
    })?;
    watched
        .facts
        .say("what follows the call is run by", if ended.is_some() { CALLER_ONLY } else { "caller and child" });
    let status = match ended {
        None => return Ok(()),
        Some(Outcome::Done(Said::Status(Some(status)))) => status.to_string(),
        Some(Outcome::Failed { cause, .. }) => format!("error: {}", cause.unwrap_or_default()),
        Some(outcome) => returned(&outcome)?.0.get("returned").to_owned(),
    };
    watched.done = status == STATUS.to_string();
    watched.facts.say("the child's status", status);
    Ok(())
}

/// Which process a handle stands for.
fn handle(outcome: &Outcome, caller: Pid, child: Pid) -> String {
    let Outcome::Done(Said::Process(number)) = outcome else { return "nothing".into() };
    match *number {
        it if processes::number_to(caller, child) == Some(it) && child != caller => THE_CHILD.into(),
        it if processes::number_to(caller, caller) == Some(it) => "the caller itself".into(),
        it => format!("process {it} of the host"),
    }
}

/// The names of the kinds that `which` takes.
fn kinds(of: &Namespaces, which: impl Fn(&look::Kind, &u64) -> bool) -> String {
    let names: Vec<_> = of.iter().filter(|(kind, number)| which(kind, number)).map(|(kind, _)| kind.name()).collect();
    if names.is_empty() { NONE.into() } else { names.join(" ") }
}
