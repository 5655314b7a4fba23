//! What the administrator lent to a user: subuid(5), subgid(5).

use std::path::Path;

/// The ids that one user may map besides the user's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lent {
    pub(super) users: Range,
    pub(super) groups: Range,
}

/// `count` ids from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u32,
    pub(super) count: u32,
}

impl Lent {
    /// What user `uid` may map, if newuidmap(1) is installed and both files have an entry.
    pub fn to(uid: u32) -> Option<Lent> {
        let read = |path| std::fs::read_to_string(path).ok();
        let (users, groups) = (read("/etc/subuid")?, read("/etc/subgid")?);
        if !["newuidmap", "newgidmap"].into_iter().all(is_installed) {
            return None;
        }
        let user = nix::unistd::User::from_uid(uid.into()).ok().flatten();
        let name = user.map(|user| user.name).unwrap_or_default();
        let of = |text: &str| first_range(text, &name, uid);
        Some(Lent { users: of(&users)?, groups: of(&groups)? })
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| Path::new(&dir).join(program).is_file())
}

/// The first line for this user, `NAME-OR-ID:FIRST:COUNT`, whose numbers make sense.
fn first_range(text: &str, name: &str, uid: u32) -> Option<Range> {
    let number = uid.to_string();
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [who, first, count] = fields.as_slice() else { return None };
        let mine = *who == number || (!name.is_empty() && *who == name);
        let (first, count): (u32, u32) = (first.parse().ok()?, count.trim().parse().ok()?);
        (mine && count > 0 && first.checked_add(count).is_some()).then_some(Range { first, count })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_found_by_name_and_by_number() {
        let text = "ann:100000:65536\n1001:300000:10\nbo:x:1\nbo:4294967295:2\n";
        assert_eq!(first_range(text, "ann", 7), Some(Range { first: 100_000, count: 65_536 }));
        assert_eq!(first_range(text, "", 1001), Some(Range { first: 300_000, count: 10 }));
        assert_eq!(first_range(text, "bo", 8), None, "numbers that make no sense");
        assert_eq!(first_range(text, "an", 9), None);
    }
}
