//! Columns, as `docker` prints them.

use anyhow::Result;

use crate::say::print;

/// No column is narrower than this, with the blanks behind it.
const NARROWEST: usize = 10;
/// Blanks between columns.
const GAP: usize = 3;

/// Prints `rows` below `headings`, each column as wide as it must be.
pub fn print_table<const COLUMNS: usize>(headings: &[&str; COLUMNS], rows: &[[String; COLUMNS]]) -> Result<()> {
    let rows = rows.iter().map(|row| row.iter().map(String::as_str).collect());
    let lines: Vec<Vec<&str>> = std::iter::once(headings.to_vec()).chain(rows).collect();
    align(&lines).iter().try_for_each(|line| print(line))
}

/// Lines whose cells stand below each other. A line may have fewer cells than others.
pub fn align(lines: &[Vec<&str>]) -> Vec<String> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |cell: Option<&&str>| cell.map_or(0, |cell| cell.chars().count() + GAP);
    let widest = |column: usize| lines.iter().map(|line| width(line.get(column))).max().unwrap_or(0).max(NARROWEST);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let line = |cells: &Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
        padded.collect::<String>().trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other() {
        let lines = [vec!["REPOSITORY", "TAG", "SIZE"], vec!["a", "b"], vec!["localhost:5000/app", "", "1kB"]];
        let expected =
            ["REPOSITORY           TAG       SIZE", "a                    b", "localhost:5000/app             1kB"];
        assert_eq!(align(&lines), expected);
    }
}
