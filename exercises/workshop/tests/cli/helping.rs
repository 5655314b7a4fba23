//! Hints, solutions and new starts.

use std::path::Path;

use crate::learner::Learner;

#[test]
fn hints_come_one_after_the_other_and_are_counted() {
    let learner = Learner::new();
    let heading = |arguments| learner.types(arguments).out.lines().next().unwrap_or_default().to_owned();
    assert_eq!(heading("hint 1.2"), "1.2 escape, hint 1 of 3");
    assert_eq!(heading("hint escape"), "1.2 escape, hint 2 of 3");
    assert_eq!(heading("hint 1.2 --tier 1"), "1.2 escape, hint 1 of 3");
    assert!(learner.types("list").out.contains("2 hints"));
    assert_eq!(heading("hint 1.2"), "1.2 escape, hint 3 of 3");
    assert_eq!(heading("hint 1.2"), "1.2 escape, hint 3 of 3");
    // Without a number it is about what one is at: the next exercise, or the file that was saved last.
    assert_eq!(heading("hint"), "0.1 namespaces_of, hint 1 of 3");
    learner.types("start 2.1");
    assert_eq!(heading("hint"), "2.1 spawn, hint 1 of 3");
}

#[test]
fn a_solution_is_for_those_who_passed_or_gave_up() {
    let learner = Learner::new();
    let refused = learner.types("solution 1.1");
    assert_eq!((refused.status, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains("cargo workshop solution 1.1 --give-up"), "{}", refused.err);
    let not_sure = learner.types("solution 1.1 --give-up");
    assert_eq!((not_sure.status, not_sure.out.as_str()), (1, ""));
    assert!(!learner.types("list").out.contains("gave up"));

    let given = learner.types("solution 1.1 --give-up --yes");
    assert!(given.out.contains("kernel::chroot(root,") && !given.out.contains("SOLUTION"), "{}", given.out);
    assert!(learner.types("list").out.contains("gave up"));
    assert_eq!(learner.types("solution 1.1").out, given.out);

    learner.answers("0.1-namespaces-of/also-right/follow-the-link");
    learner.types("check 0.1");
    assert!(learner.types("solution 0.1").out.contains("fn inode_in"));
}

#[test]
fn giving_up_is_asked_for_once_more() {
    let learner = Learner::new();
    let asked = |answer: &str| {
        let mut command = learner.prepare(Path::new(env!("CARGO_BIN_EXE_workshop")));
        command.args(["solution", "1.1", "--give-up"]);
        let mut terminal = rexpect::session::spawn_command(command, Some(60_000)).expect("a terminal");
        terminal.exp_string("Give up on 1.1 naive_root? The list will say so. [y/N] ").expect("the question");
        terminal.send_line(answer).expect("an answer");
        terminal.exp_eof().expect("the end")
    };
    assert!(asked("").contains("Nothing is lost"));
    assert!(!learner.types("list").out.contains("gave up"));
    assert!(asked("y").contains("kernel::chroot(root,"));
    assert!(learner.types("list").out.contains("gave up"));
}

#[test]
fn a_new_start_loses_nothing() {
    let learner = Learner::new();
    learner.types("start 1.2");
    let untouched = learner.types("reset 1.2");
    assert_eq!(untouched.out, "Nothing is written in it yet: mine/1.2-escape.rs\n");
    assert!(!learner.file("1.2-escape.rs.bak-1").exists());
    learner.writes("1.2-escape", "// first");
    let said = learner.types("reset 1.2");
    assert_eq!(said.out.lines().next(), Some("What you wrote is now mine/1.2-escape.rs.bak-1"));
    learner.writes("1.2-escape", "// second");
    learner.types("reset 1.2");
    let text = |name| std::fs::read_to_string(learner.file(name)).expect("the file");
    assert_eq!((text("1.2-escape.rs.bak-1"), text("1.2-escape.rs.bak-2")), ("// first".into(), "// second".into()));
    assert!(text("1.2-escape.rs").contains("todo!(\"exercise 1.2\")"));
}
