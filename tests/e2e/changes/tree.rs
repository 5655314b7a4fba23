//! A tree in an archive, as lines that can be compared.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use images::Digest;
use tar::{Archive, Entry, EntryType};

/// Everything that is said about the files of a tree, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree(BTreeMap<String, String>);

impl Tree {
    /// What `archive` has in the directory `dir`.
    pub fn of(archive: impl Read, dir: &str) -> Tree {
        let mut lines = BTreeMap::new();
        for entry in Archive::new(archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let path = path.trim_start_matches("./").trim_end_matches('/').to_owned();
            if Path::new(&path).starts_with(dir) {
                lines.insert(path, line(&mut entry));
            }
        }
        Tree(lines)
    }

    /// What the directory `root` of this machine has in the directory `dir`, as GNU tar sees it.
    pub fn on_disk(root: &Path, dir: &str) -> Tree {
        let how = ["--format=pax", "--sort=name", "--xattrs", "--numeric-owner", "-c", "-C"];
        let archive = Command::new("tar").args(how).arg(root).arg(dir).output().unwrap();
        assert!(archive.status.success(), "{}", String::from_utf8_lossy(&archive.stderr));
        Tree::of(archive.stdout.as_slice(), dir)
    }

    /// What is said about `path`.
    pub fn line(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Asserts that both are the same, and says where they differ.
    #[track_caller]
    pub fn is(&self, expected: &Tree) {
        for path in self.0.keys().chain(expected.0.keys()) {
            assert_eq!(self.line(path), expected.line(path), "{path}");
        }
        assert!(!self.0.is_empty(), "there is nothing to compare");
    }
}

fn line(entry: &mut Entry<'_, impl Read>) -> String {
    let header = entry.header().clone();
    let (kind, mode) = (header.entry_type(), header.mode().unwrap() & 0o7777);
    let mut time = header.mtime().unwrap().to_string();
    let mut xattrs = Vec::new();
    for record in entry.pax_extensions().unwrap().into_iter().flatten() {
        let record = record.unwrap();
        match record.key().unwrap() {
            "mtime" => time = record.value().unwrap().to_owned(),
            key if key.starts_with("SCHILY.xattr.") => xattrs.push(format!("{key}={:?}", record.value_bytes())),
            _ => {}
        }
    }
    xattrs.sort();
    if kind == EntryType::Link {
        // Whatever is said of the file is said at its first name.
        return format!("link to {:?}", entry.link_name().unwrap().unwrap());
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).unwrap();
    let content = match kind {
        EntryType::Symlink => format!("{:?}", entry.link_name().unwrap().unwrap()),
        _ => Digest::of(&content).short(),
    };
    let owner = (header.uid().unwrap(), header.gid().unwrap());
    format!("{kind:?} {mode:o} {owner:?} {time} {content} {}", xattrs.join(" "))
}
