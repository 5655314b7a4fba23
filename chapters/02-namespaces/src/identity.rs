//! Who is who in a user namespace: its id maps (user_namespaces(7)).
//!
//! A user namespace has users and groups of its own, and two tables that say which ids outside they stand for.
//! Root of it may do with its namespaces what root may do with the machine's, and to everything else is the user
//! that the table says.
//!
//! Without help the kernel lets a user give away one id: the user's own. The administrator can lend more, in
//! `/etc/subuid` and `/etc/subgid`; then the set-user-ID programs newuidmap(1) and newgidmap(1) write the table, and a
//! container has 65536 users, of which none but its root is anybody outside.
//!
//! | map                        | inside → outside                                        |
//! |----------------------------|---------------------------------------------------------|
//! | one id                     | 0 → you                                                 |
//! | with ranges                | 0 → you; 1 and up → your range                          |
//! | keep-id, one id            | your id → you                                           |
//! | keep-id, with ranges       | your id → you; all others → your range                  |

mod ranges;

use std::process::Command;

use look::kernel;
use look::{Error, Result};
use nix::unistd::{Pid, geteuid};

pub use ranges::Lent;

/// Whether this is root, and not merely root of a user namespace: of the first one, which maps every id to itself.
pub fn is_the_machines_root() -> bool {
    let map = || std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    geteuid().is_root() && map().split_whitespace().eq(["0", "0", "4294967295"])
}

/// The ids of a new user namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    users: Vec<Line>,
    groups: Vec<Line>,
}

/// A line of a map: `count` ids from `inside` on stand for `outside` and following.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    inside: u32,
    outside: u32,
    count: u32,
}

impl Identity {
    /// Maps the caller `(uid, gid)` to root inside, or to the same id inside (`keep`), and what was `lent` to the
    /// other ids.
    pub fn new((uid, gid): (u32, u32), keep: bool, lent: Option<Lent>) -> Identity {
        let inside = |id| if keep { id } else { 0 };
        let (users, groups) = lent.map_or((None, None), |lent| (Some(lent.users), Some(lent.groups)));
        Identity { users: lines(inside(uid), uid, users), groups: lines(inside(gid), gid, groups) }
    }

    /// Whether more than one id is mapped, so that [`Identity::map`] must be called from outside.
    pub fn needs_help(&self) -> bool {
        self.users.len() > 1 || self.groups.len() > 1
    }

    /// Whether this user and group exist inside.
    pub fn has(&self, uid: u32, gid: u32) -> bool {
        let covers =
            |lines: &[Line], id| lines.iter().any(|line| (line.inside..line.inside + line.count).contains(&id));
        covers(&self.users, uid) && covers(&self.groups, gid)
    }

    /// Writes the maps of this process, which has just been born into the namespace. For one id only.
    pub fn map_self(&self) -> Result<()> {
        kernel::write_map("self", "setgroups", "deny", "the kernel asks for this before a user may map a group")?;
        kernel::write_map("self", "uid_map", &text(&self.users), "your one user id, and who you are inside")?;
        kernel::write_map("self", "gid_map", &text(&self.groups), "and the same for the group")
    }

    /// Has the maps of `process` written, from outside, by newuidmap(1) and newgidmap(1).
    pub fn map(&self, process: Pid) -> Result<()> {
        lend("newuidmap", process, &self.users)?;
        lend("newgidmap", process, &self.groups)
    }
}

/// The caller's id, with the ids of `range` on both sides of it.
fn lines(inside: u32, caller: u32, range: Option<ranges::Range>) -> Vec<Line> {
    let mut lines = vec![Line { inside, outside: caller, count: 1 }];
    let Some(range) = range else { return lines };
    let below = inside.min(range.count);
    if below > 0 {
        lines.push(Line { inside: 0, outside: range.first, count: below });
    }
    if range.count > below {
        lines.push(Line { inside: inside + 1, outside: range.first + below, count: range.count - below });
    }
    lines
}

fn text(lines: &[Line]) -> String {
    let line = |line: &Line| format!("{} {} {}", line.inside, line.outside, line.count);
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn lend(program: &'static str, process: Pid, lines: &[Line]) -> Result<()> {
    let map = text(lines);
    let mut command = Command::new(program);
    command.arg(process.to_string()).args(map.split_whitespace());
    look::tell::about_to(program, &map.replace('\n', ", "), "it may map what the administrator lent you");
    let failed = |problem: String| Error::Content { object: format!("the answer of {program}"), problem };
    let output = command.output().map_err(|error| Error::io("execve", program, &error))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lent() -> Option<Lent> {
        let range = ranges::Range { first: 100_000, count: 65_536 };
        Some(Lent { users: range, groups: range })
    }

    #[test]
    fn one_id_without_ranges() {
        let one = Identity::new((1000, 1001), false, None);
        assert_eq!((text(&one.users), text(&one.groups)), ("0 1000 1".into(), "0 1001 1".into()));
        assert!(!one.needs_help() && one.has(0, 0) && !one.has(1, 0));
    }

    #[test]
    fn with_ranges_the_caller_is_root_and_the_rest_is_lent() {
        let many = Identity::new((1000, 1000), false, lent());
        assert_eq!(text(&many.users), "0 1000 1\n1 100000 65536");
        assert!(many.needs_help() && many.has(65_536, 33) && !many.has(65_537, 0));
    }

    #[test]
    fn keep_id_puts_the_range_on_both_sides() {
        let kept = Identity::new((1000, 1000), true, lent());
        assert_eq!(text(&kept.users), "1000 1000 1\n0 100000 1000\n1001 101000 64536");
        assert_eq!(text(&Identity::new((1000, 7), true, None).groups), "7 7 1");
        let far = Identity::new((2_000_000_000, 5), true, lent());
        assert_eq!(text(&far.users), "2000000000 2000000000 1\n0 100000 65536");
    }
}
