//! The book as it is: it builds, it is sound, and its program says so.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use assert_cmd::Command;

fn book() -> Command {
    Command::new(env!("CARGO_BIN_EXE_book"))
}

#[test]
fn the_book_is_sound() {
    let output = book().arg("check").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn it_is_built_where_it_is_wanted() {
    let temp = tempfile::tempdir().unwrap();
    let dest = temp.path().join("new/html");
    book().args(["build", "--dest"]).arg(&dest).assert().success();
    let chapters = ["ch00-look", "ch01-chroot", "ch02-namespaces", "ch03-cgroups", "ch04-images", "ch08-sandbox"];
    for name in ["index", "introduction", "before-you-start"].into_iter().chain(chapters) {
        let file = format!("{name}.html");
        let page = std::fs::read_to_string(dest.join(&file)).unwrap();
        assert!(page.contains("<h1 id=") && !page.contains("{{#"), "{file}");
    }
    let chapter = std::fs::read_to_string(dest.join("ch01-chroot.html")).unwrap();
    for part in
        ["<svg role=\"img\"", "class=\"transcript\"", "id=\"exercise-1.3\"", "pub fn enter_root(root: &amp;Path)"]
    {
        assert!(chapter.contains(part), "{part}");
    }
    assert!(!chapter.contains("ANCHOR") && !chapter.contains("SOLUTION"));
}

#[test]
fn a_directory_that_holds_something_else_is_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("precious"), "").unwrap();
    let output = book().args(["build", "--dest"]).arg(temp.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("holds something that is no book"), "{said}");
    assert_eq!(names_in(temp.path()), ["precious"]);
}

#[test]
fn a_port_that_is_taken_is_refused_with_advice() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let output = book().args(["--port", &address.port().to_string()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.starts_with(&format!("book: listen on {address}: another program does so already\n  help: ")),
        "{said}"
    );
}

#[test]
fn no_command_that_it_does_not_know() {
    for arguments in [&["sell"][..], &["--port", "70000"], &["check", "x"]] {
        assert_eq!(book().args(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
