//! Every transcript in the book, really run.
//!
//! One shell types everything that the pages ask a reader to type, in the order of the pages, from the introduction
//! to the last chapter: what a page shows is what that shell saw after all that came before. The transcripts are
//! insta snapshots in `book/transcripts/`, and the pages include those very files.
//!
//! Where the machine does not let containers be made, all tests are listed as blocked, with the reason; where only
//! something is missing that a few transcripts need, such as the right to set limits, these are.

mod normalise;
mod programs;
mod script;
mod shell;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Trial};

use programs::Programs;
use script::{SCRIPT, Step};
use shell::Shell;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let programs: &'static Programs = Box::leak(Box::new(Programs::build()));
    let blocked = programs.blocked();
    let transcripts = names().map(|name| match blocked.reason(name) {
        Some(reason) => transcript(name, programs).with_kind(format!("blocked: {reason}")).with_ignored_flag(true),
        None => transcript(name, programs),
    });
    let mut trials: Vec<Trial> = transcripts.collect();
    trials.push(Trial::test("the_pages_show_them_in_the_order_in_which_they_ran", || {
        in_order();
        Ok(())
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The transcripts, in the order in which they run.
fn names() -> impl Iterator<Item = &'static str> {
    SCRIPT.iter().filter_map(|step| match step {
        Step::Shown(name, _) | Step::Typed(name, _) => Some(*name),
        _ => None,
    })
}

fn transcript(name: &'static str, programs: &'static Programs) -> Trial {
    Trial::test(name, move || {
        let text = played(programs).get(name).ok_or("the script did not come this far: see the others")?.clone()?;
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(book().join("transcripts"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
        Ok(())
    })
}

/// What was said, by the name of the transcript: the text, or what went wrong instead.
type Played = BTreeMap<&'static str, Result<String, String>>;

/// Runs the whole script, once.
fn played(programs: &Programs) -> &'static Played {
    static PLAYED: OnceLock<Played> = OnceLock::new();
    PLAYED.get_or_init(|| play(programs))
}

fn play(programs: &Programs) -> Played {
    let mut played = Played::new();
    let mut shell = Shell::start(programs);
    let mut numbers = normalise::Numbers::of(shell.pid());
    for step in SCRIPT {
        match step {
            Step::Shown(name, commands) => {
                numbers.begin();
                let said = commands.iter().map(|command| shown(&mut shell, command, &mut numbers)).collect();
                played.insert(name, said);
            }
            Step::Typed(name, commands) => {
                let typed = commands.iter().map(|command| typed(&mut shell, command)).collect();
                played.insert(name, typed);
            }
            Step::Answers(known) => shell.writes_answer(&script::known_answer(known), known),
            Step::Solves(number) => {
                let (file, text) = script::solution(number);
                shell.writes_answer(&text, &file);
            }
            Step::WaitsFor(command) => drop(shell.types(&format!("until {command}; do sleep 0.02; done"))),
        }
    }
    played
}

/// A command with its answer, as the book shows it.
fn shown(shell: &mut Shell, command: &str, numbers: &mut normalise::Numbers) -> Result<String, String> {
    let said = shell.types(command)?;
    let answer = normalise::normalise(&said.text, shell.places(), numbers);
    if answer.lines().any(|line| line.starts_with("$ ")) {
        return Err(format!("an answer looks like a command: {answer}"));
    }
    Ok(format!("$ {command}\n{answer}"))
}

/// A command whose answer is each machine's own. It must go well.
fn typed(shell: &mut Shell, command: &str) -> Result<String, String> {
    let said = shell.types(command)?;
    if said.status != 0 {
        return Err(format!("{command}: status {}: {}", said.status, said.text));
    }
    Ok(format!("$ {command}\n"))
}

/// The pages ask for each transcript once, in the order of the script.
fn in_order() {
    let summary = std::fs::read_to_string(book().join("src/SUMMARY.md")).unwrap();
    let pages = summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    let text: String = pages.map(|page| std::fs::read_to_string(book().join("src").join(page)).unwrap()).collect();
    let ask = text.lines().filter_map(|line| line.trim().strip_prefix("{{#transcript ")?.strip_suffix("}}"));
    let asked: Vec<&str> = ask.map(|words| words.split(' ').next().unwrap()).collect();
    assert_eq!(asked, names().collect::<Vec<_>>());
}

/// The book's folder.
fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
