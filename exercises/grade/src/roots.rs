//! Chapter 1: looking at processes that changed their root.

use look::Evidence;
use nix::unistd::Pid;
use subject::host;
use subject::protocol::{Call, Order, Outcome, Report};

use crate::facts::Facts;
use crate::mounts::{self, Tables};
use crate::places::Places;
use crate::session::Session;
use crate::{Seen, Stop, returned};

/// The stand-in host before the answer is called.
struct Host {
    init: Pid,
    places: Places,
    before: Evidence,
}

/// The answer's process holding still, its host, and a witness at the top of its mount namespace.
struct Scene {
    process: Evidence,
    host: Evidence,
    witness: Evidence,
    outcome: Outcome,
}

/// What every answer that changes a root is asked first.
struct Common {
    /// What it returned, and where the process stands.
    facts: Facts,
    /// The full text of an error that it returned.
    error: Option<String>,
    /// Where its root is.
    root: String,
}

/// 1.1
pub(crate) fn naive_root(session: &mut Session) -> Result<Seen, Stop> {
    let host = begin(session)?;
    let scene = look(session, &host)?;
    let source = host::root_source(session.token());
    let tables = tables(&host, &scene, &source);
    let Common { mut facts, error, .. } = common(&host, &scene)?;
    facts.say("is / a mount", tables.root_mount());
    Ok(Seen { facts, error })
}

/// 1.2
pub(crate) fn escape(session: &mut Session) -> Result<Seen, Stop> {
    let host = begin(session)?;
    let scene = look(session, &host)?;
    let Common { facts, error, .. } = common(&host, &scene)?;
    Ok(Seen { facts, error })
}

/// 1.3
pub(crate) fn enter_root(session: &mut Session) -> Result<Seen, Stop> {
    let host = begin(session)?;
    let scene = look(session, &host)?;
    let source = host::root_source(session.token());
    let tables = tables(&host, &scene, &source);
    let Common { mut facts, error, root } = common(&host, &scene)?;
    facts.say("is / a mount", tables.root_mount());
    facts.say("old root", tables.old_root());
    facts.say("mount below the new root", mounts::submount(&scene.process, &root));
    facts.say("still shared with the host", tables.still_shared());
    facts.say("did the host notice", tables.leaks());
    facts.say("root after an escape", after_attack(session, &host, error.is_some())?);
    Ok(Seen { facts, error })
}

/// Waits for the host, looks at it, and lets the answer be called.
fn begin(session: &mut Session) -> Result<Host, Stop> {
    let init = session.wait(|from, report| matches!(report, Report::Host).then_some(from))?;
    let host = Host { init, places: Places::of(init)?, before: Evidence::of(init)? };
    session.order(Order::Begin)?;
    Ok(host)
}

/// Waits until the answer has been called, and looks.
fn look(session: &mut Session, host: &Host) -> Result<Scene, Stop> {
    let (pid, outcome) = session.called(Call::TheFunction)?;
    session.order(Order::Witness)?;
    let witness = session.wait(|from, report| matches!(report, Report::Witness).then_some(from))?;
    Ok(Scene { process: Evidence::of(pid)?, host: Evidence::of(host.init)?, witness: Evidence::of(witness)?, outcome })
}

fn tables<'a>(host: &'a Host, scene: &'a Scene, host_source: &'a str) -> Tables<'a> {
    Tables {
        own: mounts::of(&scene.process),
        whole: mounts::of(&scene.witness),
        host_before: mounts::of(&host.before),
        host_after: mounts::of(&scene.host),
        host_source,
    }
}

fn common(host: &Host, scene: &Scene) -> Result<Common, Stop> {
    let (mut facts, error) = returned(&scene.outcome)?;
    let (root, directory) = host.places.of_process(&scene.process);
    facts.say("root", root.as_str());
    facts.say("working directory", directory);
    Ok(Common { facts, error, root })
}

/// Lets the process run the escape of exercise 1.2, and says what its root is then.
fn after_attack(session: &mut Session, host: &Host, failed: bool) -> Result<String, Stop> {
    if failed {
        return Ok("not tried".into());
    }
    session.order(Order::Continue)?;
    let (pid, _) = session.called(Call::Attack)?;
    Ok(host.places.name(&Evidence::of(pid)?.root))
}
