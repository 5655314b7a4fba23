//! A box of text with edges, and its colours.

use colored::{ColoredString, Colorize};

/// How a piece of text looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Title,
    Faint,
    Size,
    Seen,
    Hidden,
    Replaced,
    Deleted,
    Shared,
}

/// A piece of text of one colour.
#[derive(Debug, Clone)]
pub struct Piece {
    text: String,
    paint: Paint,
}

impl Piece {
    pub fn new(text: impl Into<String>, paint: Paint) -> Piece {
        Piece { text: text.into(), paint }
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.text.chars().map(columns).sum()
    }

    fn painted(&self) -> String {
        let text = self.text.as_str();
        let painted: ColoredString = match self.paint {
            Paint::Plain => text.normal(),
            Paint::Title => text.bold(),
            Paint::Faint => text.dimmed(),
            Paint::Size => text.cyan(),
            Paint::Seen => text.green(),
            Paint::Hidden => text.magenta(),
            Paint::Replaced => text.yellow(),
            Paint::Deleted => text.red(),
            Paint::Shared => text.blue(),
        };
        painted.to_string()
    }
}

/// The pieces, one behind the other.
pub fn painted(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::painted).collect()
}

/// The writing systems whose characters take two columns, roughly, and pictures.
fn columns(character: char) -> usize {
    let wide = matches!(character as u32,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60
        | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD);
    1 + usize::from(wide)
}

/// Lines, all of the same width.
#[derive(Debug)]
pub struct Canvas {
    width: usize,
    lines: Vec<String>,
}

impl Canvas {
    /// An empty one.
    pub fn new(width: usize) -> Canvas {
        Canvas { width, lines: Vec::new() }
    }

    /// How much fits between the edges.
    pub fn room(&self) -> usize {
        self.width - 4
    }

    /// The lines, as they are to be printed.
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// A line between two edges.
    pub fn row(&mut self, pieces: &[Piece]) {
        let blank = self.room().saturating_sub(pieces.iter().map(Piece::width).sum());
        let edge = Piece::new("│", Paint::Faint).painted();
        let text = painted(pieces);
        self.lines.push(format!("{edge} {text}{} {edge}", " ".repeat(blank)));
    }

    /// A line that parts what is above from what is below, with words at both of its ends.
    pub fn rule(&mut self, fill: char, left: &[Piece], right: &[Piece]) {
        let (from, to) = if self.lines.is_empty() { ('┌', '┐') } else { ('├', '┤') };
        let words = |pieces: &[Piece]| match pieces {
            [] => (String::new(), 0),
            pieces => (format!(" {} ", painted(pieces)), pieces.iter().map(Piece::width).sum::<usize>() + 2),
        };
        let ((left, left_width), (right, right_width)) = (words(left), words(right));
        let line = self.width.saturating_sub(4 + left_width + right_width);
        let faint = |text: String| Piece::new(text, Paint::Faint).painted();
        let (begin, middle, end) = (format!("{from}{fill}"), fill.to_string().repeat(line), format!("{fill}{to}"));
        self.lines.push(format!("{}{left}{}{right}{}", faint(begin), faint(middle), faint(end)));
    }

    /// The lower edge.
    pub fn close(&mut self) {
        let edge = format!("└{}┘", "─".repeat(self.width - 2));
        self.lines.push(Piece::new(edge, Paint::Faint).painted());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_are_of_one_width() {
        colored::control::set_override(false);
        let mut canvas = Canvas::new(20);
        canvas.rule('─', &[Piece::new("1", Paint::Title)], &[Piece::new("2kB", Paint::Size)]);
        canvas.row(&[Piece::new("日本", Paint::Plain), Piece::new(" ok", Paint::Faint)]);
        canvas.rule('┄', &[], &[]);
        canvas.close();
        let expected = ["┌─ 1 ──────── 2kB ─┐", "│ 日本 ok          │", "├┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┤", "└──────────────────┘"];
        assert_eq!(canvas.into_lines(), expected);
    }
}
