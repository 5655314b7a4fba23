//! Images whose layers mean harm together: one prepares what the next one goes through.
//!
//! Each is loaded, run, exported and removed. It may be refused, and then nothing of it is left; it may be taken, and
//! then it is harmless. What it reaches for on the host is what it was, down to the time of its last change.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::Bench;
use super::builder::Builder;
use super::sample::{nothing_to_do, packed};
use crate::Test;
use crate::registry::content::Content;
use crate::support::need::Need::Containers;

pub const TESTS: &[Test] = &[
    ("no_layer_writes_through_another", &[Containers], no_layer_writes_through_another),
    ("no_layer_deletes_through_another", &[Containers], no_layer_deletes_through_another),
    ("no_layer_links_through_another", &[Containers], no_layer_links_through_another),
    ("overlay_takes_no_orders_from_a_layer", &[Containers], overlay_takes_no_orders_from_a_layer),
    ("what_is_put_into_every_container_stays_in_it", &[Containers], what_is_put_into_every_container_stays_in_it),
];

/// What an image would like to reach: a directory of the host, with a file in it.
struct Target {
    bench: Bench,
    dir: PathBuf,
    before: Vec<[i64; 7]>,
}

impl Target {
    fn new() -> Target {
        let bench = Bench::new();
        let dir = bench.path("target");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("file"), "untouched").unwrap();
        let before = state(&dir);
        Target { bench, dir, before }
    }

    /// The way there from within a root file system, however deep that lies.
    fn climbing(&self) -> String {
        format!("{}{}", "../".repeat(12), self.dir.display().to_string().trim_start_matches('/'))
    }

    /// A layer with symbolic links that lead there.
    fn links(&self) -> Vec<u8> {
        let mut layer = Builder::new();
        layer.add(EntryType::Regular, "true").mode(0o755).data(&nothing_to_do());
        layer.add(EntryType::Symlink, "absolute").link(self.dir.to_str().unwrap());
        layer.add(EntryType::Symlink, "climbing").link(&self.climbing());
        layer.add(EntryType::Symlink, "twice").link("absolute");
        layer.add(EntryType::Symlink, "around").link("around");
        layer.add(EntryType::Directory, "plain/").data(b"");
        layer.add(EntryType::Symlink, "plain/out").link(self.dir.to_str().unwrap());
        layer.end()
    }

    /// Puts an image of these layers through everything. Answers with whether it was taken.
    #[track_caller]
    fn is_safe_from(&self, layers: &[Vec<u8>]) -> bool {
        let (layout, other) = (self.bench.path("hostile"), Bench::new());
        Content::of(layers).write_layout(&layout);
        let ended = other.tinbox.tinbox(&format!("load -i {}", packed(&layout).display()));
        fs::remove_dir_all(&layout).unwrap();
        match ended.status {
            0 => {
                let image = other.tinbox.tinbox("images -q").ok();
                other.tinbox.tinbox(&format!("run --name hostile {} /true", image.trim()));
                other.tinbox.tinbox(&format!("export -o {} hostile", other.path("out").display()));
                other.tinbox.tinbox("commit hostile again");
                other.tinbox.tinbox("rm hostile");
                other.tinbox.tinbox("rmi again");
                other.tinbox.tinbox(&format!("rmi {}", image.trim())).ok();
            }
            _ => {
                assert!(ended.stderr.starts_with("tinbox: load "), "{ended:?}");
                assert_eq!(other.tinbox.tinbox("images -q").ok(), "");
                // A layer is found wanting when the ones below are in place. They are nobody's, and the next to clear
                // away takes them.
                other.tinbox.tinbox("image prune -f").ok();
            }
        }
        for left in ["layers", "tmp", "blobs/sha256"] {
            let left = fs::read_dir(other.tinbox.path("images").join(left)).into_iter().flatten().count();
            assert_eq!(left, 0, "{ended:?}");
        }
        assert_eq!(state(&self.dir), self.before, "{ended:?}");
        ended.status == 0
    }

    /// [`Target::is_safe_from`] the links, and then a layer that `add` makes.
    #[track_caller]
    fn is_safe_behind_links(&self, add: impl FnOnce(&mut Builder)) -> bool {
        let mut layer = Builder::new();
        add(&mut layer);
        self.is_safe_from(&[self.links(), layer.end()])
    }
}

/// All that a change would change.
fn state(dir: &Path) -> Vec<[i64; 7]> {
    let told = |found: Metadata| {
        let (size, links) = (found.size() as i64, found.nlink() as i64);
        [found.ino() as i64, found.mode().into(), found.uid().into(), size, links, found.ctime(), found.ctime_nsec()]
    };
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(dir.to_owned());
    files.sort();
    files.iter().map(|file| told(fs::symlink_metadata(file).unwrap())).collect()
}

const WAYS: [&str; 5] = ["absolute", "climbing", "twice", "around", "plain/out"];

fn no_layer_writes_through_another() {
    let target = Target::new();
    for way in WAYS {
        for name in ["file", "new", "new/deeper"] {
            target.is_safe_behind_links(|layer| layer.add(EntryType::Regular, &format!("{way}/{name}")).data(b"evil"));
        }
        target.is_safe_behind_links(|layer| layer.add(EntryType::Directory, &format!("{way}/")).mode(0o777).data(b""));
        // The link is gone, so it is: a directory of its own has come instead.
        let taken = target.is_safe_behind_links(|layer| {
            layer.add(EntryType::Directory, &format!("{way}/")).data(b"");
            layer.add(EntryType::Regular, &format!("{way}/file")).data(b"evil");
        });
        assert!(taken, "{way}");
    }
    for path in [format!("{}/new", target.climbing()), format!("{}/new", target.dir.display())] {
        target.is_safe_behind_links(|layer| layer.add(EntryType::Regular, &path).data_as_is(b"evil"));
        target
            .is_safe_behind_links(|layer| layer.add(EntryType::Regular, &format!("plain/{path}")).data_as_is(b"evil"));
    }
}

fn no_layer_deletes_through_another() {
    let target = Target::new();
    for way in WAYS {
        for name in [".wh.file", ".wh..wh..opq", ".wh..", ".wh...", ".wh."] {
            let path = format!("{way}/{name}");
            target.is_safe_behind_links(|layer| layer.add(EntryType::Regular, &path).data_as_is(b""));
        }
    }
    let path = format!("{}/.wh.file", target.climbing());
    target.is_safe_behind_links(|layer| layer.add(EntryType::Regular, &path).data_as_is(b""));
}

fn no_layer_links_through_another() {
    let target = Target::new();
    let outside = target.dir.join("file").display().to_string();
    let climbing = format!("{}/file", target.climbing());
    for to in ["absolute/file", "climbing/file", "twice/file", "plain/out/file", &outside, &climbing] {
        target.is_safe_behind_links(|layer| {
            layer.add(EntryType::Link, "mine").link(to);
            layer.add(EntryType::Regular, "mine").mode(0o777).data(b"evil");
        });
    }
}

/// overlayfs acts on attributes and devices that only it should have made.
fn overlay_takes_no_orders_from_a_layer() {
    let target = Target::new();
    let elsewhere = target.dir.display().to_string();
    for class in ["trusted", "user"] {
        for (name, value) in [("redirect", elsewhere.as_str()), ("metacopy", ""), ("opaque", "y"), ("origin", "x")] {
            let attribute = format!("SCHILY.xattr.{class}.overlay.{name}");
            target.is_safe_behind_links(|layer| {
                layer.add(EntryType::Directory, "plain/").pax(&attribute, value).data(b"");
                layer.add(EntryType::Regular, "lent").pax(&attribute, value).data(b"");
            });
        }
    }
    target.is_safe_behind_links(|layer| layer.add(EntryType::Char, "true").device(0, 0));
}

/// A container gets files in /etc, and mounts: no link of the image may send them elsewhere.
fn what_is_put_into_every_container_stays_in_it() {
    let target = Target::new();
    let outside = target.dir.join("file").display().to_string();
    for dir in ["etc", "dev", "proc", "sys", "tmp", "run"] {
        target.is_safe_behind_links(|layer| layer.add(EntryType::Symlink, dir).link(target.dir.to_str().unwrap()));
    }
    for file in ["hosts", "hostname", "resolv.conf", "passwd", "group"] {
        for to in [&outside, &format!("{}/new", target.dir.display())] {
            target.is_safe_behind_links(|layer| layer.add(EntryType::Symlink, &format!("etc/{file}")).link(to));
        }
    }
}
