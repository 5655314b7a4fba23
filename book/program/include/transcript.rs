//! `{{#transcript NAME}}`: what commands said when the test ran them.
//!
//! The test keeps it as an insta snapshot, `book/transcripts/NAME.snap`. A line that starts with `$ ` was typed, and
//! those that follow are the answer. With `predict` after the name, the answers are folded: the reader is to say first
//! what they will be.

use super::{Used, escaped, is_plain_name, read};
use crate::course::Course;

/// The transcript as HTML. Each command is a code block of its own, so that mdBook's button copies it alone.
pub(super) fn included(course: &Course, argument: &str, used: &mut Used) -> Result<String, String> {
    let (name, predict) = match argument.split_once(' ') {
        Some((name, "predict")) => (name, true),
        Some((_, other)) => return Err(format!("a transcript can be shown to predict, not {other}")),
        None => (argument, false),
    };
    if !is_plain_name(name) {
        return Err(format!("{name:?} is not the name of a transcript"));
    }
    let snapshot = read(course, &course.transcripts().join(format!("{name}.snap")))?;
    used.transcripts.insert(name.to_owned());
    let body = body(&snapshot).ok_or_else(|| format!("book/transcripts/{name}.snap is not an insta snapshot"))?;
    if !body.starts_with("$ ") {
        return Err(format!("book/transcripts/{name}.snap does not start with a command"));
    }
    let exchanges = exchanges(body);
    let whole: String = exchanges.iter().map(|exchange| typed(exchange) + &answered(exchange)).collect();
    let shown = if predict {
        let typed: String = exchanges.iter().map(typed).collect();
        let summary = if exchanges.len() == 1 { "What it says" } else { "What they say" };
        format!("{typed}<details>\n<summary>{summary}</summary>\n{whole}</details>\n")
    } else {
        whole
    };
    Ok(format!("<div class=\"transcript\">\n{shown}</div>\n"))
}

/// What follows the header between two lines of `---`.
fn body(snapshot: &str) -> Option<&str> {
    let (_header, body) = snapshot.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(body.trim_end_matches('\n'))
}

/// A command and what it answered.
struct Exchange<'a> {
    command: &'a str,
    answer: Vec<&'a str>,
}

fn exchanges(body: &str) -> Vec<Exchange<'_>> {
    let mut exchanges = Vec::new();
    let mut lines = body.lines().peekable();
    while let Some(command) = lines.next() {
        let command = command.strip_prefix("$ ").unwrap_or(command);
        let mut answer = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            answer.push(line);
        }
        exchanges.push(Exchange { command, answer });
    }
    exchanges
}

fn typed(exchange: &Exchange<'_>) -> String {
    format!("<pre class=\"typed\"><code class=\"nohighlight\">{}</code></pre>\n", escaped(exchange.command))
}

fn answered(exchange: &Exchange<'_>) -> String {
    if exchange.answer.is_empty() {
        return String::new();
    }
    format!("<pre class=\"answer\"><samp>{}</samp></pre>\n", unbroken(&exchange.answer.join("\n")))
}

/// A blank line would end the block of HTML for Markdown, so it is written as an entity.
fn unbroken(text: &str) -> String {
    let lines = escaped(text);
    let lines = lines.lines().map(|line| if line.trim().is_empty() { "&#10;".into() } else { format!("{line}\n") });
    lines.collect::<String>().trim_end_matches('\n').to_owned()
}
