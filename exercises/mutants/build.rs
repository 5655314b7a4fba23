//! Collects every known answer: for each exercise the starter, the reference, what is in `mutants/` and, right
//! although it looks different, in `also-right/`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use catalog::module::{self, Entry, Part};

fn main() -> Result<(), String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run me from cargo")?);
    println!("cargo::rerun-if-changed=build.rs");
    let mut entries = Vec::new();
    let mut table = String::new();
    for exercise in &catalog::ALL {
        for (name, part) in [("starter", Part::Starter), ("reference", Part::Solution)] {
            entries.push(Entry {
                exercise,
                name: name.into(),
                file: module::write(part, exercise, &repository, &out)?,
            });
        }
        for folder in ["mutants", "also-right"] {
            for (name, file) in sources(&exercise.folder(&repository).join(folder))? {
                let number = exercise.number;
                let diagnosis = if folder == "mutants" { diagnosis(&file)? } else { "pass".into() };
                let _ = writeln!(table, "Known {{ exercise: {number:?}, name: {name:?}, diagnosis: {diagnosis:?} }},");
                entries.push(Entry { exercise, name, file });
            }
        }
    }
    write(&out.join("table.rs"), &format!("&[\n{table}]\n"))?;
    write(&out.join("answers.rs"), &module::source(&entries))
}

/// The answers in `folder`, by name.
fn sources(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(|e| format!("read {}: {e}", folder.display()))?;
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.extension().is_some_and(|e| e == "rs")))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    found.sort();
    Ok(found)
}

/// The first line of a wrong answer names what the grader is to find: `//! diagnosis: leaks-to-host`.
fn diagnosis(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("read {}: {e}", file.display()))?;
    let first = text.lines().next().unwrap_or_default();
    let diagnosis = first.strip_prefix("//! diagnosis: ").map(str::to_owned);
    diagnosis.ok_or_else(|| format!("{}: the first line must be `//! diagnosis: ID`", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|e| format!("write {}: {e}", file.display()))
}
