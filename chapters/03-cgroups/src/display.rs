//! Bars for what is used, redrawn at the foot of a terminal while the command writes above them.
//!
//! The terminal is told to scroll only its upper lines (`CSI top;bottom r`), and the lower ones are written to by
//! going there and back again (`ESC 7`, `ESC 8`), all in one write.

use std::io::{IsTerminal, Write, stderr};
use std::time::Instant;

use cgroups::Usage;

/// A line for each thing that is shown, and one to set them off.
const HEIGHT: u16 = 4;
/// Columns of a bar.
const WIDTH: usize = 30;

/// The foot of the terminal.
pub struct Display {
    size: (u16, u16),
    before: Option<(Instant, u64)>,
}

impl Display {
    /// Takes the foot of the terminal, if standard error is one and is large enough.
    pub fn new() -> Option<Display> {
        let display = Display { size: size().filter(|(rows, _)| *rows > 3 * HEIGHT)?, before: None };
        let room = "\n".repeat(HEIGHT.into());
        write(&format!("{room}\x1b[{HEIGHT}A\x1b7{}\x1b8", display.region()));
        Some(display)
    }

    /// Draws what is used now.
    pub fn draw(&mut self, usage: &Usage) {
        if let Some(size) = size().filter(|size| *size != self.size) {
            self.size = size;
            write(&format!("\x1b7{}\x1b8", self.region()));
        }
        let (rows, columns) = self.size;
        let mut text = format!("\x1b7\x1b[{};1H\x1b[2K{}", rows - HEIGHT + 1, "─".repeat(columns.into()));
        for (line, row) in lines(usage, self.rate(usage)).iter().zip(rows - HEIGHT + 2..) {
            let line: String = line.chars().take(columns.into()).collect();
            text += &format!("\x1b[{row};1H\x1b[2K{line}");
        }
        write(&(text + "\x1b8"));
    }

    fn region(&self) -> String {
        format!("\x1b[1;{}r", self.size.0 - HEIGHT)
    }

    /// Billionths of a processor in use since the last time.
    fn rate(&mut self, usage: &Usage) -> Option<u64> {
        let now = (Instant::now(), usage.cpu_us?);
        let (time, used) = self.before.replace(now)?;
        let passed = now.0.duration_since(time).as_micros() as u64;
        (now.1.saturating_sub(used) * 1_000_000_000).checked_div(passed)
    }
}

impl Drop for Display {
    /// Gives the terminal back whole.
    fn drop(&mut self) {
        write(&format!("\x1b7\x1b[r\x1b[{};1H\x1b[J\x1b8", self.size.0 - HEIGHT + 1));
    }
}

/// Bars for memory, processor time (as a `rate`, in billionths of a processor) and processes.
pub fn lines(usage: &Usage, rate: Option<u64>) -> [String; 3] {
    [
        line("memory", usage.memory, usage.memory_limit, &bytes),
        line("cpu", rate, usage.cpu_limit, &|billionths| format!("{:.2} CPUs", billionths as f64 / 1e9)),
        line("pids", usage.pids, usage.pids_limit, &|number| number.to_string()),
    ]
}

fn line(name: &str, used: Option<u64>, limit: Option<u64>, show: &dyn Fn(u64) -> String) -> String {
    let used_up = match (used, limit) {
        (Some(used), Some(limit)) if limit > 0 => (used as f64 / limit as f64).min(1.0),
        _ => 0.0,
    };
    let full = (used_up * WIDTH as f64).round() as usize;
    let bar = "█".repeat(full) + &"·".repeat(WIDTH - full);
    let limit = limit.map_or("no limit".to_owned(), |limit| format!("of {}", show(limit)));
    format!("{name:<7} {bar} {} {limit}", used.map_or("–".to_owned(), show))
}

/// `12.5 MiB`.
pub fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < units.len() {
        number /= 1024.0;
        unit += 1;
    }
    if number.fract() == 0.0 { format!("{number} {}", units[unit]) } else { format!("{number:.1} {}", units[unit]) }
}

/// Rows and columns of the terminal, if standard error is one.
fn size() -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ fills in one winsize.
    let answer = unsafe { libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (stderr().is_terminal() && answer == 0 && size.ws_row > HEIGHT).then_some((size.ws_row, size.ws_col))
}

fn write(text: &str) {
    // A terminal that is gone must not stop the command.
    let _ = stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        let usage = Usage { memory: Some(48 << 20), memory_limit: Some(64 << 20), pids: Some(3), ..Usage::default() };
        let full = "█".repeat(23) + &"·".repeat(7);
        let empty = "·".repeat(30);
        let expected = [
            format!("memory  {full} 48 MiB of 64 MiB"),
            format!("cpu     {empty} – no limit"),
            format!("pids    {empty} 3 no limit"),
        ];
        assert_eq!(lines(&usage, None), expected);
    }

    #[test]
    fn sizes() {
        for (number, shown) in [(0, "0 B"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"), (u64::MAX, "16777216 TiB")] {
            assert_eq!(bytes(number), shown);
        }
    }
}
