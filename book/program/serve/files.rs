//! From the path of a request to a file of the book, and to nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use super::http::{Reply, Status};

/// The file that `path` asks for, or the book's page for what is not there.
pub fn reply(root: &Path, path: &str) -> Reply {
    let file = find(root, path);
    let read = |file: &Path| fs::read(file).ok().map(|body| (content_type(file), body));
    if let Some((content_type, body)) = file.as_deref().and_then(read) {
        return Reply::new(Status::Ok, content_type, body);
    }
    match read(&root.join("404.html")) {
        Some((content_type, body)) => Reply::new(Status::NotFound, content_type, body),
        None => Reply::of(Status::NotFound),
    }
}

/// The file below `root` that `path` means. None if there is none, or if it would not be below `root`: each part of
/// the path must be a plain name, and where symlinks lead counts too.
fn find(root: &Path, path: &str) -> Option<PathBuf> {
    let mut file = root.to_owned();
    for part in decoded(path)?.split('/').filter(|part| !part.is_empty()) {
        if part == "." || part == ".." || part.contains(['\0', '\\']) {
            return None;
        }
        file.push(part);
    }
    if file.is_dir() {
        file.push("index.html");
    }
    let file = file.canonicalize().ok()?;
    (file.starts_with(root.canonicalize().ok()?) && file.is_file()).then_some(file)
}

/// `%20` and the like undone. None if that is not text.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_of_the_book_are_found_and_no_others() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("html");
        fs::create_dir_all(root.join("a b")).unwrap();
        fs::write(temp.path().join("secret"), "").unwrap();
        for file in ["index.html", "x.css", "a b/index.html", "..."] {
            fs::write(root.join(file), "").unwrap();
        }
        symlink("../secret", root.join("out")).unwrap();
        symlink("x.css", root.join("in")).unwrap();
        let found = |path: &str| find(&root, path).map(|file| file.strip_prefix(&root).unwrap().to_owned());
        let is = |file: &str| Some(PathBuf::from(file));
        assert_eq!((found("/"), found("//x.css")), (is("index.html"), is("x.css")));
        assert_eq!(
            (found("/a%20b/"), found("/a%20b"), found("/...")),
            (is("a b/index.html"), is("a b/index.html"), is("..."))
        );
        assert_eq!(found("/in"), is("x.css"));
        for outside in [
            "/../secret",
            "/%2e%2e/secret",
            "/a%20b/../../secret",
            "/..%2fsecret",
            "/out",
            "/gone",
            "/%",
            "/%zz",
            "/%00",
            "/%ff",
            "/a\\b",
        ] {
            assert_eq!(found(outside), None, "{outside}");
        }
    }
}
