//! Which of root's powers a container has: capabilities(7).
//!
//! The default is Docker's set less `MKNOD`. Almost no program makes device nodes, and a node that was made is one
//! rule of the device guard away from the machine's disk.

use look::kernel::CapabilitySet;
use look::status::CAPABILITIES;

/// What a program that thinks it is root needs to install packages, bind port 80 or change to another user.
const DEFAULT: [&str; 13] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// The default set.
pub fn default() -> CapabilitySet {
    CapabilitySet::of(&DEFAULT)
}

/// The default set, with the capabilities in `add` and without those in `drop`: names with or without `CAP_`, in any
/// case, or `ALL`. A name in `drop` weighs more than `ALL` in `add`, and one in `add` more than `ALL` in `drop`.
///
/// An error names what is no capability.
pub fn choose(add: &[String], drop: &[String]) -> Result<CapabilitySet, String> {
    let (add, drop) = (Wish::of(add)?, Wish::of(drop)?);
    let start = match (add.all, drop.all) {
        (true, _) => CapabilitySet::all(),
        (false, true) => CapabilitySet::NONE,
        (false, false) => default(),
    };
    let taken = if add.all || !drop.all { start.without(drop.named) } else { start };
    Ok(taken.with(add.named.without(if drop.all { CapabilitySet::NONE } else { drop.named })))
}

/// A capability's name as this course has it, `SYS_PTRACE`, however it is written: with `CAP_` or in small letters.
pub fn plain(name: &str) -> String {
    name.to_uppercase().trim_start_matches("CAP_").to_owned()
}

/// Some capabilities by name, or all.
struct Wish {
    all: bool,
    named: CapabilitySet,
}

impl Wish {
    fn of(names: &[String]) -> Result<Wish, String> {
        let mut wish = Wish { all: false, named: CapabilitySet::NONE };
        for wanted in names {
            let name = plain(wanted);
            match CAPABILITIES.iter().find(|known| **known == name) {
                Some(known) => wish.named = wish.named.with(CapabilitySet::of(&[known])),
                None if name == "ALL" => wish.all = true,
                None => return Err(format!("invalid capability: {wanted}; capabilities(7) lists them")),
            }
        }
        Ok(wish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(add: &[&str], drop: &[&str]) -> Result<CapabilitySet, String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        super::choose(&owned(add), &owned(drop))
    }

    #[test]
    fn names_are_dockers() {
        let with = choose(&["sys_ptrace", "CAP_SYS_TIME"], &["cap_chown"]).unwrap();
        assert!(with.contains("SYS_PTRACE") && with.contains("SYS_TIME") && !with.contains("CHOWN"));
        assert!(choose(&["SYS_NICER"], &[]).unwrap_err().starts_with("invalid capability: SYS_NICER"));
    }

    #[test]
    fn all_is_weaker_than_a_name() {
        assert_eq!(choose(&["ALL"], &[]).unwrap(), CapabilitySet::all());
        assert_eq!(choose(&["KILL"], &["ALL"]).unwrap(), CapabilitySet::of(&["KILL"]));
        let but_one = choose(&["ALL"], &["MKNOD"]).unwrap();
        assert!(!but_one.contains("MKNOD") && but_one.contains("SYS_ADMIN"));
        assert_eq!(choose(&[], &[]).unwrap(), default());
    }
}
