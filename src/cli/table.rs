//! Columns, as `docker` prints them.

use anyhow::Result;

use crate::say::print;

/// Prints `rows` below `headings`, each column as wide as it must be.
pub fn print_table<const COLUMNS: usize>(headings: &[&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Result<()> {
    let headings = headings.map(str::to_owned);
    let lines: Vec<&[String; COLUMNS]> = std::iter::once(&headings).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        print(cells.join("   ").trim_end())?;
    }
    Ok(())
}
