//! The line on what this system runs in, which is written last: it says what comes of it.

use super::confinement::lift;
use super::finding::{Advice, Finding, Outcome, Subject};
use super::machine::Machine;
use super::surroundings::Wsl;
use super::user_namespace::wsl_one;

const SUBJECT: Subject = Subject {
    name: "this system",
    did: "looked for the marks that WSL, container engines and codespaces leave",
    from_chapter: 1,
    serves: None,
};

/// What this system is, given what else was found.
pub fn probe(machine: &Machine, others: &[Finding]) -> Finding {
    let who = if machine.is_root() { "root".to_owned() } else { format!("{}, an ordinary user", machine.user) };
    let os = if machine.os.name.is_empty() { "Linux" } else { &machine.os.name };
    let kind = match (&machine.engine, machine.wsl) {
        (Some(engine), _) => format!(", in {engine}"),
        (None, Some(Wsl::One)) => ", in WSL 1".into(),
        (None, Some(Wsl::Two)) => ", in WSL 2".into(),
        (None, None) => String::new(),
    };
    let chroot = if machine.chrooted { ", in a chroot" } else { "" };
    let said = format!("{os}, Linux {}{kind}{chroot}; you are {who}", machine.release);
    let lacking = |outcome| others.iter().filter(move |found| found.outcome == outcome).map(|found| found.name);
    let blocked: Vec<&str> = lacking(Outcome::Blocked).collect();
    let warned: Vec<&str> = lacking(Outcome::Warn).collect();
    match &machine.engine {
        _ if machine.wsl == Some(Wsl::One) => SUBJECT.warn(said, wsl_one()),
        Some(engine) if !blocked.is_empty() || !warned.is_empty() => {
            let all = [blocked, warned].concat().join(", ");
            let means = format!("A container is confined by its engine, and this may be its doing: {all}.");
            SUBJECT.warn(said, Advice::new(means, lift(engine, machine)))
        }
        _ => SUBJECT.ok(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::surroundings::Engine;

    #[test]
    fn a_container_in_which_all_works_is_no_problem() {
        let machine = Machine { engine: Some(Engine::Codespace), release: "6.8".into(), ..Machine::default() };
        let fine = SUBJECT.ok("fine");
        assert_eq!(probe(&machine, std::slice::from_ref(&fine)).outcome, Outcome::Ok);
        let subject = Subject { name: "overlay", ..SUBJECT };
        let found = probe(&machine, &[fine, subject.warn("no", Advice::only("x"))]);
        assert_eq!(found.outcome, Outcome::Warn);
        let advice = found.advice.unwrap();
        assert!(advice.means.ends_with("doing: overlay."), "{advice:?}");
        assert!(advice.fix[0].contains("privileged"), "{advice:?}");
    }

    #[test]
    fn wsl_two_is_a_linux_and_wsl_one_is_not() {
        let wsl = |which| Machine { wsl: Some(which), uid: 1000, user: "me".into(), ..Machine::default() };
        assert!(probe(&wsl(Wsl::Two), &[]).said.contains("in WSL 2; you are me, an ordinary user"));
        assert_eq!(probe(&wsl(Wsl::Two), &[]).outcome, Outcome::Ok);
        assert_eq!(probe(&wsl(Wsl::One), &[]).outcome, Outcome::Warn);
    }
}
