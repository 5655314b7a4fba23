//! Links: each leads to something that is there, and nothing is fetched from elsewhere.
//!
//! The files that were built are looked at, not the pages they were built from: what counts is what a reader's
//! browser will meet. A link to another site is fine, as a reader follows it by choice; a font, script or picture
//! from another site is not, because the book is read on trains.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::html;
use crate::course::Course;
use crate::problem::Problem;

/// What leads nowhere, or out, in the book that was built into `dest`.
pub fn broken(course: &Course, dest: &Path) -> Result<Vec<Problem>> {
    let site = Site::read(dest)?;
    let mut problems = Vec::new();
    for (file, page) in &site.pages {
        for link in &page.links {
            if let Some(words) = site.problem(file, link) {
                let (file, line) = source_of(course, file, &link.target);
                problems.push(Problem { file, line, words });
            }
        }
    }
    for (file, targets) in &site.styles {
        let link = |target: &String| Link { target: target.clone(), loads: true };
        let found = targets.iter().filter_map(|target| site.problem(file, &link(target)));
        problems.extend(found.map(|words| Problem { file: file.clone(), line: None, words }));
    }
    Ok(problems)
}

/// All files of a book, by their path in it.
#[derive(Default)]
struct Site {
    files: BTreeSet<String>,
    pages: BTreeMap<String, Page>,
    styles: BTreeMap<String, Vec<String>>,
}

#[derive(Default)]
struct Page {
    ids: BTreeSet<String>,
    links: Vec<Link>,
}

struct Link {
    target: String,
    /// Whether the browser fetches it without being asked.
    loads: bool,
}

impl Site {
    fn read(dest: &Path) -> Result<Site> {
        let mut site = Site::default();
        for path in files_below(dest)? {
            let name = path.strip_prefix(dest).unwrap_or(&path).display().to_string();
            let text = || fs::read_to_string(&path).with_context(|| format!("read {}", path.display()));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("html") => drop(site.pages.insert(name.clone(), page(&text()?))),
                Some("css") => drop(site.styles.insert(name.clone(), in_style(&text()?))),
                _ => {}
            }
            site.files.insert(name);
        }
        Ok(site)
    }

    /// What is wrong with `link` in `file`.
    fn problem(&self, file: &str, link: &Link) -> Option<String> {
        let target = &link.target;
        if target.starts_with("http://") || target.starts_with("https://") || target.starts_with("//") {
            return link.loads.then(|| format!("{target} would be fetched from the net, and a book must work without"));
        }
        if ["mailto:", "data:"].iter().any(|scheme| target.starts_with(scheme)) {
            return None;
        }
        let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
        let name = if path.is_empty() { file.to_owned() } else { resolved(file, path)? };
        if !self.files.contains(&name) {
            return Some(format!("the link {target} leads nowhere: there is no {name}"));
        }
        let page = self.pages.get(&name)?;
        let found = fragment.is_empty() || page.ids.contains(fragment);
        (!found).then(|| format!("the link {target} leads nowhere: {name} has no #{fragment}"))
    }
}

/// The file that `path` means in a link of `file`. Above the top, `..` stays there, as in a browser.
fn resolved(file: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { file.split('/').collect() };
    parts.pop();
    for part in path.split('?').next()?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    if path.ends_with('/') || parts.is_empty() {
        parts.push("index.html");
    }
    Some(parts.join("/"))
}

fn page(text: &str) -> Page {
    let mut page = Page::default();
    for tag in html::tags(text) {
        page.ids.extend(tag.attribute("id").map(str::to_owned));
        let loads = tag.name != "a";
        let targets = ["href", "src"].iter().filter_map(|name| tag.attribute(name));
        // What 404.html is relative to, not something that it links to.
        let targets = targets.filter(|_| tag.name != "base");
        page.links.extend(targets.map(|target| Link { target: target.to_owned(), loads }));
        if tag.attribute("class").is_some_and(|classes| classes.split(' ').any(|class| class == "playground")) {
            let target = "https://play.rust-lang.org/".to_owned();
            page.links.push(Link { target, loads: true });
        }
    }
    page
}

/// What a style sheet loads: `url(…)` and `@import "…"`.
fn in_style(text: &str) -> Vec<String> {
    let clean = |target: &str| target.trim().trim_matches(['"', '\'']).to_owned();
    let urls = text.split("url(").skip(1).filter_map(|rest| rest.split(')').next());
    let imports = text.split("@import").skip(1).filter_map(|rest| rest.split(';').next());
    urls.chain(imports.filter(|import| !import.contains("url("))).map(clean).collect()
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry.with_context(|| format!("read {}", folder.display()))?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// Where the link in `file` was written, as far as that can be told.
fn source_of(course: &Course, file: &str, target: &str) -> (String, Option<usize>) {
    let source = course.pages().join(Path::new(file).with_extension("md"));
    let Ok(text) = fs::read_to_string(&source) else { return (file.to_owned(), None) };
    let written = target.replace(".html", ".md");
    let line = text.lines().position(|line| line.contains(&format!("]({written})")));
    (course.shown(&source), line.map(|index| index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems of a book with this page, which has another beside it.
    fn problems(body: &str) -> Vec<String> {
        let dest = tempfile::tempdir().unwrap();
        fs::create_dir(dest.path().join("css")).unwrap();
        fs::write(dest.path().join("page.html"), body).unwrap();
        fs::write(dest.path().join("other.html"), "<h1 id=\"here\">").unwrap();
        fs::write(dest.path().join("css/a.css"), "a { background: url(\"../page.html\") }").unwrap();
        let found = broken(&Course::at(dest.path()), dest.path()).unwrap();
        found.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere() {
        let fine = r##"<p id="top"><a href="other.html#here"></a><a href="#top"></a><a href="./other.html?x"></a>
            <a href="https://man7.org/"></a><link href="css/a.css"><a href="/page.html"></a>"##;
        assert_eq!(problems(fine), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere() {
        for (link, missing) in [
            ("gone.html", "there is no gone.html"),
            ("other.html#gone", "other.html has no #gone"),
            ("#gone", "page.html has no #gone"),
            ("css/b.css", "there is no css/b.css"),
        ] {
            let found = problems(&format!("<a href=\"{link}\">"));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(link) && found[0].ends_with(missing), "{found:?}");
        }
    }

    #[test]
    fn nothing_is_fetched_from_the_net() {
        for page in [
            "<script src=\"https://cdn.example/x.js\"></script>",
            "<link href='//fonts.example/x.css'>",
            "<img src=http://example.org/x.png>",
            "<pre class=\"a playground\">",
        ] {
            assert!(problems(page)[0].contains("would be fetched from the net"), "{page}");
        }
        assert_eq!(in_style("@import 'a.css'; b { c: url( https://x/y ) }"), ["https://x/y", "a.css"]);
    }

    #[test]
    fn a_broken_link_is_found_in_the_page_where_it_was_written() {
        let repository = tempfile::tempdir().unwrap();
        let course = Course::at(repository.path());
        fs::create_dir_all(course.pages()).unwrap();
        fs::write(course.pages().join("page.md"), "# Page\n\nSee [this](gone.md#part).\n").unwrap();
        let dest = tempfile::tempdir().unwrap();
        fs::write(dest.path().join("page.html"), "<a href=\"gone.html#part\">").unwrap();
        let found = broken(&course, dest.path()).unwrap();
        assert!(found[0].to_string().starts_with("book/src/page.md:3: the link gone.html#part"), "{}", found[0]);
    }
}
