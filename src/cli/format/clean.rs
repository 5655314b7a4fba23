//! Text of somebody else's, fit for a terminal.

/// `text` without the control characters that could repaint a terminal; ends of lines and tabs stay. The others become
/// `\u001b`, as in JSON: there only those from U+007F on are left to be written so, and it means the same as before.
pub fn clean(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// [`clean`], if it is for a `terminal`.
pub fn clean_for(terminal: bool, text: String) -> String {
    if terminal { clean(&text) } else { text }
}
