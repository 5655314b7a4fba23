//! Enough of HTML to find its links: tags and their attributes, in pages that mdBook wrote.

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// `a`, `link`, …
    pub name: &'a str,
    /// Its attributes, with entities replaced.
    pub attributes: Vec<(&'a str, String)>,
}

impl Tag<'_> {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }
}

/// The start tags of `page`. What is in scripts, styles and comments is no tag.
pub fn tags(page: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = after(comment, "-->");
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (tag, after_tag) = tag(rest);
            rest = match tag.name {
                "script" => after(after_tag, "</script"),
                "style" => after(after_tag, "</style"),
                _ => after_tag,
            };
            tags.push(tag);
        }
    }
    tags
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

/// A tag at the start of `text`, and what follows it.
fn tag(text: &str) -> (Tag<'_>, &str) {
    let ends = |c: char| c.is_whitespace() || c == '>' || c == '/';
    let (name, mut rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (Tag { name, attributes }, rest.strip_prefix('>').unwrap_or(rest));
        }
        let (attribute, value, after) = attribute(rest);
        attributes.push((attribute, unescaped(value)));
        rest = after;
    }
}

/// `name="value"`, `name='value'`, `name=value` or `name`, and what follows it.
fn attribute(text: &str) -> (&str, &str, &str) {
    let ends = |c: char| c.is_whitespace() || c == '=' || c == '>';
    // The first character belongs to the name whatever it is, so that each attribute is at least that long.
    let end = text.char_indices().skip(1).find(|(_, c)| ends(*c)).map_or(text.len(), |(at, _)| at);
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.strip_prefix('=') else { return (name, "", rest) };
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (value, rest) = quoted.split_once(quote).unwrap_or((quoted, ""));
            return (name, value, rest);
        }
    }
    let (value, rest) = value.split_at(value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len()));
    (name, value, rest)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_attributes_of_every_form() {
        let page = r#"<!-- <a href="no"> --><p>1 < 2<br/><a href="x?a&amp;b" class='c' hidden data-n=3>t</a>"#;
        let found = tags(page);
        let names: Vec<_> = found.iter().map(|tag| tag.name).collect();
        assert_eq!(names, ["p", "br", "a"]);
        let link = &found[2];
        assert_eq!(link.attribute("href"), Some("x?a&b"));
        assert_eq!(
            (link.attribute("class"), link.attribute("hidden"), link.attribute("data-n")),
            (Some("c"), Some(""), Some("3"))
        );
    }

    #[test]
    fn what_a_script_says_is_no_tag() {
        let found = tags("<script src=\"a.js\">if (a<b) '<img src=\"http://x\">'</script><style>a<b{}</style><i>");
        let names: Vec<_> = found.iter().map(|tag| tag.name).collect();
        assert_eq!(names, ["script", "style", "i"]);
    }

    #[test]
    fn text_that_ends_too_early_is_no_reason_to_panic() {
        for broken in ["<", "<a", "<a ", "<a href", "<a href=", "<a href=\"", "<!--", "<script>", "<é", "<a é", "<a =>"]
        {
            tags(broken);
        }
    }
}
