//! What is read as a profile, and what is refused: by the sentences that the user sees.

use sandbox::seccomp::{Action, Data, MOST_BYTES, Profile, simulate};

use look::kernel::CapabilitySet;

fn complaint(json: &str) -> String {
    match Profile::parse(json.as_bytes()).and_then(|profile| profile.compile(CapabilitySet::NONE)) {
        Ok(program) => panic!("{json} became {} instructions", program.instructions().len()),
        Err(error) => error.to_string(),
    }
}

/// What the profile does about a call of x86-64.
#[cfg(target_arch = "x86_64")]
fn answer(json: &str, nr: u32, args: [u64; 6]) -> Action {
    let profile = Profile::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"));
    let program = profile.compile(CapabilitySet::NONE).unwrap();
    simulate(program.instructions(), &Data { nr, arch: 0xc000_003e, ip: 0, args }).unwrap()
}

#[test]
fn what_is_wrong_and_where() {
    let rule = |rule: &str| {
        format!(
            r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{{"name": "read", "action": "SCMP_ACT_LOG"}}, {rule}]}}"#
        )
    };
    for (json, says) in [
        ("{".to_owned(), "not JSON: EOF while parsing"),
        ("[]".to_owned(), "a list is no object"),
        ("{}".to_owned(), "defaultAction: missing: what is to be done about calls that no rule names?"),
        (r#"{"defaultAction": "SCMP_ACT_ALOW"}"#.to_owned(), r#"defaultAction: "SCMP_ACT_ALOW" is no action"#),
        (r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#.to_owned(), "defaultAction: SCMP_ACT_NOTIFY needs an agent"),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent.sock"}"#.to_owned(),
            "listenerPath: nobody would answer",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}"#.to_owned(),
            r#"flags[0]: "SECCOMP_FILTER_FLAG_NEW_LISTENER" is no flag"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{"architecture": "SCMP_ARCH_X86"}], "architectures": ["SCMP_ARCH_X86"]}"#
                .to_owned(),
            "both archMap and architectures",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86_64"]}"#.to_owned(),
            r#"architectures[0]: "x86_64" is no architecture"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}"#.to_owned(),
            "defaultAction: 4096 is no error number",
        ),
        (rule(r#"{"action": "SCMP_ACT_LOG"}"#), "syscalls[1]: no names"),
        (rule(r#"{"name": "a", "names": ["b"], "action": "SCMP_ACT_LOG"}"#), "syscalls[1]: both name and names"),
        (rule(r#"{"names": ["a", 5], "action": "SCMP_ACT_LOG"}"#), "syscalls[1].names[1]: 5 is no text"),
        (rule(r#"{"names": ["a"]}"#), "syscalls[1].action: missing"),
        (
            rule(r#"{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": -1}"#),
            "syscalls[1].errnoRet: -1 is no number",
        ),
        (
            rule(r#"{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}"#),
            "syscalls[1].args[0].index: 6: arguments are numbered from 0 to 5",
        ),
        (
            rule(r#"{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "op": "=="}]}"#),
            r#"syscalls[1].args[0].op: "==" is no operator"#,
        ),
        (
            rule(r#"{"names": ["a"], "action": "SCMP_ACT_LOG", "args": [{}], "Args": null}"#),
            "syscalls[1]: args is given twice, in different letters",
        ),
        (
            rule(r#"{"names": ["a"], "action": "SCMP_ACT_LOG", "includes": {"minKernel": "4.8.1"}}"#),
            r#"syscalls[1].includes.minKernel: "4.8.1" is no kernel version"#,
        ),
    ] {
        let complaint = complaint(&json);
        assert!(complaint.starts_with(says), "{json}\n{complaint}");
    }
}

#[test]
fn profiles_that_are_meant_to_hurt() {
    let deep = format!(r#"{{"defaultAction": {}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(complaint(&deep).starts_with("not JSON: recursion limit exceeded"));

    let large = format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "x": "{}"}}"#, "x".repeat(MOST_BYTES));
    assert!(complaint(&large).contains("a profile has at most"));

    let different = |n: u32| {
        let args = format!(r#"[{{"index": 1, "value": {n}, "op": "SCMP_CMP_EQ"}}]"#);
        format!(r#"{{"name": "read", "action": "SCMP_ACT_LOG", "args": {args}}}"#)
    };
    let rules = |count| (0..count).map(different).collect::<Vec<_>>().join(",");
    let many = |count| format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]}}"#, rules(count));
    assert!(complaint(&many(10_000)).contains("more than the 4096 instructions"));
    assert!(Profile::parse(many(500).as_bytes()).unwrap().compile(CapabilitySet::NONE).is_ok());
    assert!(complaint(&many(100_000)).contains("a profile has at most"));

    // One rule for one name is ten thousand rules if the name is there ten thousand times.
    let condition = r#"{"index": 0, "op": "SCMP_CMP_EQ"}"#;
    let names = vec![r#""read", "write", "open""#; 10_000].join(",");
    let args = vec![condition; 15_000].join(",");
    let product = format!(
        r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{{"names": [{names}], "action": "SCMP_ACT_LOG", "args": [{args}]}}]}}"#
    );
    assert!(product.len() < MOST_BYTES);
    assert!(complaint(&product).contains("more than the 4096 instructions"));

    let all = ["read", "write", "open", "close", "stat"].map(|name| format!("{name:?}")).join(",");
    let product = product.replace(&names, &all);
    assert!(complaint(&product).contains("more than 65536 checks"));
}

#[cfg(target_arch = "x86_64")]
mod on_x86_64 {
    use super::*;

    const READ: u32 = 0;
    const CLOSE: u32 = 3;
    const CLONE: u32 = 56;
    const MKDIR: u32 = 83;
    const CHMOD: u32 = 90;
    const NONE: [u64; 6] = [0; 6];

    /// Forbids some, allows the rest; the way most profiles begin.
    #[test]
    fn all_but_a_few() {
        let json = r#"{
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "syscalls": [
                { "names": ["chmod", "fchmod", "fchmodat"], "action": "SCMP_ACT_ERRNO" },
                { "names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 }
            ]
        }"#;
        assert_eq!(answer(json, CHMOD, NONE), Action::Errno(1));
        assert_eq!(answer(json, MKDIR, NONE), Action::Errno(28));
        assert_eq!(answer(json, READ, NONE), Action::Allow);
        assert_eq!(answer(json, 600, NONE), Action::Allow);
    }

    #[test]
    fn said_in_a_few_words() {
        let words =
            |json: &str| Profile::parse(json.as_bytes()).unwrap().compile(CapabilitySet::NONE).unwrap().summary();
        let rule = r#"{"names": ["read", "write"], "action": "SCMP_ACT_"#;
        let few = words(&format!(r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{rule}ALLOW"}}]}}"#));
        assert!(few.ends_with(" instructions, 2 calls allowed"), "{few}");
        let many = words(&format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}ERRNO"}}]}}"#));
        assert!(many.ends_with(" instructions, all calls allowed but 2"), "{many}");
    }

    /// The form of profiles before Docker 1.13: one `name` in each rule.
    #[test]
    fn one_name_each() {
        let json = r#"{
            "defaultAction": "SCMP_ACT_ERRNO",
            "syscalls": [
                { "name": "clone", "action": "SCMP_ACT_ALLOW", "args": [
                    { "index": 0, "value": 2080505856, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }
                ] },
                { "name": "read", "action": "SCMP_ACT_ALLOW", "args": [] },
                { "name": "close", "action": "SCMP_ACT_ALLOW", "args": null }
            ]
        }"#;
        assert_eq!(answer(json, READ, NONE), Action::Allow);
        assert_eq!(answer(json, CLOSE, NONE), Action::Allow);
        assert_eq!(answer(json, CLONE, [17, 0, 0, 0, 0, 0]), Action::Allow);
        assert_eq!(answer(json, CLONE, [0x1000_0011, 0, 0, 0, 0, 0]), Action::Errno(1));
        assert_eq!(answer(json, 1, NONE), Action::Errno(1));
    }

    /// Docker's decoder does not care about letters, and does not know all keys.
    #[test]
    fn other_letters_and_unknown_keys() {
        let json = r#"{
            "DefaultAction": "SCMP_ACT_KILL_PROCESS", "defaultErrno": "ENOSYS",
            "syscalls": [{ "Names": ["read"], "ACTION": "SCMP_ACT_ALLOW", "errno": "EPERM", "comment": "",
                "Args": [{ "Index": 0, "Value": 3, "Op": "SCMP_CMP_EQ" }], "includes": {}, "excludes": null }]
        }"#;
        assert_eq!(answer(json, READ, [3, 0, 0, 0, 0, 0]), Action::Allow);
        assert_eq!(answer(json, READ, NONE), Action::KillProcess);
    }

    #[test]
    fn every_action() {
        for (name, action) in [
            ("SCMP_ACT_KILL", Action::KillThread),
            ("SCMP_ACT_KILL_THREAD", Action::KillThread),
            ("SCMP_ACT_KILL_PROCESS", Action::KillProcess),
            ("SCMP_ACT_TRAP", Action::Trap(0)),
            ("SCMP_ACT_ERRNO", Action::Errno(7)),
            ("SCMP_ACT_TRACE", Action::Trace(7)),
            ("SCMP_ACT_LOG", Action::Log),
            ("SCMP_ACT_ALLOW", Action::Allow),
        ] {
            let json = format!(
                r#"{{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 2, "syscalls": [
                    {{"names": ["read"], "action": "{name}", "errnoRet": 7}}, {{"names": ["close"], "action": "SCMP_ACT_ERRNO"}}]}}"#
            );
            assert_eq!(answer(&json, READ, NONE), action);
            assert_eq!(answer(&json, CLOSE, NONE), Action::Errno(1), "not the default's");
            assert_eq!(answer(&json, 1, NONE), Action::Errno(2));
        }
    }

    /// Two comparisons of one argument are alternatives, as they are for Docker; of two arguments, they must both hold.
    #[test]
    fn comparisons_of_the_same_argument() {
        let json = |second: u8| {
            format!(
                r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [
                    {{"index": 0, "value": 3, "op": "SCMP_CMP_EQ"}}, {{"index": {second}, "value": 5, "op": "SCMP_CMP_EQ"}}]}}]}}"#
            )
        };
        for (args, same, different) in [
            ([3, 0, 0, 0, 0, 0], true, false),
            ([5, 0, 0, 0, 0, 0], true, false),
            ([3, 5, 0, 0, 0, 0], true, true),
            ([4, 5, 0, 0, 0, 0], false, false),
        ] {
            assert_eq!(answer(&json(0), READ, args) == Action::Allow, same, "{args:?}");
            assert_eq!(answer(&json(1), READ, args) == Action::Allow, different, "{args:?}");
        }
    }

    /// Of rules without conditions the first counts that says something new; a condition can only make it stricter.
    #[test]
    fn rules_that_disagree() {
        let rule = |action: &str, errno: u16, when: &str| {
            format!(r#"{{"names": ["read"], "action": "SCMP_ACT_{action}", "errnoRet": {errno}, "args": [{when}]}}"#)
        };
        let three = r#"{"index": 0, "value": 3, "op": "SCMP_CMP_EQ"}"#;
        let (allow, refuse, as_default) = (rule("ALLOW", 1, ""), rule("ERRNO", 5, ""), rule("ERRNO", 1, ""));
        let (allow_three, refuse_three) = (rule("ALLOW", 1, three), rule("ERRNO", 5, three));
        let (allowed, refused, default) = (Action::Allow, Action::Errno(5), Action::Errno(1));
        // What becomes of any call, and of one with a 3.
        for (rules, any, with_three) in [
            ([&refuse_three, &allow], allowed, refused),
            ([&allow, &refuse_three], allowed, refused),
            ([&allow_three, &refuse], refused, refused),
            ([&allow_three, &as_default], default, allowed),
            ([&allow, &refuse], allowed, allowed),
            ([&refuse, &allow], refused, refused),
            ([&as_default, &allow], allowed, allowed),
            ([&allow_three, &refuse_three], default, refused),
        ] {
            let [first, second] = rules;
            let json = format!(r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{first}, {second}]}}"#);
            assert_eq!(
                (answer(&json, READ, NONE), answer(&json, READ, [3, 0, 0, 0, 0, 0])),
                (any, with_three),
                "{json}"
            );
        }
    }
}
