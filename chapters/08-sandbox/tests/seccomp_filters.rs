//! The compiled filters against the profile itself, evaluated in the most simple-minded way, for every number and
//! many arguments.
#![cfg(target_arch = "x86_64")]

use std::collections::BTreeMap;

use look::kernel::CapabilitySet;
use sandbox::seccomp::{Action, DEFAULT_PROFILE, Data, Instruction, Profile, default_program, simulate};
use serde_json::{Value, json};
use syscalls::{x86, x86_64};

const X86_64: u32 = 0xc000_003e;
const X86: u32 = 0x4000_0003;
const AARCH64: u32 = 0xc000_00b7;
const ENOSYS: u16 = 38;

/// Docker's default set.
const USUAL: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
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

/// The numbers of a table by name.
fn table(arch: u32) -> BTreeMap<&'static str, u32> {
    match arch {
        X86_64 => x86_64::Sysno::iter().map(|call| (call.name(), call.id() as u32)).collect(),
        _ => x86::Sysno::iter().map(|call| (call.name(), call.id() as u32)).collect(),
    }
}

/// A profile as the JSON says it, for one container.
struct Naive<'a> {
    profile: &'a Value,
    capabilities: &'a [&'a str],
    tables: [BTreeMap<&'static str, u32>; 2],
}

impl<'a> Naive<'a> {
    fn new(profile: &'a Value, capabilities: &'a [&'a str]) -> Self {
        Naive { profile, capabilities, tables: [table(X86_64), table(X86)] }
    }

    /// The rules about one call that count for this container, and whether its number is beyond all that are named.
    fn about(&self, arch: u32, nr: u32) -> (Vec<&'a Value>, bool) {
        let table = if arch == X86_64 { &self.tables[0] } else { &self.tables[1] };
        let rules = || self.profile["syscalls"].as_array().unwrap().iter();
        let named = |rule: &&'a Value| names(rule).any(|name| table.get(name) == Some(&nr));
        let last = rules().flat_map(names).filter_map(|name| table.get(name)).max();
        (rules().filter(named).filter(|rule| self.counts(rule)).collect(), last.is_some_and(|last| nr > *last))
    }

    fn answer(&self, data: &Data, (rules, beyond): &(Vec<&Value>, bool)) -> Action {
        let default = action(&self.profile["defaultAction"], &self.profile["defaultErrnoRet"]);
        match data.arch {
            X86_64 if data.nr >= 0x4000_0000 => return Action::Errno(ENOSYS),
            X86_64 => {}
            X86 if listed(self.profile) => {}
            _ => return Action::KillProcess,
        }
        let (with, without): (Vec<&Value>, Vec<&Value>) = rules.iter().partition(|rule| !conditions(rule).is_empty());
        let of = |rule: &&Value| action(&rule["action"], &rule["errnoRet"]);
        let general = without.iter().map(of).find(|action| *action != default);
        let special = with.iter().filter(|rule| fits(rule, data)).map(of).min();
        match (special, general) {
            (Some(special), Some(general)) => special.min(general),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) if *beyond && default < Action::Trace(0) => Action::Errno(ENOSYS),
            (None, None) => default,
        }
    }

    fn counts(&self, rule: &Value) -> bool {
        let list = |of: &str, what: &str| rule[of][what].as_array().cloned().unwrap_or_default();
        let has = |name: &Value| self.capabilities.contains(&name.as_str().unwrap().trim_start_matches("CAP_"));
        let here = |machines: &[Value]| machines.iter().any(|name| name == "amd64");
        let machines = list("includes", "arches");
        list("includes", "caps").iter().all(has)
            && !list("excludes", "caps").iter().any(has)
            && (machines.is_empty() || here(&machines))
            && !here(&list("excludes", "arches"))
    }
}

fn listed(profile: &Value) -> bool {
    let tables = profile["archMap"].as_array().into_iter().flatten();
    tables
        .filter(|entry| entry["architecture"] == "SCMP_ARCH_X86_64")
        .any(|entry| entry["subArchitectures"].as_array().unwrap().contains(&json!("SCMP_ARCH_X86")))
}

fn names(rule: &Value) -> impl Iterator<Item = &str> {
    rule["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap())
}

fn conditions(rule: &Value) -> &[Value] {
    rule["args"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn fits(rule: &Value, data: &Data) -> bool {
    let conditions = conditions(rule);
    let holds = |condition: &Value| {
        let number = |key: &str| condition[key].as_u64().unwrap_or(0);
        let argument = data.args[number("index") as usize];
        let argument = if data.arch == X86_64 { argument } else { argument & 0xffff_ffff };
        let value = number("value");
        match condition["op"].as_str().unwrap() {
            "SCMP_CMP_NE" => argument != value,
            "SCMP_CMP_LT" => argument < value,
            "SCMP_CMP_LE" => argument <= value,
            "SCMP_CMP_EQ" => argument == value,
            "SCMP_CMP_GE" => argument >= value,
            "SCMP_CMP_GT" => argument > value,
            "SCMP_CMP_MASKED_EQ" => argument & value == number("valueTwo"),
            other => panic!("{other}"),
        }
    };
    let mut indexes: Vec<_> = conditions.iter().map(|condition| condition["index"].as_u64()).collect();
    indexes.sort_unstable();
    let repeated = indexes.windows(2).any(|pair| pair[0] == pair[1]);
    if repeated { conditions.iter().any(holds) } else { conditions.iter().all(holds) }
}

fn action(name: &Value, errno: &Value) -> Action {
    let errno = errno.as_u64().unwrap_or(1) as u16;
    match name.as_str().unwrap() {
        "SCMP_ACT_ALLOW" => Action::Allow,
        "SCMP_ACT_ERRNO" => Action::Errno(errno),
        "SCMP_ACT_LOG" => Action::Log,
        "SCMP_ACT_TRAP" => Action::Trap(0),
        "SCMP_ACT_TRACE" => Action::Trace(errno),
        "SCMP_ACT_KILL_PROCESS" => Action::KillProcess,
        other => panic!("{other}"),
    }
}

/// All numbers that there are, and those about which mistakes are made.
fn numbers() -> impl Iterator<Item = u32> {
    let special = [0x3fff_ffff, 0x4000_0000, 0x4000_0200, 0x7fff_ffff, 0x8000_0000, 0xc000_003e, 0xffff_ffff];
    (0..=600).chain((0..=600).map(|number| number | 0x4000_0000)).chain(special)
}

/// Arguments next to everything that the profile compares with, each also with something in its upper half.
fn arguments(profile: &Value) -> Vec<[u64; 6]> {
    let rules = profile["syscalls"].as_array().unwrap();
    let compared = rules.iter().flat_map(conditions).flat_map(|condition| {
        let number = |key: &str| condition[key].as_u64().unwrap_or(0);
        [number("value"), number("valueTwo"), number("value") & number("value").wrapping_neg()]
    });
    let near = compared.flat_map(|value| [value.wrapping_sub(1), value, value.wrapping_add(1)]);
    let mut values: Vec<u64> = near.chain([0, 1, u64::from(u32::MAX), u64::MAX, 1 << 63]).collect();
    values.extend(values.clone().iter().flat_map(|value| [value | 1 << 32, value & 0xffff_ffff, value << 32]));
    values.sort_unstable();
    values.dedup();
    let alone = values.iter().flat_map(|value| {
        (0..6).map(|index| {
            let mut arguments = [0; 6];
            arguments[index] = *value;
            arguments
        })
    });
    alone.chain(values.iter().map(|value| [*value; 6])).collect()
}

fn compare(program: &[Instruction], naive: &Naive<'_>, numbers: impl Iterator<Item = u32>, what: &str) {
    let arguments = arguments(naive.profile);
    for nr in numbers {
        for arch in [X86_64, X86, AARCH64, 0] {
            let rules = naive.about(arch, nr);
            let looks = rules.0.iter().any(|rule| !conditions(rule).is_empty());
            for args in if looks { arguments.as_slice() } else { &arguments[..1] } {
                let data = Data { nr, arch, ip: 0x7f00_1234_5678, args: *args };
                assert_eq!(simulate(program, &data), Ok(naive.answer(&data, &rules)), "{what}: {data:x?}");
            }
        }
    }
}

#[test]
fn the_default_profile() {
    let profile: Value = serde_json::from_str(DEFAULT_PROFILE).unwrap();
    let without_chroot = &USUAL[..11];
    for capabilities in
        [&USUAL[..], &[], without_chroot, &["SYS_ADMIN"], &["SYS_CHROOT", "SYS_PTRACE", "BPF", "SYS_TIME"]]
    {
        let program = default_program(CapabilitySet::of(capabilities)).unwrap();
        compare(program.instructions(), &Naive::new(&profile, capabilities), numbers(), &format!("{capabilities:?}"));
    }
}

/// The filters in the binary are those that the profile beside them gives.
#[test]
fn what_the_build_has_made() {
    for capabilities in [CapabilitySet::of(&USUAL), CapabilitySet::NONE, CapabilitySet::of(&USUAL[..11])] {
        assert_eq!(default_program(capabilities), Profile::default_profile().compile(capabilities));
    }
}

/// The kernel remembers the answer for calls about which the filter loads nothing but number and table. That must
/// stay so for all calls but those whose arguments are looked at.
#[test]
fn what_the_kernel_can_remember() {
    const LOAD: u16 = 0x20;
    let program = default_program(CapabilitySet::of(&USUAL)).unwrap();
    let names = table(X86_64);
    let looked_at: Vec<&str> = names
        .iter()
        .filter(|(_, nr)| {
            let known = Data { nr: **nr, arch: X86_64, ..Data::default() };
            // Loads of anything else made impossible: a filter that tries is refused.
            let blind: Vec<Instruction> = program
                .instructions()
                .iter()
                .map(|i| if i.code == LOAD && i.k > 4 { Instruction { k: 1, ..*i } } else { *i })
                .collect();
            simulate(&blind, &known).is_err()
        })
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(looked_at, ["clone", "personality", "socket"]);
}

#[test]
fn every_comparison() {
    let values = [0u64, 1, 38, 0x7e02_0000, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0026, 0x8000_0000_0000_0000, u64::MAX];
    for op in ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"] {
        for (n, value) in values.iter().enumerate() {
            let second = values[(n + 3) % values.len()] & value;
            let condition = json!({"index": n % 6, "value": value, "valueTwo": second, "op": format!("SCMP_CMP_{op}")});
            let profile = json!({
                "defaultAction": "SCMP_ACT_ERRNO",
                "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
                "syscalls": [{"names": ["read", "write", "personality"], "action": "SCMP_ACT_ALLOW", "args": [condition]}],
            });
            check(&profile);
        }
    }
}

/// Profiles thrown together: rules that overlap, contradict and repeat one another.
#[test]
fn any_profile() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let names: Vec<&str> = table(X86_64).keys().chain(table(X86).keys()).copied().collect();
    for _ in 0..60 {
        let few: Vec<&str> = (0..12).map(|_| dice.one_of(&names)).collect();
        let rules: Vec<Value> = (0..dice.below(25)).map(|_| dice.rule(&few)).collect();
        let profile = json!({
            "defaultAction": dice.action(), "defaultErrnoRet": 1 + dice.below(5),
            "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": dice.one_of(&[json!(["SCMP_ARCH_X86"]), json!([])])}],
            "syscalls": rules,
        });
        check(&profile);
    }
}

/// Filters whose parts are further apart than a conditional jump reaches.
#[test]
fn far_apart() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let names: Vec<&str> = table(X86_64).keys().copied().collect();
    for _ in 0..2 {
        let rules: Vec<Value> = (0..150).map(|_| dice.rule(&names)).collect();
        let profile = json!({"defaultAction": "SCMP_ACT_ERRNO", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}], "syscalls": rules});
        let instructions = check(&profile);
        assert!(instructions > 1000, "{instructions}");
    }
}

fn check(profile: &Value) -> usize {
    let parsed = Profile::parse(profile.to_string().as_bytes()).unwrap_or_else(|error| panic!("{profile}: {error}"));
    let program =
        parsed.compile(CapabilitySet::of(&["SYS_ADMIN"])).unwrap_or_else(|error| panic!("{profile}: {error}"));
    let naive = Naive::new(profile, &["SYS_ADMIN"]);
    let named = profile["syscalls"].as_array().unwrap().iter().flat_map(|rule| rule["names"].as_array().unwrap());
    let named: Vec<&str> = named.map(|name| name.as_str().unwrap()).collect();
    let spoken_of = naive.tables.iter().flat_map(|table| named.iter().filter_map(|name| table.get(name)));
    let mut near: Vec<u32> =
        spoken_of.flat_map(|nr| [nr.saturating_sub(1), *nr, nr + 1]).chain([0, 1000, 0x4000_0000, u32::MAX]).collect();
    near.sort_unstable();
    near.dedup();
    compare(program.instructions(), &naive, near.into_iter(), &profile.to_string());
    program.instructions().len()
}

/// Numbers that look random and are the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    fn action(&mut self) -> &'static str {
        self.one_of(&[
            "SCMP_ACT_ALLOW",
            "SCMP_ACT_ERRNO",
            "SCMP_ACT_ERRNO",
            "SCMP_ACT_LOG",
            "SCMP_ACT_TRAP",
            "SCMP_ACT_TRACE",
            "SCMP_ACT_KILL_PROCESS",
        ])
    }

    fn rule(&mut self, names: &[&str]) -> Value {
        let names: Vec<&str> = (0..=self.below(3)).map(|_| self.one_of(names)).collect();
        let conditions: Vec<Value> = (0..self.below(4)).map(|_| self.condition()).collect();
        let circumstances = [
            json!({}),
            json!({}),
            json!({"caps": ["CAP_SYS_ADMIN"]}),
            json!({"caps": ["CAP_SYS_TIME"]}),
            json!({"arches": ["amd64"]}),
            json!({"arches": ["arm64"]}),
        ];
        json!({
            "names": names, "action": self.action(), "errnoRet": 1 + self.below(3), "args": conditions,
            "includes": self.one_of(&circumstances), "excludes": self.one_of(&circumstances),
        })
    }

    fn condition(&mut self) -> Value {
        let op = self.one_of(&["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]);
        let value = self.one_of(&[0, 1, 5, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0005, u64::MAX]);
        let second = value & self.one_of(&[0, 1, 5, u64::MAX]);
        json!({"index": self.below(3), "value": value, "valueTwo": second, "op": format!("SCMP_CMP_{op}")})
    }
}
