//! 8.1: what /proc says about the ids and capabilities of a process that has given some away.

use look::evidence::Evidence;
use look::status::{Four, Range};
use nix::unistd::Pid;
use subject::protocol::{Call, Order, Outcome, Report};

use crate::session::Session;
use crate::{Seen, Stop, returned};

/// The names of the facts.
pub(crate) mod rows {
    pub(crate) const USER: &str = "user ids, for user 1000";
    pub(crate) const GROUP: &str = "group ids";
    pub(crate) const GROUPS: &str = "other groups";
    pub(crate) const MAY: &str = "powers";
    pub(crate) const PASSES_ON: &str = "powers for the next program";
    pub(crate) const MOST: &str = "the most there can be";
    pub(crate) const NO_NEW: &str = "no_new_privs";
    pub(crate) const AS_ROOT: &str = "for root";
    pub(crate) const ROOT_GROUPS: &str = "its other groups, not to be changed";
    pub(crate) const ROOT_MAY: &str = "its powers";
    pub(crate) const ROOT_PASSES_ON: &str = "its powers for the next program";
    pub(crate) const ROOT_MOST: &str = "the most there can be then";
    pub(crate) const ROOT_NO_NEW: &str = "no_new_privs, not asked for";
}

/// 8.1
pub(crate) fn look_at(session: &mut Session) -> Result<Seen, Stop> {
    session.wait(|_, report| matches!(report, Report::Host).then_some(()))?;
    session.order(Order::Begin)?;
    let (pid, outcome) = session.called(Call::AsUser)?;
    let (mut facts, mut error) = returned(&outcome)?;
    let user = Evidence::of(pid)?;
    let ids = &user.ids;
    facts.say(rows::USER, four(&ids.uid, &ids.uid_map));
    facts.say(rows::GROUP, four(&ids.gid, &ids.gid_map));
    facts.say(rows::GROUPS, list(&ids.groups, &ids.gid_map));
    facts.say(rows::MAY, powers(&user));
    facts.say(rows::PASSES_ON, passed_on(&user));
    facts.say(rows::MOST, names(&user.capabilities.bounding));
    facts.say(rows::NO_NEW, yes(user.no_new_privs));
    session.order(Order::Continue)?;
    let (pid, outcome) = session.called(Call::AsRoot)?;
    facts.say(rows::AS_ROOT, as_root(&outcome, &mut error)?);
    let root = as_it_is(pid)?;
    facts.say(rows::ROOT_GROUPS, list(&root.ids.groups, &root.ids.gid_map));
    facts.say(rows::ROOT_MAY, powers(&root));
    facts.say(rows::ROOT_PASSES_ON, passed_on(&root));
    facts.say(rows::ROOT_MOST, names(&root.capabilities.bounding));
    facts.say(rows::ROOT_NO_NEW, yes(root.no_new_privs));
    Ok(Seen { facts, error })
}

fn as_it_is(pid: Pid) -> Result<Evidence, Stop> {
    Ok(Evidence::of(pid)?)
}

fn as_root(outcome: &Outcome, error: &mut Option<String>) -> Result<String, Stop> {
    let (said, text) = returned(outcome)?;
    if error.is_none() {
        *error = text;
    }
    Ok(said.get("returned").to_owned())
}

/// `1000`, or each of the four where they differ; as the process itself sees them.
fn four(ids: &Four, map: &[Range]) -> String {
    let Four { real, effective, saved, filesystem } = *ids;
    let [real, effective, saved, filesystem] = [real, effective, saved, filesystem].map(|id| inside(id, map));
    if [effective, saved, filesystem] == [real; 3] {
        return real.to_string();
    }
    format!("real {real}, effective {effective}, saved {saved}")
}

fn list(ids: &[u32], map: &[Range]) -> String {
    let mut ids: Vec<u32> = ids.iter().map(|id| inside(*id, map)).collect();
    ids.sort_unstable();
    if ids.is_empty() { "none".into() } else { ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ") }
}

/// An id of the grader's user namespace in that of the process.
fn inside(id: u32, map: &[Range]) -> u32 {
    let range = map.iter().find(|range| (range.outside..range.outside.saturating_add(range.count)).contains(&id));
    range.map_or(id, |range| range.inside + (id - range.outside))
}

fn powers(process: &Evidence) -> String {
    let sets = &process.capabilities;
    match (names(&sets.effective), names(&sets.permitted)) {
        (effective, permitted) if effective == permitted => effective,
        (effective, permitted) => format!("{effective}; within reach {permitted}"),
    }
}

fn passed_on(process: &Evidence) -> String {
    let mut sets = process.capabilities.inheritable.clone();
    sets.extend(
        process.capabilities.ambient.iter().filter(|name| !process.capabilities.inheritable.contains(name)).cloned(),
    );
    names(&sets)
}

fn names(set: &[String]) -> String {
    match set {
        [] => "none".into(),
        many if many.len() > 10 => format!("{} of them", many.len()),
        few => few.join(" "),
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_said_as_the_process_sees_them() {
        let map = [Range { inside: 0, outside: 1001, count: 1 }, Range { inside: 1, outside: 100_000, count: 65_536 }];
        let ids = Four { real: 100_999, effective: 100_999, saved: 1001, filesystem: 100_999 };
        assert_eq!(four(&ids, &map), "real 1000, effective 1000, saved 0");
        assert_eq!(list(&[100_043, 100_026], &map), "27 44");
        assert_eq!(list(&[], &map), "none");
    }
}
