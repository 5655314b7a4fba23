//! The picture, line by line, from the top layer down.

use std::io::stdout;
use std::os::fd::AsRawFd;

use anyhow::Result;

use super::canvas::{Canvas, Paint, Piece, painted};
use super::{LayerPicture, Picture};
use crate::cli::units;
use crate::say::print;
use crate::text::one_line;

/// Narrower than this it is no picture, and wider nobody reads.
const NARROWEST: usize = 60;
const WIDEST: usize = 100;
/// Where it is not known.
const USUAL: usize = 80;
/// So many other images are named.
const NAMED: usize = 3;

/// Prints the picture.
pub fn draw(picture: &Picture) -> Result<()> {
    lines(picture, width()).iter().try_for_each(|line| print(line))
}

/// How wide the terminal is, within reason.
fn width() -> usize {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel fills in the structure, or fails and leaves it.
    unsafe { libc::ioctl(stdout().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    if size.ws_col == 0 { USUAL } else { usize::from(size.ws_col).clamp(NARROWEST, WIDEST) }
}

fn lines(picture: &Picture, width: usize) -> Vec<String> {
    let mut canvas = Canvas::new(width);
    for step in picture.history.iter().rev() {
        match step.layer.and_then(|number| picture.layers.get(number - 1)) {
            Some(layer) => draw_layer(&mut canvas, layer, picture.size),
            None => {
                let words = one_line(&step.created_by, width - 8);
                canvas.rule('┄', &[Piece::new(words, Paint::Faint)], &[]);
            }
        }
    }
    canvas.close();
    let mut lines = title(picture, width);
    lines.extend(canvas.into_lines());
    if picture.size > 0 {
        lines.push(legend(picture.hidden > 0));
    }
    lines
}

/// The names, and what all layers come to.
fn title(picture: &Picture, width: usize) -> Vec<String> {
    let names = if picture.repo_tags.is_empty() { "<none>".to_owned() } else { picture.repo_tags.join(", ") };
    let platform = format!("{}/{}", picture.os, picture.architecture);
    let platform = one_line(&platform, 30);
    let names = one_line(&names, width.saturating_sub(platform.len() + 18));
    let first =
        [Piece::new(names, Paint::Title), Piece::new(format!("  {} {platform}", picture.id.short()), Paint::Faint)];
    let hidden = match picture.hidden {
        0 => String::new(),
        hidden => format!(", {} hidden", units::size(hidden)),
    };
    let sizes = format!("{}, {} packed{hidden}", units::size(picture.size), units::size(picture.compressed_size));
    let second = [Piece::new(format!("{}: {sizes}", counted(picture.layers.len() as u64, "layer")), Paint::Plain)];
    vec![painted(&first), painted(&second)]
}

fn legend(hidden: bool) -> String {
    let mut pieces = vec![Piece::new("█", Paint::Seen), Piece::new(" what a container sees", Paint::Plain)];
    if hidden {
        pieces.extend([
            Piece::new("   ░", Paint::Hidden),
            Piece::new(" hidden by a layer above, and still there", Paint::Plain),
        ]);
    }
    painted(&pieces)
}

fn draw_layer(canvas: &mut Canvas, layer: &LayerPicture, whole: u64) {
    let share = match (layer.size * 100).checked_div(whole).unwrap_or(0) {
        0 if layer.size > 0 => " <1%".to_owned(),
        percent => format!(" {percent}%"),
    };
    let right = [Piece::new(units::size(layer.size), Paint::Size), Piece::new(share, Paint::Plain)];
    let number = format!("{}  ", layer.number);
    let room = canvas.room().saturating_sub(number.len() + right.iter().map(Piece::width).sum::<usize>() + 6);
    let words = one_line(&layer.created_by, room);
    canvas.rule('─', &[Piece::new(number, Paint::Plain), Piece::new(words, Paint::Title)], &right);
    if layer.size > 0 {
        let bar = bar(layer.size - layer.holdings.hidden.min(layer.size), layer.holdings.hidden, whole, canvas.room());
        canvas.row(&bar);
    }
    fill_rows(canvas, &facts(layer));
    for file in &layer.holdings.biggest {
        let size = format!("{:>9}  ", units::size(file.size));
        let hidden = if file.hidden { " ░" } else { "" };
        let path = from_the_end(&file.path, canvas.room() - size.len() - hidden.chars().count());
        canvas.row(&[Piece::new(size, Paint::Size), Piece::new(path, Paint::Faint), Piece::new(hidden, Paint::Hidden)]);
    }
}

/// As long as its share of the whole image, to an eighth of a column. What there is shows, however small.
fn bar(seen: u64, hidden: u64, whole: u64, room: usize) -> Vec<Piece> {
    let eighths = |bytes: u64| match bytes {
        0 => 0,
        bytes => ((bytes as f64 / whole as f64 * (room * 8) as f64).round() as usize).max(1),
    };
    let (full, rest) = (eighths(seen) / 8, eighths(seen) % 8);
    let shade = eighths(hidden).div_ceil(8).min(room - full.min(room));
    let mut solid = "█".repeat(full);
    // Two kinds of block in one column cannot be drawn.
    match (rest, shade) {
        (0, _) => {}
        (rest, 0) => solid.extend(["▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(rest - 1).copied()),
        (rest, _) => solid.extend((rest >= 4 || full == 0).then_some("█")),
    }
    let left = room.saturating_sub(solid.chars().count());
    vec![Piece::new(solid, Paint::Seen), Piece::new("░".repeat(shade.min(left)), Paint::Hidden)]
}

/// What there is to say, a few words each.
fn facts(layer: &LayerPicture) -> Vec<Piece> {
    let holdings = &layer.holdings;
    let mut facts = Vec::new();
    let mut say = |number: u64, text: &dyn Fn() -> String, paint| {
        if number > 0 {
            facts.push(Piece::new(text(), paint));
        }
    };
    say(holdings.files, &|| counted(holdings.files, "file"), Paint::Plain);
    say(holdings.symlinks, &|| counted(holdings.symlinks, "symlink"), Paint::Plain);
    say(holdings.others, &|| counted(holdings.others, "device"), Paint::Plain);
    say(holdings.replaced, &|| format!("~{} replaced", holdings.replaced), Paint::Replaced);
    say(holdings.deleted, &|| format!("-{} deleted", holdings.deleted), Paint::Deleted);
    say(holdings.hides, &|| format!("hides {} below", units::size(holdings.hides)), Paint::Plain);
    say(holdings.hidden, &|| format!("{} hidden", units::size(holdings.hidden)), Paint::Hidden);
    say(layer.shared_with.len() as u64, &|| also_in(&layer.shared_with), Paint::Shared);
    if facts.is_empty() {
        facts.push(Piece::new(format!("only {}", counted(holdings.directories, "directory")), Paint::Faint));
    }
    facts
}

fn also_in(names: &[String]) -> String {
    let named = names.iter().take(NAMED).map(|name| one_line(name, 40)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => format!("also in {named}"),
        more => format!("also in {named} and {more} more"),
    }
}

/// As many of the facts in a row as fit.
fn fill_rows(canvas: &mut Canvas, facts: &[Piece]) {
    let gap = Piece::new("   ", Paint::Plain);
    let mut row: Vec<Piece> = Vec::new();
    for fact in facts {
        let taken: usize = row.iter().map(Piece::width).sum();
        if taken > 0 && taken + gap.width() + fact.width() > canvas.room() {
            canvas.row(&std::mem::take(&mut row));
        }
        if !row.is_empty() {
            row.push(gap.clone());
        }
        row.push(fact.clone());
    }
    canvas.row(&row);
}

fn counted(number: u64, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (number, Some(stem)) => format!("{number} {stem}ies"),
        (number, None) => format!("{number} {what}s"),
    }
}

/// The end of a path says more than its beginning.
fn from_the_end(path: &str, most: usize) -> String {
    let length = path.chars().count();
    if length <= most {
        path.to_owned()
    } else {
        std::iter::once('…').chain(path.chars().skip(length + 1 - most)).collect()
    }
}
