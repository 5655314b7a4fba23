//! Cutting a starter, and the whole solution, out of the reference.
//!
//! The reference marks an exercise with comments:
//!
//! ```text
//! // ANCHOR: name
//! /// what the function is for
//! pub fn name() -> Result<()> {
//!     // SOLUTION: name
//!     what the learner is to write
//!     // SOLUTION_END
//! }
//! // ANCHOR_END: name
//!
//! // SOLUTION: name
//! fn helper() { which a learner may or may not write }
//! // SOLUTION_END
//! ```
//!
//! The starter is what is anchored, with `todo!` in place of the solution. The solution is what is anchored, and
//! the helpers that are marked outside the anchor.

use crate::Exercise;

/// What the learner's file holds at first.
pub fn starter(exercise: &Exercise, reference: &str) -> Result<String, String> {
    let Exercise { number, name, task, .. } = exercise;
    let header = format!(
        "//! Exercise {number}: {name}\n//!\n//! {task}\n//!\n\
         //! - the whole task: exercises/{slug}/task.md\n\
         //! - check your work: cargo workshop check {number}\n\
         //! - when stuck: cargo workshop hint {number}\n\n",
        slug = exercise.slug()
    );
    Ok(header + exercise.uses + "\n" + &public(exercise, &cut(exercise, reference)?.starter))
}

/// The reference as an answer to the exercise: a file that compiles and passes.
pub fn solution(exercise: &Exercise, reference: &str) -> Result<String, String> {
    let cut = cut(exercise, reference)?;
    let helpers = if cut.helpers.is_empty() { String::new() } else { format!("\n{}", cut.helpers) };
    Ok(format!("{}{}\n{}{helpers}", exercise.more_uses, exercise.uses, public(exercise, &cut.solution)))
}

/// An attack's function is private to its program; an answer's is called from outside.
fn public(exercise: &Exercise, text: &str) -> String {
    let private = format!("\nfn {}(", exercise.name);
    text.replacen(&private, &format!("\npub {}", &private[1..]), 1)
}

#[derive(Default)]
struct Cut {
    starter: String,
    solution: String,
    helpers: String,
}

/// Where a line is.
#[derive(Clone, Copy)]
struct Place {
    in_anchor: bool,
    in_solution: bool,
}

fn cut(exercise: &Exercise, reference: &str) -> Result<Cut, String> {
    let name = exercise.name;
    let mut cut = Cut::default();
    let mut place = Place { in_anchor: false, in_solution: false };
    let (mut anchors, mut regions) = (0, 0);
    for line in reference.lines() {
        match mark(line) {
            Some(("ANCHOR", anchor)) if anchor == name => {
                place.in_anchor = true;
                anchors += 1;
            }
            Some(("ANCHOR_END", anchor)) if anchor == name => place.in_anchor = false,
            Some(("SOLUTION", region)) if region == name => {
                place.in_solution = true;
                if place.in_anchor {
                    regions += 1;
                    let indent = &line[..line.len() - line.trim_start().len()];
                    cut.starter += &format!("{indent}todo!(\"exercise {}\")\n", exercise.number);
                } else if !cut.helpers.is_empty() {
                    cut.helpers.push('\n');
                }
            }
            Some(("SOLUTION_END", _)) => place.in_solution = false,
            Some(_) => {}
            None => keep(&mut cut, place, line),
        }
    }
    marked_once(exercise, place, anchors, regions).map(|()| cut)
}

/// Errors: marks that are missing, there twice, or not closed.
fn marked_once(exercise: &Exercise, end: Place, anchors: usize, regions: usize) -> Result<(), String> {
    let Exercise { name, reference: source, .. } = exercise;
    if anchors != 1 {
        return Err(format!("{source}: {anchors} anchors `ANCHOR: {name}`, expected one"));
    }
    if end.in_anchor || end.in_solution {
        return Err(format!("{source}: a region of {name} is not closed"));
    }
    if regions != 1 {
        return Err(format!("{source}: {regions} regions `SOLUTION: {name}` in its anchor, expected one"));
    }
    Ok(())
}

fn keep(cut: &mut Cut, place: Place, line: &str) {
    match place {
        Place { in_anchor: true, in_solution } => {
            cut.solution += &format!("{line}\n");
            if !in_solution {
                cut.starter += &format!("{line}\n");
            }
        }
        Place { in_anchor: false, in_solution: true } => cut.helpers += &format!("{line}\n"),
        Place { in_anchor: false, in_solution: false } => {}
    }
}

/// `// ANCHOR: name` as `("ANCHOR", "name")`.
fn mark(line: &str) -> Option<(&str, &str)> {
    let comment = line.trim().strip_prefix("// ")?;
    let (word, name) = comment.split_once(": ").unwrap_or((comment, ""));
    ["ANCHOR", "ANCHOR_END", "SOLUTION", "SOLUTION_END"].contains(&word).then_some((word, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
use everything;

// ANCHOR: other
fn other() {}
// ANCHOR_END: other

// ANCHOR: escape
/// Walks out.
fn escape() -> Result<()> {
    // SOLUTION: escape
    // a comment
    walk(helper())
    // SOLUTION_END
}

fn given() {}
// ANCHOR_END: escape

// SOLUTION: escape
fn helper() {}
// SOLUTION_END
";

    fn exercise() -> &'static Exercise {
        crate::select("escape")[0]
    }

    #[test]
    fn a_starter_keeps_what_is_given_and_asks_for_the_rest() {
        let starter = starter(exercise(), SOURCE).unwrap();
        assert!(starter.starts_with("//! Exercise 1.2: escape\n"), "{starter}");
        let body = "/// Walks out.\npub fn escape() -> Result<()> {\n    todo!(\"exercise 1.2\")\n}\n\nfn given() {}\n";
        assert!(starter.ends_with(body), "{starter}");
    }

    #[test]
    fn a_solution_has_everything_but_the_marks() {
        let solution = solution(exercise(), SOURCE).unwrap();
        let body = "/// Walks out.\npub fn escape() -> Result<()> {\n    // a comment\n    walk(helper())\n}\n\n\
                    fn given() {}\n\nfn helper() {}\n";
        assert!(solution.ends_with(body), "{solution}");
        assert!(!solution.contains("SOLUTION") && !solution.contains("ANCHOR"), "{solution}");
    }

    #[test]
    fn a_mark_that_is_gone_is_an_error_that_names_it() {
        let without = |text: &str| starter(exercise(), &SOURCE.replace(text, "")).unwrap_err();
        assert!(without("// ANCHOR: escape").contains("0 anchors `ANCHOR: escape`"));
        assert!(without("    // SOLUTION: escape").contains("0 regions `SOLUTION: escape`"));
        assert!(without("// ANCHOR_END: escape").contains("not closed"));
        assert!(without("// SOLUTION_END\n").contains("not closed"));
        let twice = format!("{SOURCE}{SOURCE}");
        assert!(starter(exercise(), &twice).unwrap_err().contains("2 anchors"));
    }

    #[test]
    fn the_signature_of_each_exercise_is_in_its_starter() {
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for exercise in &crate::ALL {
            let reference = std::fs::read_to_string(repository.join(exercise.reference)).unwrap();
            let starter = starter(exercise, &reference).unwrap();
            assert!(starter.contains(&format!("\n{} {{\n    todo!", exercise.signature)), "{starter}");
        }
    }
}
