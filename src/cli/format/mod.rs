//! `--format`: what a verb prints, in the words of whoever asked.
//!
//! Docker's users write Go templates (`{{.Repository}}:{{.Tag}}`, `{{json .Config}}`, `table {{.ID}}\t{{.Size}}`), and
//! scripts are full of them. The language itself is in the crate `gotmpl`; here is what Docker adds to it.
//!
//! | file           | what it is about                                                      |
//! |----------------|------------------------------------------------------------------------|
//! | `template.rs`  | one template: read, applied, and its errors in Docker's words          |
//! | `functions.rs` | the functions that Docker adds: `json`, `join`, `upper`, …             |
//! | `value.rs`     | JSON as what a template works on                                       |
//! | `shape.rs`     | structs: fields that are not set, and the order of all in JSON         |
//! | `docker.rs`    | the structs that `docker inspect` shows                                |
//! | `clean.rs`     | text of somebody else's, fit for a terminal                            |
//! | `listing.rs`   | many things, one line each: a table, JSON, or a template for each line |
//!
//! A verb that lists fills a [`Listing`]; one that shows a single thing applies a [`Template`] to its JSON.
//!
//! Other than in Go, what a template is applied to has no methods (`{{.Label "key"}}`), and a list or map
//! that is `null` in the JSON is an empty one to a template, as it is to Docker's; only `json` says `null`.

mod clean;
pub mod docker;
mod functions;
mod listing;
pub mod shape;
mod template;
#[cfg(test)]
mod tests;
mod value;

pub use clean::clean_for;
pub use listing::Listing;
pub use template::Template;
pub use value::from_json;

use clap::{Arg, ArgMatches};

use crate::cli::options::filled;

/// `--format`, as the verbs that list have it.
pub fn argument() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .help("Print `table`, `json`, `table TEMPLATE`, or a Go template")
}

/// What was given for it. An empty format is none, as in Docker.
pub fn given(matches: &ArgMatches) -> Option<&str> {
    filled(matches, "format")
}
