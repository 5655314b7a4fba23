//! Who a name is, asked of the image: `/etc/passwd` and `/etc/group` as the container will see them.
//!
//! Both files come from the image and are not to be trusted: they may be symlinks, fifos or endless, and their
//! lines may be anything. They are read from inside the image's root, as regular files, up to a size; a line that
//! makes no sense is passed over. The C library's own functions would read the host's files instead.

use anyhow::{Context, Result, bail, ensure};
use chroot::inside::Root;

/// Whom a container's command runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// `HOME`.
    pub home: String,
}

/// The most of `/etc/passwd` or `/etc/group` that is read, in bytes.
const LIMIT: u64 = 4 << 20;

/// The highest id. The one above stands for "leave it as it is" in setresuid(2).
const HIGHEST_ID: u32 = u32::MAX - 1;

/// Finds the user that `wanted` (`USER`, `USER:GROUP`, by name or number; empty for root) is in `tree`.
pub fn resolve(tree: &Root, wanted: &str) -> Result<User> {
    let passwd = read(tree, "/etc/passwd")?;
    let group = read(tree, "/etc/group")?;
    resolve_in(&passwd, &group, wanted)
}

/// Finds the group that `wanted`, a name or a number, is in `tree`.
pub fn group(tree: &Root, wanted: &str) -> Result<u32> {
    Groups(&read(tree, "/etc/group")?).find(wanted)
}

fn read(tree: &Root, path: &str) -> Result<String> {
    let bytes = tree.read_file(path, LIMIT).with_context(|| format!("read the image's {path}"))?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

fn resolve_in(passwd: &str, group: &str, wanted: &str) -> Result<User> {
    let (user, wanted_group) = match wanted.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (wanted, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let entry = passwd.lines().filter_map(Entry::parse).find(|entry| entry.is(user));
    let uid = match (&entry, id(user)?) {
        (Some(entry), _) => entry.uid,
        (None, Some(uid)) => uid,
        (None, None) => bail!("unable to find user {user}: no matching entries in the image's passwd file"),
    };
    let groups = Groups(group);
    let name = entry.as_ref().map(|entry| entry.name);
    let (gid, groups) = match wanted_group {
        Some(wanted) => (groups.find(wanted)?, vec![]),
        None => (entry.as_ref().map_or(0, |entry| entry.gid), groups.with_member(name)),
    };
    let home = entry.map(|entry| entry.home).filter(|home| !home.is_empty()).unwrap_or("/");
    Ok(User { uid, gid, groups, home: home.to_owned() })
}

/// A line of passwd(5): `name:password:UID:GID:GECOS:directory:shell`.
struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Entry<'a>> {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, _, home, ..] = fields.as_slice() else { return None };
        Some(Entry { name, uid: id(uid).ok()??, gid: id(gid).ok()??, home })
    }

    fn is(&self, wanted: &str) -> bool {
        self.name == wanted || wanted.parse() == Ok(self.uid)
    }
}

/// group(5): lines of `name:password:GID:members`.
struct Groups<'a>(&'a str);

impl<'a> Groups<'a> {
    fn entries(&self) -> impl Iterator<Item = (&'a str, u32, &'a str)> {
        self.0.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, _, gid) = (fields.next()?, fields.next()?, id(fields.next()?).ok()??);
            Some((name, gid, fields.next().unwrap_or_default()))
        })
    }

    fn find(&self, wanted: &str) -> Result<u32> {
        if let Some((_, gid, _)) = self.entries().find(|(name, gid, _)| *name == wanted || wanted.parse() == Ok(*gid)) {
            return Ok(gid);
        }
        id(wanted)?
            .with_context(|| format!("unable to find group {wanted}: no matching entries in the image's group file"))
    }

    fn with_member(&self, user: Option<&str>) -> Vec<u32> {
        let Some(user) = user else { return vec![] };
        self.entries().filter(|(_, _, members)| members.split(',').any(|m| m == user)).map(|(_, gid, _)| gid).collect()
    }
}

/// The id that `text` is, if it is a number at all.
fn id(text: &str) -> Result<Option<u32>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| *number <= HIGHEST_ID);
    ensure!(number.is_some(), "{text}: ids go from 0 to {HIGHEST_ID}");
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\nnonsense\nbig:x:99999999999:1::/:\nada:x:1000:100:Ada:/home/ada:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nusers:x:100:\nmusic:x:7:bo,ada\nmath:x:8:ada\nodd:x:-1:ada\n";

    fn find(wanted: &str) -> User {
        resolve_in(PASSWD, GROUP, wanted).unwrap()
    }

    #[test]
    fn by_name_and_by_number_are_the_same_user() {
        let ada = User { uid: 1000, gid: 100, groups: vec![7, 8], home: "/home/ada".into() };
        assert_eq!(find("ada"), ada);
        assert_eq!(find("1000"), ada);
    }

    #[test]
    fn a_given_group_replaces_all_others() {
        assert_eq!(find("ada:music"), User { uid: 1000, gid: 7, groups: vec![], home: "/home/ada".into() });
        assert_eq!(find("ada:4321").gid, 4321);
    }

    #[test]
    fn a_number_needs_no_entry() {
        assert_eq!(find("4321"), User { uid: 4321, gid: 0, groups: vec![], home: "/".into() });
        assert_eq!(find("").home, "/root");
    }

    #[test]
    fn names_that_are_not_there_and_ids_that_cannot_be() {
        for (wanted, says) in [
            ("eve", "unable to find user eve: no matching entries in the image's passwd file"),
            ("ada:eves", "unable to find group eves: no matching entries in the image's group file"),
            ("4294967295", "4294967295: ids go from 0 to 4294967294"),
            ("big", "unable to find user big: no matching entries in the image's passwd file"),
        ] {
            assert_eq!(resolve_in(PASSWD, GROUP, wanted).unwrap_err().to_string(), says);
        }
    }
}
