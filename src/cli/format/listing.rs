//! Many things, one line each: a table, JSON, or a template for each line.

use std::io::{IsTerminal, stdout};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use gotmpl::Value;

use crate::cli::format::clean::clean_for;
use crate::cli::format::template::Template;
use crate::cli::table::align;
use crate::say::print;
use crate::text::escaped;

/// What a verb lists.
pub struct Listing<const FIELDS: usize> {
    /// What a template can say (without the point), and the heading of that column, as Docker has them.
    pub fields: [(&'static str, &'static str); FIELDS],
    /// The columns of the usual table, as a template.
    pub table: &'static str,
    /// The value of each field, for each thing.
    pub rows: Vec<[String; FIELDS]>,
}

impl<const FIELDS: usize> Listing<FIELDS> {
    /// Prints it as `format` asks: `table` (also without any), `json`, `table TEMPLATE`, or a template for each line.
    pub fn print(&self, format: Option<&str>) -> Result<()> {
        self.lines(format, stdout().is_terminal())?.iter().try_for_each(|line| print(line))
    }

    /// The lines. For a `terminal`, control characters are shown as what they are, in a table always: who keeps one
    /// looks at it later.
    pub fn lines(&self, format: Option<&str>, terminal: bool) -> Result<Vec<String>> {
        let each = |template: &str| -> Result<Vec<String>> {
            let lines = self.each(template, |text| text.to_owned())?;
            Ok(lines.into_iter().map(|line| clean_for(terminal, line)).collect())
        };
        match format.unwrap_or("table").trim() {
            "" | "table" => self.columns(self.table),
            "json" => each("{{json .}}"),
            format => match format.strip_prefix("table ") {
                Some(template) => self.columns(template.trim()),
                None => each(format),
            },
        }
    }

    /// What `template` makes of each row, of which each text is changed by `cell` before.
    fn each(&self, template: &str, cell: fn(&str) -> String) -> Result<Vec<String>> {
        let template = Template::parse(template)?;
        let rows = self.rows.iter().map(|row| row.each_ref().map(|text| cell(text)));
        rows.map(|row| self.apply(&template, &row.each_ref().map(String::as_str))).collect()
    }

    fn columns(&self, template: &str) -> Result<Vec<String>> {
        let mut lines = vec![self.headings(template)?];
        // Only the template makes columns and lines.
        let rows = self.each(template, |text| text.replace(['\t', '\n', '\r'], " "))?;
        lines.extend(rows.iter().map(|row| escaped(row)));
        let cells = lines.iter().flat_map(|line| line.split('\n')).map(|line| line.split('\t').collect());
        Ok(align(&cells.collect::<Vec<Vec<&str>>>()))
    }

    /// The headings come from the same template, applied to the names of its columns.
    fn headings(&self, template: &str) -> Result<String> {
        self.apply(&Template::for_headings(template)?, &self.fields.map(|(_, heading)| heading))
    }

    fn apply(&self, template: &Template, row: &[&str; FIELDS]) -> Result<String> {
        let fields = self.fields.iter().zip(row);
        let map = fields.map(|((field, _), text)| ((*field).into(), Value::from(*text)));
        template.apply(&Value::Map(Arc::new(map.collect()))).map_err(|error| {
            if error.to_string().contains("map has no entry for key") {
                let fields: Vec<String> = self.fields.iter().map(|(field, _)| format!(".{field}")).collect();
                return anyhow!("{error}\n  help: there are {}", fields.join(", "));
            }
            error
        })
    }
}
