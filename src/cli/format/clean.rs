//! Text of somebody else's, fit for a terminal.

use crate::text::escaped;

/// [`escaped`], if it is for a `terminal`.
pub fn clean_for(terminal: bool, text: String) -> String {
    if terminal { escaped(&text) } else { text }
}
