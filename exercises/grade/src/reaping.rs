//! Chapter 2: what an answer says about its children, and which of them it has collected.

use subject::protocol::{Call, Order, Outcome, Report, Said};

use crate::facts::Facts;
use crate::session::Session;
use crate::{Seen, Stop, diagnosis, processes};

/// The words for an answer without a status.
pub(crate) const NOTHING: &str = "nothing";
/// The words for an answer that does not come.
pub(crate) const WAITS: &str = "it waits";

/// What is asked, what that is called, and what the number of zombies afterwards is called.
pub(crate) const ASKED: [(Call, &str, &str); 4] = [
    (Call::MainRuns, "main runs, two others have ended", "zombies then"),
    (Call::MainEnded, "main has ended with 3, another with 5", "zombies after that"),
    (Call::MainKilled, "signal 9 has ended main", "zombies at last"),
    (Call::NobodyLeft, "there is no child left", ""),
];

/// 2.3
pub(crate) fn reap(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let caller = session.wait(|from, report| matches!(report, Report::Ready).then_some(from))?;
    let mut seen = Seen { facts: Facts::default(), error: None };
    for (call, what, zombies) in ASKED {
        session.order(Order::Continue)?;
        let Some(outcome) = session.called_by(caller, call, |_| true)? else {
            seen.facts.say(what, WAITS);
            break;
        };
        seen.facts.say(what, said(&outcome, &mut seen.error)?);
        if !zombies.is_empty() {
            seen.facts.say(zombies, processes::zombies(caller).to_string());
        }
    }
    Ok(seen)
}

fn said(outcome: &Outcome, error: &mut Option<String>) -> Result<String, Stop> {
    match outcome {
        Outcome::Done(Said::Status(Some(status))) => Ok(status.to_string()),
        Outcome::Done(_) | Outcome::NotDone => Ok(NOTHING.into()),
        Outcome::Failed { text, cause } => {
            error.get_or_insert_with(|| text.clone());
            Ok(format!("error: {}", cause.as_deref().unwrap_or("see below")))
        }
        Outcome::Panicked { message, line } => Err(Stop::Early(diagnosis::panicked(message, *line))),
    }
}
