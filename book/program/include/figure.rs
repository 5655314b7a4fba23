//! `{{#figure NAME "what it shows"}}`: a drawing, as part of the page.
//!
//! It is not an image file of its own, so that the style sheet reaches into it: a figure takes its colours from the
//! theme that the reader has chosen.

use super::{Used, escaped, is_plain_name, read};
use crate::course::Course;

/// The drawing with its description for those who do not see it.
pub(super) fn included(course: &Course, argument: &str, used: &mut Used) -> Result<String, String> {
    let (name, rest) = argument.split_once(' ').unwrap_or((argument, ""));
    let description = rest.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    if !is_plain_name(name) || description.is_empty() {
        return Err("say which figure, and what it shows: {{#figure NAME \"in words\"}}".into());
    }
    let file = format!("book/figures/{name}.svg");
    let svg = read(course, &course.figures().join(format!("{name}.svg")))?;
    used.figures.insert(name.to_owned());
    let drawing = drawing(&svg, name).map_err(|problem| format!("{file}: {problem}"))?;
    let named = drawing.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escaped(description)), 1);
    Ok(format!("<figure class=\"drawing\">\n{named}\n</figure>\n"))
}

/// The `<svg>` element alone, without blank lines: one would end the block of HTML for Markdown.
fn drawing(svg: &str, name: &str) -> Result<String, String> {
    let start = svg.find("<svg ").ok_or("there is no <svg> in it")?;
    let end = svg.rfind("</svg>").ok_or("the <svg> is not closed")? + "</svg>".len();
    let svg = &svg[start..end];
    for forbidden in ["<script", "<style", "<image", "href=\"http", "url(http", "<foreignObject"] {
        if svg.contains(forbidden) {
            return Err(format!("{forbidden} has no place in a figure"));
        }
    }
    // All figures of a page share one space of ids.
    for id in svg.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        if !id.starts_with(name) {
            return Err(format!("the id {id} must start with {name}, or it could be another figure's"));
        }
    }
    Ok(svg.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"))
}
