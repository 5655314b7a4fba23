//! More than one id for an ordinary user: subuid(5), newuidmap(1).
//!
//! Alone, an ordinary user can map one id into a user namespace: his own. An image has files of many users. So
//! an administrator sets ranges of otherwise unused ids aside for each user, in `/etc/subuid` and `/etc/subgid`,
//! and two set-user-ID programs map them for who may have them.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use look::kernel::{self, CloneFlags};
use nix::errno::Errno;
use nix::unistd::{Gid, Pid, Uid, getgid, getuid};

use super::child::{Attempt, Refusal, in_child, in_child_meanwhile};
use super::finding::{Advice, Finding, Subject};
use super::machine::Machine;
use super::needs::Requirement;

const SUBJECT: Subject = Subject {
    name: "id ranges",
    did: "mapped a range of ids into a user namespace (an ordinary user: by newuidmap and newgidmap) and became id 1",
    from_chapter: 4,
    serves: Some(Requirement::OtherIds),
};

/// A line of subuid or subgid: the first id, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: u32,
    count: u32,
}

/// What is set aside for the user, of users and of groups, and where new ranges could begin.
struct SetAside {
    users: Option<Range>,
    groups: Option<Range>,
    free: u64,
}

impl SetAside {
    fn for_user_of(machine: &Machine) -> SetAside {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (subuid, subgid) = (read("/etc/subuid"), read("/etc/subgid"));
        SetAside {
            users: range_of(&subuid, machine),
            groups: range_of(&subgid, machine),
            free: next_free(&[&subuid, &subgid]),
        }
    }

    /// Maps them, as an ordinary user.
    fn map(&self, machine: &Machine) -> Attempt {
        let none = |file: &str| Refusal::wrong("read", file, &format!("it has no range for {}", machine.user));
        let users = self.users.ok_or_else(|| none("/etc/subuid"))?;
        let groups = self.groups.ok_or_else(|| none("/etc/subgid"))?;
        in_namespace(&|child| run_helpers(child, users, groups))
    }
}

/// Maps a range and becomes an id of it.
pub fn probe(machine: &Machine) -> Finding {
    if machine.is_root() {
        return match in_namespace(&|child| write_maps(child)) {
            Ok(()) => SUBJECT.ok("you are root and can map any"),
            Err(refusal) => SUBJECT.warn(&refusal, why_not(&refusal, machine)),
        };
    }
    let set_aside = SetAside::for_user_of(machine);
    match set_aside.map(machine) {
        Ok(()) => {
            SUBJECT.ok(format!("{} ids mapped by newuidmap and newgidmap", set_aside.users.map_or(0, |r| r.count)))
        }
        Err(refusal) => SUBJECT.blocked(&refusal, why_not(&refusal, machine)),
    }
}

/// Becomes another user in a child: root just so, an ordinary user by a range.
pub fn become_another() -> Attempt {
    let machine = Machine::here();
    if !machine.is_root() {
        return SetAside::for_user_of(&machine).map(&machine);
    }
    in_child(|| {
        kernel::setgroups(&[Gid::from_raw(1)], "another group")?;
        kernel::setresgid(Gid::from_raw(1), "another group")?;
        Ok(kernel::setresuid(Uid::from_raw(1), "another user")?)
    })
}

/// What is missing on this machine.
pub fn why_not(refusal: &Refusal, machine: &Machine) -> Advice {
    let SetAside { users, groups, free } = SetAside::for_user_of(machine);
    why(refusal, users.is_none() && groups.is_none(), free, machine)
}

/// Lets a child make a user namespace, has `map` fill it from outside, and lets the child become an id of it.
fn in_namespace(map: &dyn Fn(Pid) -> Attempt) -> Attempt {
    let pipe = || std::io::pipe().map_err(|e| Refusal::io("pipe", "between two processes", &e));
    let ((mut made, mut says_made), (mut mapped, mut says_mapped)) = (pipe()?, pipe()?);
    let mut outcome = Ok(());
    let became = in_child_meanwhile(
        move || {
            kernel::unshare(CloneFlags::CLONE_NEWUSER, "to have ids in it")?;
            // A word that does not come means that the other one has failed, and says so itself.
            let _ = says_made.write_all(b"!");
            let _ = mapped.read(&mut [0]);
            kernel::setresgid(Gid::from_raw(1), "a group of the range")?;
            Ok(kernel::setresuid(Uid::from_raw(1), "a user of the range")?)
        },
        |child| {
            if made.read(&mut [0]).is_ok_and(|length| length == 1) {
                outcome = map(child);
                let _ = says_mapped.write_all(b"!");
            }
        },
    );
    outcome.and(became)
}

/// Root maps what it likes.
fn write_maps(child: Pid) -> Attempt {
    for file in ["uid_map", "gid_map"] {
        kernel::write_map(&child.to_string(), file, "0 100000 65536", "a range")?;
    }
    Ok(())
}

/// An ordinary user asks the two programs, which look at the ranges again.
fn run_helpers(child: Pid, uids: Range, gids: Range) -> Attempt {
    let programs = [("newuidmap", getuid().as_raw(), uids), ("newgidmap", getgid().as_raw(), gids)];
    for (program, own, range) in programs {
        let mut command = Command::new(program);
        command.arg(child.to_string()).args(["0", &own.to_string(), "1"]);
        command.args(["1", &range.start.to_string(), &range.count.to_string()]);
        let output = command.stdin(Stdio::inherit()).output().map_err(|error| Refusal::io("run", program, &error))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(Refusal::wrong("run", program, words.lines().next().unwrap_or("it failed without a word")));
        }
    }
    Ok(())
}

/// The first range of the user in a text of subuid(5), where it stands by name or by number.
fn range_of(text: &str, machine: &Machine) -> Option<Range> {
    let number = machine.uid.to_string();
    ranges(text).find(|(owner, _)| *owner == machine.user || *owner == number).map(|(_, range)| range)
}

fn ranges(text: &str) -> impl Iterator<Item = (&str, Range)> {
    text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let range = Range { start: fields.next()?.parse().ok()?, count: fields.next()?.parse().ok()? };
        (range.count > 0).then_some((owner, range))
    })
}

/// The first id of 65536 that nobody has in any of the files, counting as useradd(8) does.
fn next_free(files: &[&str]) -> u64 {
    let ends =
        files.iter().flat_map(|text| ranges(text)).map(|(_, range)| u64::from(range.start) + u64::from(range.count));
    ends.max().unwrap_or(0).max(100_000)
}

/// What is missing: the programs, the ranges, or the programs' right to map.
fn why(refusal: &Refusal, no_ranges: bool, free: u64, machine: &Machine) -> Advice {
    let user = &machine.user;
    let last = free + 65_535;
    let set_aside = format!("sudo usermod --add-subuids {free}-{last} --add-subgids {free}-{last} {user}");
    let consequence = "Until then your containers have one user, and files of others in an image become yours.";
    if refusal.call == "unshare" {
        return Advice::only("This needs a user namespace: see there.");
    }
    if machine.is_root() {
        return Advice::only(
            "You are root, but of a user namespace that has no such ids, or without CAP_SETUID: your containers have \
             only the ids that you have.",
        );
    }
    if refusal.call == "run" && refusal.errno() == Some(Errno::ENOENT) {
        return Advice::new(
            format!("The programs that map ranges are not installed. {consequence}"),
            [machine.os.install_uidmap()],
        );
    }
    if refusal.call == "read" {
        let install = (!is_installed("newuidmap")).then(|| machine.os.install_uidmap());
        let half = if no_ranges { "" } else { " (only one of the two files has one)" };
        return Advice::new(
            format!("No range of ids is set aside for {user}{half}. {consequence}"),
            install.into_iter().chain([set_aside]),
        );
    }
    if machine.no_new_privs {
        return Advice::only(format!(
            "Set-user-ID programs give nothing to this process, because whatever started your shell set              no_new_privs (a sandbox, or a container with no-new-privileges). {consequence}"
        ));
    }
    Advice::new(
        format!("The programs are there but may not map; perhaps they have lost their set-user-ID bit. {consequence}"),
        ["ls -l $(command -v newuidmap newgidmap)", "sudo chmod u+s $(command -v newuidmap newgidmap)"],
    )
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::os::Os;

    fn me() -> Machine {
        let os = Os::parse("ID=fedora");
        Machine { uid: 1000, user: "me".into(), os, ..Machine::default() }
    }

    #[test]
    fn ranges_by_name_and_by_number() {
        let text = "other:100000:65536\nme:165536:65536\nme:300000:10\n1001:231072:65536\n";
        assert_eq!(range_of(text, &me()), Some(Range { start: 165_536, count: 65_536 }));
        let by_number = Machine { uid: 1001, user: "you".into(), ..Machine::default() };
        assert_eq!(range_of(text, &by_number), Some(Range { start: 231_072, count: 65_536 }));
        assert_eq!(range_of("me:x:1\nme:1\n\n#me:1:1\nme:5:0", &me()), None);
    }

    #[test]
    fn a_new_range_overlaps_none() {
        assert_eq!(next_free(&["", ""]), 100_000);
        assert_eq!(next_free(&["a:100000:65536", "a:100000:65536\nb:165536:65536"]), 231_072);
        assert_eq!(next_free(&["a:4294967295:4294967295"]), 8_589_934_590);
    }

    #[test]
    fn each_failure_has_its_cause() {
        let told = |refusal: &Refusal, machine: &Machine| {
            let advice = why(refusal, true, 100_000, machine);
            format!("{}\n{}", advice.means, advice.fix.join("\n"))
        };
        let absent = told(&Refusal::new("run", "newuidmap", Errno::ENOENT), &me());
        assert!(absent.contains("sudo dnf install shadow-utils"), "{absent}");
        let no_range = told(&Refusal::wrong("read", "/etc/subuid", "it has no range for me"), &me());
        assert!(no_range.contains("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 me"), "{no_range}");
        let refused = Refusal::wrong("run", "newuidmap", "write to uid_map failed: Operation not permitted");
        assert!(told(&refused, &me()).contains("chmod u+s"));
        assert!(told(&refused, &Machine { no_new_privs: true, ..me() }).contains("no_new_privs"));
    }
}
