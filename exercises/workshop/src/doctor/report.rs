//! What the doctor says: for people and for programs.

use std::fmt::Write;

use colored::{ColoredString, Colorize};
use serde::Serialize;

use super::finding::{Finding, Outcome};
use super::needs::Requirement;

/// All findings, and what they mean for the exercises.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was found, in the order of looking.
    pub findings: Vec<Finding>,
    /// The exercises that can be done here.
    pub can: Vec<String>,
    /// The exercises that cannot.
    pub blocked: Vec<String>,
}

impl Report {
    /// Sorts the exercises, each with its needs, by what was found.
    pub fn new(mut findings: Vec<Finding>, exercises: &[(&str, &[Requirement])]) -> Report {
        for finding in findings.iter_mut().filter(|finding| finding.outcome == Outcome::Blocked) {
            let needs_it = |needs: &[Requirement]| finding.serves.is_some_and(|serves| needs.contains(&serves));
            let blocked = exercises.iter().filter(|(_, needs)| needs_it(needs));
            finding.blocks = blocked.map(|(name, _)| (*name).to_owned()).collect();
        }
        let is_blocked =
            |name: &str| findings.iter().any(|finding| finding.blocks.iter().any(|blocked| blocked == name));
        let names = exercises.iter().map(|(name, _)| (*name).to_owned());
        let (blocked, can) = names.partition(|name| is_blocked(name));
        Report { findings, can, blocked }
    }

    /// The exit status: 2 if there is an exercise that cannot be done here.
    pub fn status(&self) -> u8 {
        if self.blocked.is_empty() { 0 } else { 2 }
    }

    /// A table, then the details of what is not well (or of everything), then a summary.
    pub fn as_text(&self, everything: bool) -> String {
        let mut text = String::new();
        let width = self.findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
        for finding in &self.findings {
            let said = finding.said.lines().next().unwrap_or_default();
            let _ = writeln!(text, "{} {:<width$}  {said}", mark(finding.outcome), finding.name);
        }
        for finding in self.findings.iter().filter(|finding| everything || finding.outcome != Outcome::Ok) {
            details(&mut text, finding);
        }
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(" ") };
        let _ = writeln!(text, "\nYou can do: {}. Blocked here: {}.", list(&self.can), list(&self.blocked));
        text
    }
}

fn mark(outcome: Outcome) -> ColoredString {
    match outcome {
        Outcome::Ok => "✔".green(),
        Outcome::Warn => "!".yellow(),
        Outcome::Blocked => "⊘".red(),
        Outcome::NotKnown => "?".cyan(),
    }
}

fn details(text: &mut String, finding: &Finding) {
    let when = match (finding.outcome, finding.from_chapter) {
        (Outcome::Ok, _) => String::new(),
        (_, 0 | 1) => " (matters now)".into(),
        (_, chapter) => format!(" (matters from chapter {chapter} on)"),
    };
    let _ = writeln!(text, "\n{} {}{}", mark(finding.outcome), finding.name.bold(), when.dimmed());
    let _ = writeln!(text, "  tried   {}", finding.did);
    let _ = writeln!(text, "  answer  {}", finding.said);
    if !finding.blocks.is_empty() {
        let _ = writeln!(text, "  blocks  {}", finding.blocks.join(" "));
    }
    let Some(advice) = &finding.advice else { return };
    for line in wrapped(&advice.means, 98) {
        let _ = writeln!(text, "  {line}");
    }
    for line in advice.fix.iter().flat_map(|command| command.lines()) {
        let line = if line.starts_with('#') { line.dimmed() } else { line.normal() };
        let _ = writeln!(text, "      {line}");
    }
}

/// Lines of at most `width` characters, broken between words.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::child::Refusal;
    use crate::doctor::finding::{Advice, Subject};
    use nix::errno::Errno;

    const EXERCISES: [(&str, &[Requirement]); 3] = [
        ("0.1", &[]),
        ("1.1", &[Requirement::UserNamespaces]),
        ("1.2", &[Requirement::UserNamespaces, Requirement::MountNamespaces]),
    ];

    fn subject(name: &'static str, serves: Option<Requirement>) -> Subject {
        Subject { name, did: "tried", from_chapter: 3, serves }
    }

    fn report(serves: Requirement) -> Report {
        let refusal = Refusal::new("mount", "tmpfs", Errno::EPERM);
        let blocked = subject("a", Some(serves)).blocked(&refusal, Advice::new("Because.", ["do\nthis"]));
        let warned = subject("b", Some(Requirement::UserNamespaces)).warn("slow", Advice::only("So what."));
        Report::new(vec![subject("c", None).ok("fine"), blocked, warned], &EXERCISES)
    }

    #[test]
    fn what_is_blocked_is_listed_with_the_exercises() {
        let found = report(Requirement::MountNamespaces);
        assert_eq!((found.can.join(" "), found.blocked.join(" ")), ("0.1 1.1".into(), "1.2".into()));
        assert_eq!(found.findings[1].blocks, ["1.2"]);
        assert_eq!(found.status(), 2);
        assert_eq!(report(Requirement::NewProc).status(), 0, "blocked, but no exercise needs it");
        let found = report(Requirement::UserNamespaces);
        assert_eq!((found.can.join(" "), found.blocked.join(" ")), ("0.1".into(), "1.1 1.2".into()));
    }

    #[test]
    fn details_only_where_something_is_not_well() {
        colored::control::set_override(false);
        let text = report(Requirement::MountNamespaces).as_text(false);
        let expected = "\
✔ c  fine
⊘ a  mount tmpfs: EPERM (Operation not permitted)
! b  slow

⊘ a (matters from chapter 3 on)
  tried   tried
  answer  mount tmpfs: EPERM (Operation not permitted)
  blocks  1.2
  Because.
      do
      this

! b (matters from chapter 3 on)
  tried   tried
  answer  slow
  So what.

You can do: 0.1 1.1. Blocked here: 1.2.
";
        assert_eq!(text, expected);
        assert!(report(Requirement::NewProc).as_text(true).contains("\n✔ c\n  tried   tried\n  answer  fine\n"));
    }

    #[test]
    fn long_words_stand_alone() {
        assert_eq!(wrapped("aa bb ccccccc d", 5), ["aa bb", "ccccccc", "d"]);
    }

    #[test]
    fn programs_get_the_same() {
        let json = serde_json::to_value(report(Requirement::MountNamespaces)).unwrap();
        assert_eq!(json["blocked"][0], "1.2");
        assert_eq!(json["findings"][1]["outcome"], "blocked");
        assert_eq!(json["findings"][1]["fix"][0], "do\nthis");
        assert_eq!(json["findings"][0].get("fix"), None);
    }
}
