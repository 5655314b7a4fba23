//! What members have besides their content.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{getegid, geteuid};

use super::Layers;
use crate::test_tar::{Member, archive, dir, file, hard_link, long_name, pax, record, symlink};
use crate::tree::xattrs_of;

/// One of everything that an ordinary user can have too.
pub(super) fn sample() -> Vec<u8> {
    let attributes = [record("SCHILY.xattr.user.note", b"a\nb\0c"), record("mtime", b"1600000000.25")].concat();
    let long = "directory/".repeat(20) + "file";
    archive(&[
        Member { mode: 0o755, mtime: 1_000_000, ..dir("./") },
        Member { mode: 0o555, mtime: 2_000_000, ..dir("locked/") },
        pax(&attributes),
        Member { mode: 0o4711, owner: (1234, 5678), ..file("locked/program", "content") },
        hard_link("program", "./locked/program"),
        Member { mtime: 3_000_000, owner: (1, 2), ..symlink("link", "/locked/../nowhere") },
        hard_link("link2", "link"),
        long_name(long.as_bytes()),
        file("short", "found"),
        Member { kind: b'6', path: b"fifo", mode: 0o622, ..Member::default() },
        Member { mode: 0o755, ..file("old-style/", "") },
        file("twice", "first, and longer"),
        file("twice", "second"),
    ])
}

/// Everything that can be said about the files of a tree, by path.
pub(super) fn listing(tree: &Path) -> BTreeMap<OsString, String> {
    let mut listing = BTreeMap::new();
    let mut todo = vec![tree.to_owned()];
    let mut inodes = Vec::new();
    while let Some(path) = todo.pop() {
        let stat = fs::symlink_metadata(&path).unwrap();
        let inode = inodes.iter().position(|inode| *inode == stat.ino()).unwrap_or(inodes.len());
        inodes.push(stat.ino());
        let content = match stat.file_type() {
            kind if kind.is_symlink() => format!("{:?}", fs::read_link(&path).unwrap()),
            kind if kind.is_file() => {
                let xattrs = xattrs_of(fs::File::open(&path).unwrap().as_fd()).unwrap();
                format!("{:?} {xattrs:?}", fs::read(&path).unwrap())
            }
            kind if kind.is_dir() => {
                let mut entries: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
                entries.sort();
                todo.extend(entries);
                String::new()
            }
            _ => String::new(),
        };
        let (mode, owner, time) = (stat.mode(), (stat.uid(), stat.gid()), (stat.mtime(), stat.mtime_nsec()));
        let said = format!("{mode:o} {owner:?} {time:?} inode {inode}, {} names: {content}", stat.nlink());
        listing.insert(path.strip_prefix(tree).unwrap().into(), said);
    }
    listing
}

fn owners(count: u64) -> String {
    format!(
        "left out {count} owner(s) that you cannot give files to: those files are yours, and root's in your containers"
    )
}

#[test]
fn a_tree_has_all_that_belongs_to_it() {
    let mut layers = Layers::new();
    let placed = layers.add_archive(&sample()).unwrap();
    // An ordinary user cannot give files away.
    let expected = if geteuid().is_root() { vec![] } else { vec![owners(2)] };
    assert_eq!(placed.skipped.warnings(), expected);
    let stat = |path: &str| fs::symlink_metadata(layers.tree().join(path)).unwrap();

    let program = stat("program");
    assert_eq!(program.mode() & 0o7777, 0o4711, "a change of owner takes the setuid bit away");
    assert_eq!((program.mtime(), program.mtime_nsec()), (1_600_000_000, 250_000_000));
    assert_eq!((program.ino(), program.nlink()), (stat("locked/program").ino(), 2));
    let owner = if geteuid().is_root() { (1234, 5678) } else { (geteuid().as_raw(), getegid().as_raw()) };
    assert_eq!((program.uid(), program.gid()), owner);

    assert_eq!((stat("locked").mode() & 0o7777, stat("locked").mtime()), (0o555, 2_000_000));
    assert_eq!((stat("").mode() & 0o7777, stat("").mtime()), (0o755, 1_000_000));
    assert_eq!(stat("fifo").mode() & 0o7777, 0o622);
    assert!(stat("old-style").is_dir());
    assert_eq!(fs::read_link(layers.tree().join("link")).unwrap(), Path::new("/locked/../nowhere"));
    assert_eq!((stat("link").mtime(), stat("link").ino()), (3_000_000, stat("link2").ino()));
    assert_eq!(fs::read_to_string(layers.tree().join("directory/".repeat(20)).join("file")).unwrap(), "found");
    assert_eq!(fs::read_to_string(layers.tree().join("twice")).unwrap(), "second");
}

#[test]
fn extended_attributes_are_kept_byte_by_byte() {
    let records = record("SCHILY.xattr.user.note", b"a\nb\0c\xff");
    let layers = Layers::of(&[&[pax(&records), file("f", ""), pax(&records), dir("d")]]);
    for name in ["f", "d"] {
        let xattrs = xattrs_of(fs::File::open(layers.tree().join(name)).unwrap().as_fd()).unwrap();
        assert_eq!(xattrs, [(c"user.note".to_owned(), b"a\nb\0c\xff".to_vec())]);
    }
}

#[test]
fn file_capabilities_are_kept_where_they_can_be() {
    // Version 2, effective, with CAP_NET_BIND_SERVICE permitted (capability.h, `struct vfs_cap_data`).
    let value: Vec<u8> = [0x0200_0001u32, 1 << 10, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    let records = record("SCHILY.xattr.security.capability", &value);
    let mut layers = Layers::new();
    let placed = layers.add(&[pax(&records), Member { owner: (7, 7), mode: 0o755, ..file("server", "") }]);
    let xattrs = xattrs_of(fs::File::open(layers.tree().join("server")).unwrap().as_fd()).unwrap();
    if geteuid().is_root() {
        assert_eq!(xattrs, [(c"security.capability".to_owned(), value)]);
    } else {
        assert_eq!(xattrs, []);
        let attribute = "left out 1 extended attribute(s) that cannot be set here".to_owned();
        assert_eq!(placed.skipped.warnings(), [owners(1), attribute]);
    }
}

#[test]
fn times_may_be_before_the_beginning_and_far_away() {
    let before = record("mtime", b"-1.25");
    let huge = record("mtime", b"99999999999999.999999999");
    let mut negative = crate::test_tar::bytes(&file("base-256", ""));
    negative[136..148].fill(0xff);
    negative[147] = 0xfe;
    let header = tar::Header::from_byte_slice(&negative[..512]).clone();
    let sealed = crate::test_tar::sealed(header, b"");
    let tar = [sealed, archive(&[pax(&before), file("before", ""), pax(&huge), file("huge", "")])].concat();
    let mut layers = Layers::new();
    layers.add_archive(&tar).unwrap();
    let time = |path: &str| {
        let stat = fs::metadata(layers.tree().join(path)).unwrap();
        (stat.mtime(), stat.mtime_nsec())
    };
    assert_eq!(time("before"), (-2, 750_000_000));
    assert_eq!(time("base-256"), (-2, 0));
    // The file system keeps the last time that it knows.
    assert!(time("huge").0 > 4_000_000_000, "{:?}", time("huge"));
}

#[test]
fn ids_go_up_to_the_last() {
    let records = [record("uid", b"4294967294"), record("gid", b"4294967293")].concat();
    let base_256 = Member { owner: (4_000_000_000, 3_000_000_000), ..file("base-256", "") };
    let mut layers = Layers::new();
    let placed = layers.add(&[pax(&records), file("pax", ""), base_256]);
    let owner = |path: &str| {
        let stat = fs::metadata(layers.tree().join(path)).unwrap();
        (stat.uid(), stat.gid())
    };
    if nix::unistd::geteuid().is_root() {
        assert_eq!(owner("pax"), (4_294_967_294, 4_294_967_293));
        assert_eq!(owner("base-256"), (4_000_000_000, 3_000_000_000));
    } else {
        assert_eq!(placed.skipped.warnings(), [owners(2)]);
    }
    for bad in ["uid", "gid"] {
        let records = record(bad, b"4294967295");
        let error = layers.add_archive(&archive(&[pax(&records), file("f", "")])).unwrap_err();
        assert!(format!("{error:#}").contains("there is no user or group 4294967295"), "{error:#}");
    }
}
