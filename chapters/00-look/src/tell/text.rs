//! Events as lines for people.

use std::sync::atomic::{AtomicU16, Ordering};

use colored::Colorize;

use super::{Comparison, Event, Side};
use crate::namespaces::Kind;

/// `12.0 µs  pivot_root(2)  . → /  # why`, in columns, below a heading for each stage. What would be wider than the
/// terminal puts the reason on a line of its own.
pub fn event(event: &Event) -> String {
    let took = event.took_us.map(|us| format!("{us:.1} µs")).unwrap_or_default();
    let man = if event.times > 1 { format!("{} ×{}", event.man, event.times) } else { event.man.clone() };
    let object = shorten_ids(&event.object);
    let answer = event.error.as_ref().map(|answer| format!("  {answer}")).unwrap_or_default();
    let (head, reason) = (format!("{took:>11}  {man:<18} {object:<34} "), format!("# {}", event.why));
    let wide = head.chars().count() + reason.chars().count() + answer.chars().count() > width();
    let gap = if wide { format!("\n{:32}", "") } else { String::new() };
    format!(
        "{}{}  {} {object:<34} {gap}{}{}",
        heading(event).unwrap_or_default(),
        format!("{took:>11}").dimmed(),
        format!("{man:<18}").bold(),
        reason.dimmed(),
        answer.red()
    )
}

/// The stage that begins with `event`, if one does.
fn heading(event: &Event) -> Option<String> {
    const STAGES: [&str; 9] = [
        "its standard streams",
        "a root of its own",
        "a view of its own",
        "a share of its own",
        "layers",
        "volumes",
        "networks",
        "the image",
        "what it may not do",
    ];
    let inside = event.side == Side::Inside;
    let stage = u16::from(event.chapter) | u16::from(inside) << 8 | 1 << 9;
    if STAGE.swap(stage, Ordering::Relaxed) == stage {
        return None;
    }
    let title = STAGES.get(usize::from(event.chapter)).copied().unwrap_or_default();
    let side = if inside { "inside".magenta() } else { "outside".blue() };
    Some(format!("{side} · chapter {}: {}\n", event.chapter, title.bold()))
}

/// The stage that was told last: chapter, side, and a bit that says that there was one.
static STAGE: AtomicU16 = AtomicU16::new(0);

/// How many columns there are to write in. Where it is no terminal, a line stays one line, for `grep`.
fn width() -> usize {
    // SAFETY: all fields are integers, for which zero is valid, and TIOCGWINSZ fills in one winsize.
    let size: libc::winsize = unsafe {
        let mut size = std::mem::zeroed();
        libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size);
        size
    };
    if size.ws_col == 0 { usize::MAX } else { size.ws_col.into() }
}

/// Cuts each id of 64 hexadecimal digits down to 12, as people know them.
fn shorten_ids(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let mut short = String::new();
    for piece in text.split_inclusive(|c| !is_hex(c)) {
        let digits = piece.trim_end_matches(|c| !is_hex(c));
        short.push_str(if digits.len() == 64 { &digits[..12] } else { digits });
        short.push_str(&piece[digits.len()..]);
    }
    short
}

/// What was found by looking at the new process.
pub fn comparison(comparison: &Comparison) -> String {
    let names = |kinds: &[Kind]| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ");
    let (looked, own) = ("looked".green(), names(&comparison.own).green());
    format!("{looked} · it has its own {own}, and shares {}", names(&comparison.shared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_ids_are_shortened() {
        let id = "0123456789abcdef".repeat(4);
        assert_eq!(shorten_ids(&format!("a/{id}/b,{id}")), "a/0123456789ab/b,0123456789ab");
        assert_eq!(shorten_ids("cafe"), "cafe");
        assert_eq!(shorten_ids(&format!("{id}0")), format!("{id}0"));
    }
}
