//! One template: read, applied, and its errors in Docker's words.

use anyhow::{Error, Result, anyhow, bail};
use gotmpl::{MissingKey, TemplateError, Value};

use crate::cli::format::functions;

/// Longer ones are refused.
pub const LONGEST: usize = 64 << 10;

/// More of these in one template are refused: each `{{else if}}` takes some stack, and the parser, which counts how
/// deep everything else goes, does not count them.
const MOST_ELSES: usize = 100;

/// So many turns of `{{range}}` are made at most.
const MOST_TURNS: u64 = 1_000_000;

/// A template that was read.
pub struct Template {
    strict: gotmpl::Template,
    lenient: gotmpl::Template,
}

impl Template {
    /// Reads a template as a user writes it: `\t` and `\n` mean a tab and the end of a line outside of braces, too.
    pub fn parse(source: &str) -> Result<Template> {
        Template::with(functions::add, source)
    }

    /// Reads one that is to be applied to the headings of columns.
    pub fn for_headings(source: &str) -> Result<Template> {
        Template::with(functions::add_idle, source)
    }

    fn with(functions: fn(gotmpl::Template) -> gotmpl::Template, source: &str) -> Result<Template> {
        if source.len() > LONGEST {
            bail!("template parsing error: template: it is longer than {LONGEST} bytes");
        }
        if source.matches("else").count() > MOST_ELSES {
            bail!("template parsing error: template: more than {MOST_ELSES} times else");
        }
        let source = with_tabs(source);
        let new = || functions(gotmpl::Template::new("")).max_range_iters(MOST_TURNS);
        let read = |source: &str, missing| new().missing_key(missing).parse(source);
        let template = Template {
            strict: read(&source, MissingKey::Error).map_err(refused)?,
            lenient: read(&source, MissingKey::Invalid).map_err(refused)?,
        };
        // The parser takes a block that is never ended, and stops in silence at an `{{end}}` that ends nothing. What
        // comes behind the template tells: a definition is found exactly if all of the template was read, and behind
        // one more `{{end}}` exactly if that had something to end.
        let reaches = |more: &str| {
            let whole = read(&format!("{source}{more}{{{{define \"last\"}}}}.{{{{end}}}}"), MissingKey::Error);
            whole.is_ok_and(|whole| whole.templates().contains(&"last"))
        };
        match (reaches(""), reaches("{{end}}")) {
            (false, _) => bail!("template parsing error: template: unexpected {{{{end}}}} or {{{{else}}}}"),
            (true, true) => bail!("template parsing error: template: unexpected EOF: an {{{{end}}}} is missing"),
            (true, false) => Ok(template),
        }
    }

    /// What it makes of `value`. A field that is not there is an error; so is what else cannot be done.
    ///
    /// Docker's own fields begin with a capital letter. Other keys are those of a map that users fill, such as labels:
    /// one that is not there is `<no value>`, as in Docker.
    pub fn apply(&self, value: &Value) -> Result<String> {
        match self.strict.execute_to_string(value) {
            Err(TemplateError::MissingKey { key }) if !key.starts_with(|c: char| c.is_ascii_uppercase()) => {
                self.lenient.execute_to_string(value).map_err(refused)
            }
            applied => applied.map_err(refused),
        }
    }
}

/// `source` with tabs and ends of lines for `\t` and `\n`, but not within braces, where Go's texts have them anyway.
fn with_tabs(source: &str) -> String {
    let replaced = |text: &str| text.replace("\\t", "\t").replace("\\n", "\n");
    let mut parts = source.split("{{");
    let first = replaced(parts.next().unwrap_or_default());
    let behind_braces = parts.map(|part| match part.split_once("}}") {
        Some((action, text)) => format!("{{{{{action}}}}}{}", replaced(text)),
        None => format!("{{{{{part}"),
    });
    first + &behind_braces.collect::<String>()
}

/// The error, as Go words it and Docker passes it on.
fn refused(error: TemplateError) -> Error {
    let why = match error {
        TemplateError::Parse { line: 0, message, .. } => format!("template: {message}"),
        error @ (TemplateError::Parse { .. } | TemplateError::Lex { .. }) => error.to_string(),
        TemplateError::MissingKey { key } => format!("template: map has no entry for key \"{key}\""),
        TemplateError::UndefinedFunction(name) => format!("template: function \"{name}\" not defined"),
        TemplateError::Exec(why) => format!("template: {why}"),
        error => format!("template: {error}"),
    };
    anyhow!("template parsing error: {why}")
}
