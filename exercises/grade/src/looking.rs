//! Chapter 0: comparing what an answer says about processes with what the kernel says.

use look::{Evidence, Namespaces};
use nix::unistd::Pid;
use subject::protocol::{Call, Order, Outcome, Report, Said};

use crate::facts::Facts;
use crate::session::Session;
use crate::{Seen, Stop, diagnosis};

/// The words for what is right.
const RIGHT: &str = "the kernel's numbers";
/// The words for what is right about the wrong process.
pub(crate) const CALLERS: &str = "the caller's numbers";
/// The words for what is not right about anything.
pub(crate) const OTHERS: &str = "other numbers";

/// 0.1
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let neighbour = session.wait(|from, report| matches!(report, Report::Neighbour).then_some(from))?;
    let mut facts = Facts::default();
    let (caller, about_itself) = session.called(Call::TheFunction)?;
    let caller = truth(caller)?;
    let neighbour = truth(neighbour)?;
    let mut error = None;
    facts.say("about its own process", verdict(&about_itself, &caller, &caller, &mut error)?);
    session.order(Order::Continue)?;
    let (_, about_neighbour) = session.called(Call::AboutNeighbour)?;
    facts.say("about another process", verdict(&about_neighbour, &neighbour, &caller, &mut error)?);
    session.order(Order::Continue)?;
    let (_, about_nobody) = session.called(Call::AboutNobody)?;
    facts.say("about a process that does not exist", about_nothing(&about_nobody));
    Ok(Seen { facts, error })
}

fn truth(pid: Pid) -> Result<Namespaces, Stop> {
    match Evidence::of(pid)?.namespaces {
        look::Seen::Value(namespaces) => Ok(namespaces),
        look::Seen::Hidden(reason) => Err(std::io::Error::other(reason).into()),
    }
}

/// What the answer said, held against the truth, and against the truth about the process that asks.
fn verdict(
    outcome: &Outcome,
    truth: &Namespaces,
    caller: &Namespaces,
    error: &mut Option<String>,
) -> Result<String, Stop> {
    match outcome {
        Outcome::Done(Said::Namespaces(said)) => Ok(compare(said, truth, caller)),
        Outcome::Done(_) => Ok(compare(&Namespaces::new(), truth, caller)),
        Outcome::Failed { text, cause } => {
            *error = Some(text.clone());
            Ok(format!("an error: {}", cause.as_deref().unwrap_or("see below")))
        }
        Outcome::Panicked { message, line } => Err(Stop::Early(diagnosis::panicked(message, *line))),
        Outcome::NotDone => Err(Stop::Early(diagnosis::not_done())),
    }
}

fn compare(said: &Namespaces, truth: &Namespaces, caller: &Namespaces) -> String {
    let missing: Vec<_> = truth.keys().filter(|kind| !said.contains_key(kind)).map(|kind| kind.name()).collect();
    let wrong: Vec<_> =
        said.iter().filter(|(kind, n)| truth.get(kind) != Some(n)).map(|(kind, _)| kind.name()).collect();
    match (missing.as_slice(), wrong.as_slice()) {
        ([], []) => RIGHT.into(),
        _ if said.is_empty() => "nothing".into(),
        (_, [_, ..]) if said.iter().all(|(kind, n)| caller.get(kind) == Some(n)) => CALLERS.into(),
        (_, wrong) if wrong.len() == said.len() => OTHERS.into(),
        (missing, []) => format!("without {}", missing.join(", ")),
        (_, wrong) => format!("wrong about {}", wrong.join(", ")),
    }
}

fn about_nothing(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Failed { .. } => "an error",
        Outcome::Panicked { .. } => "a panic",
        Outcome::Done(Said::Namespaces(said)) if said.is_empty() => "ok, with no namespaces",
        Outcome::Done(_) | Outcome::NotDone => "ok, with some namespaces",
    }
}

#[cfg(test)]
mod tests {
    use look::Kind;

    use super::*;

    #[test]
    fn each_way_to_be_wrong_has_its_words() {
        let truth = Namespaces::from([(Kind::Mnt, 1), (Kind::Uts, 2)]);
        let caller = Namespaces::from([(Kind::Mnt, 1), (Kind::Uts, 3)]);
        let words = |said: &[(Kind, u64)]| compare(&said.iter().copied().collect(), &truth, &caller);
        assert_eq!(words(&[(Kind::Mnt, 1), (Kind::Uts, 2)]), RIGHT);
        assert_eq!(words(&[(Kind::Mnt, 1), (Kind::Uts, 3)]), CALLERS);
        assert_eq!(words(&[(Kind::Mnt, 1)]), "without uts");
        assert_eq!(words(&[(Kind::Mnt, 8), (Kind::Uts, 9)]), OTHERS);
        assert_eq!(words(&[(Kind::Mnt, 1), (Kind::Uts, 9)]), "wrong about uts");
        assert_eq!(words(&[]), "nothing");
    }
}
