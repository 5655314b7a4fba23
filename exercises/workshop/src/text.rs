//! Words on a terminal.

/// How wide running text is at most.
const WIDTH: usize = 92;

/// `text` in lines that start with `indent` and are not wider than people like to read. Its own line breaks stay, and
/// so do lines that are indented: those are commands.
pub fn wrapped(text: &str, indent: &str) -> String {
    text.lines().map(|line| wrap_line(line, indent)).collect()
}

fn wrap_line(text: &str, indent: &str) -> String {
    if text.starts_with(' ') {
        return format!("{indent}{text}\n");
    }
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = indent.chars().count() + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            out += &format!("{indent}{line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    out + if line.is_empty() { "" } else { indent } + &line + "\n"
}

/// `text` with `width` columns: `format!("{:<width$}")` does not know that colours have no width.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let text = wrapped(&"word ".repeat(30), "  ");
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.len() <= WIDTH && line.starts_with("  w")));
    }

    #[test]
    fn commands_stay_as_they_are() {
        assert_eq!(wrapped("Type:\n    a  b", "  "), "  Type:\n      a  b\n");
    }

    #[test]
    fn a_word_that_is_too_long_has_a_line_of_its_own() {
        assert_eq!(wrapped(&format!("a {} b", "x".repeat(200)), "").lines().count(), 3);
    }
}
