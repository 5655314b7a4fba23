//! 8.2: what a filter answers, worked out by hand, and what becomes of a process behind it.

use sandbox::seccomp::{Action, Data, Instruction, simulate};
use subject::protocol::{Call, Order, Outcome, Report, Said};
use subject::scene::filters::{OTHER_TABLE, TABLE, asked};

use crate::facts::Facts;
use crate::session::Session;
use crate::{Seen, Stop, returned};

/// The names of the facts, and the words for what becomes of a call.
pub(crate) mod rows {
    pub(crate) const FIRST: &str = "the first of five calls";
    pub(crate) const LAST: &str = "the last of them";
    pub(crate) const OTHERS: &str = "other calls";
    pub(crate) const TABLE: &str = "one of the five, by the 32-bit table";
    pub(crate) const X32: &str = "one of the five, by x32";
    pub(crate) const LONG_FIRST: &str = "the first of 300 calls";
    pub(crate) const LONG_LAST: &str = "the last of them all";
    pub(crate) const LONG_OTHERS: &str = "other calls than the 300";
    pub(crate) const EMPTY: &str = "with an empty list, any call";
    pub(crate) const ALLOWED: &str = "behind it, a process calls getppid";
    pub(crate) const REFUSED: &str = "and uname";
    pub(crate) const MODE: &str = "seccomp, in /proc";

    pub(crate) const PASSES: &str = "passes";
    pub(crate) const EPERM: &str = "EPERM";
    pub(crate) const KILLS: &str = "kills the process";
}

/// The bit that marks a number as one of x32.
const X32: u32 = 1 << 30;

/// 8.2
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let (_, outcome) = session.called(Call::TheFunction)?;
    let (_, error) = returned(&outcome)?;
    let mut facts = Facts::default();
    let filters: Vec<Vec<Instruction>> = match outcome {
        Outcome::Done(Said::Filters(filters)) => filters.into_iter().map(instructions).collect(),
        _ => return Ok(Seen { facts, error }),
    };
    let [short, long, _] = asked();
    let ask = |which: usize, arch, numbers: &[u32]| answers(&filters[which], arch, numbers);
    facts.say(rows::FIRST, ask(0, TABLE, &short[..1]));
    facts.say(rows::LAST, ask(0, TABLE, &short[short.len() - 1..]));
    facts.say(rows::OTHERS, ask(0, TABLE, &[0, 4, 6, 22, 400]));
    facts.say(rows::TABLE, ask(0, OTHER_TABLE, &short));
    facts.say(rows::X32, ask(0, TABLE, &short.iter().map(|number| number | X32).collect::<Vec<_>>()));
    facts.say(rows::LONG_FIRST, ask(1, TABLE, &long[..1]));
    facts.say(rows::LONG_LAST, ask(1, TABLE, &long[long.len() - 1..]));
    facts.say(rows::LONG_OTHERS, ask(1, TABLE, &[0, 999, 1300]));
    facts.say(rows::EMPTY, ask(2, TABLE, &[0, 13, 1000]));
    session.order(Order::Continue)?;
    let (pid, outcome) = session.called(Call::BehindTheFilter)?;
    let said = match outcome {
        Outcome::Done(Said::Lines(said)) => said,
        other => vec![returned(&other)?.0.get("returned").to_owned()],
    };
    facts.say(rows::ALLOWED, said.first().map_or("", String::as_str));
    facts.say(rows::REFUSED, said.get(1).map_or("not tried", String::as_str));
    facts.say(rows::MODE, look::Evidence::of(pid)?.seccomp);
    Ok(Seen { facts, error })
}

fn instructions(fields: Vec<(u16, u8, u8, u32)>) -> Vec<Instruction> {
    fields.into_iter().map(|(code, jt, jf, k)| Instruction { code, jt, jf, k }).collect()
}

/// What the filter answers to each of these numbers: one word if it is the same for all.
fn answers(filter: &[Instruction], arch: u32, numbers: &[u32]) -> String {
    let answer = |nr: &u32| word(&simulate(filter, &Data { nr: *nr, arch, ..Data::default() }));
    let words: Vec<String> = numbers.iter().map(answer).collect();
    match words.as_slice() {
        [] => "not tried".into(),
        [one, rest @ ..] if rest.iter().all(|other| other == one) => one.clone(),
        differ => {
            let each = numbers.iter().zip(differ).map(|(number, word)| format!("{}: {word}", number & !X32));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

fn word(answer: &Result<Action, String>) -> String {
    match answer {
        Ok(Action::Allow) => rows::PASSES.into(),
        Ok(Action::Errno(1)) => rows::EPERM.into(),
        Ok(Action::Errno(number)) => format!("{:?}", nix::errno::Errno::from_raw((*number).into())),
        Ok(Action::KillProcess) => rows::KILLS.into(),
        Ok(Action::KillThread) => "kills the thread".into(),
        Ok(other) => format!("{other:?}"),
        Err(_) => "no filter".into(),
    }
}
