//! What a profile comes to for one container and one table of calls: for each number, what is done.
//!
//! Several rules may speak of one call. Of those without conditions the first counts, and one that says no more than
//! the default says nothing: this is what Docker's runtimes do. Of those whose conditions hold, the strictest
//! counts; and beside a rule without conditions it counts if it is the stricter one. (There libseccomp forgets the
//! conditions, and a refusal that somebody wrote down would be lost.)

use std::collections::{BTreeMap, BTreeSet};

use super::abi::Abi;
use super::bpf::{Action, ENOSYS};
use super::parse::Invalid;
use super::profile::{Condition, Profile, Subject};

/// Numbers beyond this are not part of the usual count: 32-bit ARM has a few calls of its own there.
const LAST_ORDINARY: u32 = 0xffff;

/// A bound on the memory that a profile can cost. Calls with the same checks share them in the filter, so a
/// profile that fits may well have more of them than a filter has instructions.
const MOST_CHECKS: usize = 1 << 16;

/// What is done about one call: the first check that fits decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub checks: Vec<(Vec<Condition>, Action)>,
    pub otherwise: Action,
}

impl Plan {
    fn always(action: Action) -> Plan {
        Plan { checks: Vec::new(), otherwise: action }
    }

    /// Whether some arguments lead to such an action.
    pub fn some(&self, such: impl Fn(Action) -> bool) -> bool {
        such(self.otherwise) || self.checks.iter().any(|(_, action)| such(*action))
    }
}

/// What is done about the calls of one table.
pub(crate) struct Plans {
    pub calls: BTreeMap<u32, Plan>,
    default: Action,
    /// The greatest number that the profile names, and the answer for those beyond.
    beyond: Option<(u32, Action)>,
}

/// What `profile` says about the calls of a table for `subject`. `number` knows the numbers by name; a call that the
/// table does not have is left out, as Docker does.
pub(crate) fn plans(
    profile: &Profile,
    subject: &Subject<'_>,
    number: &dyn Fn(&str) -> Option<u32>,
) -> Result<Plans, Invalid> {
    let mut with: BTreeMap<u32, Vec<(Vec<Condition>, Action)>> = BTreeMap::new();
    let mut without: BTreeMap<u32, Action> = BTreeMap::new();
    let (mut last, mut checks) = (None, 0);
    for rule in &profile.rules {
        let numbers: BTreeSet<u32> = rule.names.iter().filter_map(|name| number(name)).collect();
        last = last.max(numbers.range(..=LAST_ORDINARY).next_back().copied());
        if !rule.applies(subject) {
            continue;
        }
        let alternatives = rule.alternatives();
        checks += alternatives.len() * numbers.len();
        if checks > MOST_CHECKS {
            return Err(Invalid::new(format!("more than {MOST_CHECKS} checks of arguments: no filter can hold them")));
        }
        for number in numbers {
            if rule.conditions.is_empty() {
                if rule.action != profile.default {
                    without.entry(number).or_insert(rule.action);
                }
            } else {
                let checks = with.entry(number).or_default();
                checks.extend(alternatives.iter().map(|conditions| (conditions.clone(), rule.action)));
            }
        }
    }
    let mut calls: BTreeMap<u32, Plan> =
        without.iter().map(|(number, action)| (*number, Plan::always(*action))).collect();
    for (number, mut checks) in with {
        checks.sort_by_key(|(_, action)| *action);
        if let Some(general) = without.get(&number) {
            checks.retain(|(_, action)| action < general);
        }
        calls.entry(number).or_insert_with(|| Plan::always(profile.default)).checks = checks;
    }
    // A program that tries a call newer than the profile must hear "no such call", and will do without it; EPERM
    // it would take for the answer to what it asked. runc does the same.
    let beyond = if profile.default.permits() { None } else { last.map(|last| (last, Action::Errno(ENOSYS))) };
    Ok(Plans { calls, default: profile.default, beyond })
}

/// The plans as ranges: each counts from its number up to the next.
pub(crate) fn ranges(plans: &Plans, abi: &Abi) -> Vec<(u32, Plan)> {
    let mut ranges: Vec<(u32, Plan)> = Vec::new();
    let mut put = |from: u32, plan: Plan| {
        if ranges.last().is_none_or(|(_, before)| *before != plan) {
            ranges.push((from, plan));
        }
    };
    let gap = |from: u32, to: u32, put: &mut dyn FnMut(u32, Plan)| match plans.beyond {
        Some((last, action)) if from > last => put(from, Plan::always(action)),
        Some((last, action)) if to > last + 1 => {
            put(from, Plan::always(plans.default));
            put(last + 1, Plan::always(action));
        }
        _ => put(from, Plan::always(plans.default)),
    };
    let mut next = 0;
    for (number, plan) in &plans.calls {
        if *number > next {
            gap(next, *number, &mut put);
        }
        put(*number, plan.clone());
        next = number + 1;
    }
    gap(next, u32::MAX, &mut put);
    if let Some(from) = abi.x32_from {
        // As a kernel answers that was built without x32.
        put(from, Plan::always(Action::Errno(ENOSYS)));
    }
    ranges
}
