//! Text of others, made fit to be printed.
//!
//! What comes from an image, an archive or a registry must not move a terminal's cursor, change its colours, or turn
//! around the order in which it shows what is around it. This is the one place that knows which characters do.

/// No message of a registry is longer when it is shown.
const LONGEST_MESSAGE: usize = 300;

/// Whether `c` is for the terminal and not for the eye: control characters (Unicode's category Cc), and those that
/// change the direction of text (Unicode Standard Annex 9, "Explicit Directional Formatting Characters").
fn is_control(c: char) -> bool {
    let changes_direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || changes_direction
}

/// `text` with control characters written out as `\u001b`; ends of lines and tabs stay. In JSON that means the same as
/// before: there only those from U+007F on are left to be written so.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => escaped.push(c),
            c if is_control(c) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The words of `text` on one line of at most `most` characters, with `?` for control characters, and `…` for what is cut
/// off.
pub fn one_line(text: &str, most: usize) -> String {
    shortened(&text.split_whitespace().collect::<Vec<_>>().join(" "), most)
}

/// [`one_line`], but each blank stays; so do tabs and ends of lines, as one blank each.
pub fn shortened(text: &str, most: usize) -> String {
    let shown = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if is_control(c) => '?',
        c => c,
    };
    let mut line: String = text.chars().take(most).map(shown).collect();
    if text.chars().nth(most).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

/// What a registry or an image says, as part of a message: [`one_line`] of a bearable length.
pub fn printable(text: &str) -> String {
    one_line(text, LONGEST_MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_repaint_the_terminal() {
        assert_eq!(escaped("user \u{1b}[31m\u{9b}2J:\r\n\thelp"), "user \\u001b[31m\\u009b2J:\\u000d\n\thelp");
        assert_eq!(one_line("RUN a &&\n\tb \u{1b}[2J", 40), "RUN a && b ?[2J");
        assert_eq!(one_line("a long long command", 8), "a long …");
        assert_eq!(one_line("a long …", 8), "a long …");
        assert_eq!(one_line("a", 0), "…");
        assert_eq!(shortened("a  b\n\u{1b}c", 40), "a  b ?c");
        assert_eq!(shortened("a  bcd", 5), "a  b…");
    }

    #[test]
    fn nor_turn_it_around() {
        for c in "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}".chars() {
            assert_eq!(escaped(&format!("a{c}b")), format!("a\\u{:04x}b", u32::from(c)));
            assert_eq!(printable(&format!("a{c}b")), "a?b");
        }
    }
}
