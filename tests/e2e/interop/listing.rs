//! A file tree as lines that can be compared: everything that a layer says about a file, and nothing else.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use images::Digest;
use nix::libc;

use super::sample;

/// What is asked about: not what somebody on the way is known not to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    All,
    /// Docker and podman keep `security.capability` alone, and seconds since 1970.
    ByDocker,
    /// What an ordinary user has without lent ids: everything is theirs, and has no `security` attributes.
    ByAnOrdinaryUser,
}

/// One line for each path, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing(BTreeMap<String, String>);

/// What is known of one file.
struct Node {
    kind: String,
    mode: u32,
    owner: (u64, u64),
    /// In nanoseconds.
    time: i128,
    xattrs: Vec<(String, Vec<u8>)>,
    /// What the names of one file have in common.
    same: Option<Vec<u8>>,
}

impl Listing {
    /// What is in the directory `dir` of the file system at `root`.
    pub fn of_tree(root: &Path, dir: &str, kept: Kept) -> Listing {
        let mut nodes = BTreeMap::new();
        let mut waiting = vec![PathBuf::from(dir)];
        while let Some(path) = waiting.pop() {
            let full = root.join(&path);
            let node = on_disk(&full);
            if node.kind == "directory" {
                let inside = std::fs::read_dir(&full).unwrap();
                waiting.extend(inside.map(|entry| path.join(entry.unwrap().file_name())));
            }
            nodes.insert(path, node);
        }
        Listing::of(&nodes, kept)
    }

    fn of(nodes: &BTreeMap<PathBuf, Node>, kept: Kept) -> Listing {
        // A file with several names is told by the first of them.
        let mut firsts: BTreeMap<Vec<u8>, (String, usize)> = BTreeMap::new();
        for (path, node) in nodes {
            let Some(same) = &node.same else { continue };
            firsts.entry(same.clone()).or_insert_with(|| (format!("{path:?}"), 0)).1 += 1;
        }
        let line = |path: &Path, node: &Node| {
            let first = node.same.as_ref().and_then(|same| firsts.get(same)).filter(|(_, names)| *names > 1);
            let mentioned = !sample::UNMENTIONED.iter().any(|unmentioned| Path::new(unmentioned) == path);
            node.line(first.map_or("", |(first, _)| first), kept, mentioned)
        };
        Listing(nodes.iter().map(|(path, node)| (format!("{path:?}"), line(path, node))).collect())
    }

    /// Asserts that both are the same, and says where they differ.
    #[track_caller]
    pub fn is(&self, expected: &Listing) {
        let mut differences = String::new();
        for path in self.0.keys().chain(expected.0.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (here, there) = (self.0.get(path), expected.0.get(path));
            if here != there {
                differences += &format!("{path}\n  is        {}\n  should be {}\n", told(here), told(there));
            }
        }
        assert!(differences.is_empty(), "{differences}");
        assert!(!self.0.is_empty(), "there is nothing to compare");
    }

    /// What it says of a path.
    pub fn line(&self, path: &str) -> Option<&str> {
        self.0.get(&format!("{:?}", Path::new(path))).map(String::as_str)
    }
}

fn told(line: Option<&String>) -> &str {
    line.map_or("not there", String::as_str)
}

impl Node {
    fn line(&self, first: &str, kept: Kept, mentioned: bool) -> String {
        let (mode, time) = match kept {
            _ if !mentioned && kept == Kept::ByDocker => (0, 0),
            _ if !mentioned => (self.mode, 0),
            Kept::ByDocker => (self.mode, self.time.div_euclid(1_000_000_000).max(0)),
            Kept::All | Kept::ByAnOrdinaryUser => (self.mode, self.time),
        };
        let owner = if kept == Kept::ByAnOrdinaryUser { (0, 0) } else { self.owner };
        let xattrs = self.xattrs.iter().filter(|(name, _)| match kept {
            Kept::All => true,
            Kept::ByDocker => name == "security.capability",
            Kept::ByAnOrdinaryUser => name.starts_with("user."),
        });
        let xattrs: Vec<String> = xattrs.map(|(name, value)| format!("{name}={value:x?}")).collect();
        let xattrs = xattrs.join(" ");
        format!("{} {mode:o} {}:{} {time} {xattrs} {first}", self.kind, owner.0, owner.1)
    }
}

fn on_disk(path: &Path) -> Node {
    let found = std::fs::symlink_metadata(path).unwrap();
    let kind = found.file_type();
    let device = || format!("{}:{}", libc::major(found.rdev()), libc::minor(found.rdev()));
    let kind = match () {
        () if kind.is_dir() => "directory".to_owned(),
        // Not everybody may read one with the mode 0.
        () if kind.is_file() && found.size() == 0 => "empty file".to_owned(),
        () if kind.is_file() => format!("file {}", Digest::of(&std::fs::read(path).unwrap())),
        () if kind.is_symlink() => format!("symlink {:?}", std::fs::read_link(path).unwrap()),
        () if kind.is_fifo() => "fifo".to_owned(),
        () if kind.is_char_device() => format!("character device {}", device()),
        () if kind.is_block_device() => format!("block device {}", device()),
        () => panic!("{path:?} is {found:?}"),
    };
    let same = (found.nlink() > 1 && !found.is_dir()).then(|| found.ino().to_string().into_bytes());
    Node {
        kind,
        mode: found.mode() & 0o7777,
        owner: (found.uid().into(), found.gid().into()),
        time: i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec()),
        xattrs: xattrs_of(path),
        same,
    }
}

fn xattrs_of(path: &Path) -> Vec<(String, Vec<u8>)> {
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
    let mut names = vec![0_u8; 1 << 16];
    // SAFETY: a path that ends with a zero, and a buffer with its length.
    let length = unsafe { libc::llistxattr(path.as_ptr(), names.as_mut_ptr().cast(), names.len()) };
    names.truncate(usize::try_from(length).unwrap());
    let mut found = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let text = std::ffi::CString::new(name).unwrap();
        let mut value = vec![0_u8; 1 << 16];
        // SAFETY: as above.
        let length = unsafe { libc::lgetxattr(path.as_ptr(), text.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
        value.truncate(usize::try_from(length).unwrap());
        found.push((String::from_utf8(name.to_owned()).unwrap(), value));
    }
    found.sort();
    found
}
