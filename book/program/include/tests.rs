//! Pages that ask for what is there, and for what is not.

use std::fs;

use super::*;

const SOURCE: &str = "\
fn outside() {}
// ANCHOR: outer
/// A function.
fn outer() {
    // SOLUTION: outer
    // ANCHOR: inner
    let text = \"```\";
    // ANCHOR_END: inner
    // SOLUTION_END
}
// ANCHOR_END: outer
// ANCHOR: open
";

/// A repository with one of everything.
struct Small(tempfile::TempDir);

impl Small {
    fn new() -> Small {
        let small = Small(tempfile::tempdir().unwrap());
        small.write("chapters/x.rs", SOURCE);
        small.write("exercises/1.3-enter-root/task.md", "# 1.3 A root\n\nWrite `it`.\n");
        small.write("exercises/1.30-other/task.md", "# 1.30 Another\n");
        let said = "$ ls <a>\nb & c\n\n  d\n$ true\n";
        small.write("book/transcripts/said.snap", &format!("---\nsource: x\nexpression: y\n---\n{said}"));
        small.write("book/transcripts/silent.snap", "---\nsource: x\n---\nls\n");
        let svg = "<?xml?>\n<svg viewBox=\"0 0 1 1\">\n\n<path id=\"tree-a\"/>\n</svg>\n";
        small.write("book/figures/tree.svg", svg);
        small.write("book/figures/shared.svg", "<svg viewBox=\"0\"><path id=\"a\"/></svg>");
        small.write("book/figures/script.svg", "<svg viewBox=\"0\"><script>x</script></svg>");
        small
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn expand(&self, page: &str) -> std::result::Result<String, Vec<Problem>> {
        expand(&Course::at(self.0.path()), "page.md", page, &mut Used::default())
    }

    fn problem(&self, page: &str) -> String {
        let problems = self.expand(page).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].to_string()
    }
}

#[test]
fn a_page_that_asks_for_nothing_stays_as_it_is() {
    let page = "# Title\n\nText with {braces}, and {{ more }}.\n";
    assert_eq!(Small::new().expand(page).unwrap(), page);
}

#[test]
fn code_comes_without_marks_and_names_its_file() {
    let page = Small::new().expand("{{#code chapters/x.rs:outer}}\n").unwrap();
    assert!(page.contains("````rust\n/// A function.\nfn outer() {\n    let text = \"```\";\n}\n````\n"), "{page}");
    assert!(page.contains("chapters/x.rs <span>outer</span>"), "{page}");
    let inner = Small::new().expand("{{#code chapters/x.rs:inner}}").unwrap();
    assert!(inner.contains("\nlet text"), "not indented: {inner}");
}

#[test]
fn code_that_is_gone_is_a_problem_with_page_and_line() {
    let small = Small::new();
    let gone = small.problem("# Title\n\n{{#code chapters/x.rs:gone}}\n");
    assert_eq!(gone, "page.md:3: chapters/x.rs: there is no anchor gone; there are: outer inner open");
    assert!(small.problem("{{#code chapters/y.rs:outer}}").starts_with("page.md:1: read chapters/y.rs: No such file"));
    assert!(small.problem("{{#code chapters/x.rs:open}}").ends_with("the anchor open has no end"));
    small.write("chapters/twice.rs", &SOURCE.repeat(2));
    assert!(small.problem("{{#code chapters/twice.rs:outer}}").ends_with("the anchor outer is there twice"));
    for outside in ["../x.rs", "/etc/passwd", "chapters/../../x"] {
        assert!(
            small.problem(&format!("{{{{#code {outside}:a}}}}")).contains("is not a path from the top"),
            "{outside}"
        );
    }
}

#[test]
fn a_transcript_is_shown_command_by_command() {
    let page = Small::new().expand("{{#transcript said}}").unwrap();
    assert_eq!(
        page,
        "<div class=\"transcript\">\n\
         <pre class=\"typed\"><code class=\"nohighlight\">ls &lt;a&gt;</code></pre>\n\
         <pre class=\"answer\"><samp>b &amp; c\n&#10;  d</samp></pre>\n\
         <pre class=\"typed\"><code class=\"nohighlight\">true</code></pre>\n\
         </div>\n"
    );
}

#[test]
fn an_answer_that_is_to_be_predicted_is_folded() {
    let page = Small::new().expand("{{#transcript said predict}}").unwrap();
    let (before, folded) = page.split_once("<details>").unwrap();
    assert!(before.contains(">ls &lt;a&gt;<") && before.contains(">true<") && !before.contains("samp"), "{page}");
    assert!(folded.contains("b &amp; c"), "{page}");
    assert!(Small::new().problem("{{#transcript said aloud}}").contains("not aloud"));
}

#[test]
fn a_transcript_that_nobody_ran_is_a_problem() {
    let small = Small::new();
    assert!(small.problem("{{#transcript gone}}").contains("read book/transcripts/gone.snap: No such file"));
    assert!(small.problem("{{#transcript silent}}").ends_with("does not start with a command"));
    assert!(small.problem("{{#transcript ../said}}").ends_with("is not the name of a transcript"));
    assert!(small.problem("text\n```console\n").starts_with("page.md:2: a transcript written by hand"));
    assert!(small.problem("```text\n$ ls\n```").starts_with("page.md:2: a transcript written by hand"));
}

#[test]
fn a_task_is_shown_under_its_number() {
    let small = Small::new();
    let page = small.expand("{{#task 1.3}}").unwrap();
    assert!(page.contains("\n### Exercise 1.3: A root {#exercise-1.3}\n\nWrite `it`.\n\n</div>"), "{page}");
    assert!(small.problem("{{#task 1.4}}").ends_with("there is no exercise 1.4"));
    small.write("exercises/1.3-enter-root/task.md", "# Something else\n");
    assert!(small.problem("{{#task 1.3}}").contains("does not start with `# 1.3 …`"));
}

#[test]
fn a_figure_is_part_of_the_page_and_has_words() {
    let small = Small::new();
    let page = small.expand("{{#figure tree \"a <tree>\"}}").unwrap();
    let svg = "<svg role=\"img\" aria-label=\"a &lt;tree&gt;\" viewBox=\"0 0 1 1\">\n<path id=\"tree-a\"/>\n</svg>";
    assert_eq!(page, format!("<figure class=\"drawing\">\n{svg}\n</figure>\n"));
    assert!(small.problem("{{#figure tree}}").contains("and what it shows"));
    assert!(small.problem("{{#figure gone \"x\"}}").contains("read book/figures/gone.svg"));
    assert!(small.problem("{{#figure shared \"x\"}}").contains("the id a must start with shared"));
    assert!(small.problem("{{#figure script \"x\"}}").contains("<script has no place in a figure"));
}

#[test]
fn what_is_misspelt_is_a_problem_and_all_are_told() {
    let small = Small::new();
    assert!(small.problem("{{#include x}}").contains("there is no {{#include}}"));
    assert!(small.problem("see {{#task 1.3}}").contains("has a line of its own"));
    let problems = small.expand("{{#task 9.9}}\n{{#code x}}\n").unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [Some(1), Some(2)]);
}
