//! Text of others, made fit to be printed.

/// Text from a registry, fit to be printed: nothing in it moves a terminal's cursor or fills a screen.
pub fn printable(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut shown: String = text.chars().take(LONGEST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
