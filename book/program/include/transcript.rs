//! `{{#transcript NAME}}`: what commands said when the test ran them.
//!
//! The test keeps it as an insta snapshot, `book/transcripts/NAME.snap`. A line that starts with `$ ` was typed, and
//! those that follow are the answer.

use super::{Used, escaped, is_plain_name, read};
use crate::course::Course;

/// The transcript as HTML. Each command is a code block of its own, so that mdBook's button copies it alone.
pub(super) fn included(course: &Course, name: &str, used: &mut Used) -> Result<String, String> {
    if !is_plain_name(name) {
        return Err(format!("{name:?} is not the name of a transcript"));
    }
    let snapshot = read(course, &course.transcripts().join(format!("{name}.snap")))?;
    used.transcripts.insert(name.to_owned());
    let body = body(&snapshot).ok_or_else(|| format!("book/transcripts/{name}.snap is not an insta snapshot"))?;
    if !body.starts_with("$ ") {
        return Err(format!("book/transcripts/{name}.snap does not start with a command"));
    }
    Ok(format!("<div class=\"transcript\">\n{}</div>\n", exchanges(body).concat()))
}

/// What follows the header between two lines of `---`.
fn body(snapshot: &str) -> Option<&str> {
    let (_header, body) = snapshot.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(body.trim_end_matches('\n'))
}

fn exchanges(body: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut lines = body.lines().peekable();
    while let Some(command) = lines.next() {
        let command = command.strip_prefix("$ ").unwrap_or(command);
        let mut answer = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            answer.push(line);
        }
        out.push(format!("<pre class=\"typed\"><code class=\"nohighlight\">{}</code></pre>\n", escaped(command)));
        if !answer.is_empty() {
            out.push(format!("<pre class=\"answer\"><samp>{}</samp></pre>\n", unbroken(&answer.join("\n"))));
        }
    }
    out
}

/// A blank line would end the block of HTML for Markdown, so it is written as an entity.
fn unbroken(text: &str) -> String {
    let lines = escaped(text);
    let lines = lines.lines().map(|line| if line.trim().is_empty() { "&#10;".into() } else { format!("{line}\n") });
    lines.collect::<String>().trim_end_matches('\n').to_owned()
}
