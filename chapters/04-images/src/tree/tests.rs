//! Images in the store: made, found, moved, copied; and creators that die.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::unistd::geteuid;

use super::attributes::xattrs_of;
use super::test_dir::TestDir;
use super::test_tar::{Member, archive, dir, file, hard_link, long_name, pax, record, symlink};
use super::{Name, Store, copy_tree, import, remove_tree};

fn store() -> (TestDir, Store) {
    let temp = TestDir::new();
    let store = Store::open(&temp.path().join("state/images"));
    (temp, store)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// One of everything that an ordinary user can have too.
fn sample() -> Vec<u8> {
    let attributes = [record("SCHILY.xattr.user.note", b"a\nb\0c"), record("mtime", b"1600000000.25")].concat();
    let long = "directory/".repeat(20) + "file";
    archive(&[
        Member { mode: 0o755, mtime: 1_000_000, ..dir("./") },
        Member { mode: 0o555, mtime: 2_000_000, ..dir("locked/") },
        pax(&attributes),
        Member { mode: 0o4711, owner: (1234, 5678), ..file("locked/program", "content") },
        hard_link("program", "./locked/program"),
        Member { mtime: 3_000_000, owner: (1, 2), ..symlink("link", "/locked/../nowhere") },
        long_name(long.as_bytes()),
        file("short", "found"),
        Member { kind: b'6', path: b"fifo", mode: 0o622, ..Member::default() },
        Member { mode: 0o755, ..file("old-style/", "") },
        file("twice", "first, and longer"),
        file("twice", "second"),
    ])
}

/// Everything that can be said about the files of a tree, by path.
fn listing(tree: &Path) -> BTreeMap<OsString, String> {
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

#[test]
fn a_tree_is_imported_with_all_that_belongs_to_it() {
    let (_temp, store) = store();
    let imported = import(&store, sample().as_slice(), Some(&name("sample"))).unwrap();
    let tree = &imported.image.rootfs;
    // An ordinary user cannot give files away.
    let expected = if geteuid().is_root() { vec![] } else { vec![owners(2)] };
    assert_eq!(imported.warnings, expected);
    let stat = |path: &str| fs::symlink_metadata(tree.join(path)).unwrap();

    let program = stat("program");
    assert_eq!(program.mode() & 0o7777, 0o4711);
    assert_eq!((program.mtime(), program.mtime_nsec()), (1_600_000_000, 250_000_000));
    assert_eq!((program.ino(), program.nlink()), (stat("locked/program").ino(), 2));
    let xattrs = xattrs_of(fs::File::open(tree.join("twice")).unwrap().as_fd()).unwrap();
    assert_eq!(xattrs, []);
    let owner = if geteuid().is_root() { (1234, 5678) } else { (geteuid().as_raw(), nix::unistd::getegid().as_raw()) };
    assert_eq!((program.uid(), program.gid()), owner);

    assert_eq!((stat("locked").mode() & 0o7777, stat("locked").mtime()), (0o555, 2_000_000));
    assert_eq!((stat("").mode() & 0o7777, stat("").mtime()), (0o755, 1_000_000));
    assert_eq!(stat("fifo").mode() & 0o7777, 0o622);
    assert!(stat("old-style").is_dir());
    assert_eq!(fs::read_link(tree.join("link")).unwrap(), Path::new("/locked/../nowhere"));
    assert_eq!(stat("link").mtime(), 3_000_000);
    assert_eq!(fs::read_to_string(tree.join("directory/".repeat(20)).join("file")).unwrap(), "found");
    assert_eq!(fs::read_to_string(tree.join("twice")).unwrap(), "second");
}

#[test]
fn extended_attributes_are_kept_byte_by_byte() {
    let (_temp, store) = store();
    let tree = import(&store, sample().as_slice(), None).unwrap().image.rootfs;
    nix::sys::stat::fchmodat(
        nix::fcntl::AT_FDCWD,
        &tree.join("program"),
        nix::sys::stat::Mode::S_IRUSR,
        nix::sys::stat::FchmodatFlags::FollowSymlink,
    )
    .unwrap();
    let xattrs = xattrs_of(fs::File::open(tree.join("program")).unwrap().as_fd()).unwrap();
    assert_eq!(xattrs, [(c"user.note".to_owned(), b"a\nb\0c".to_vec())]);
}

#[test]
fn file_capabilities_are_kept_where_they_can_be() {
    let (_temp, store) = store();
    // Version 2, effective, with CAP_NET_BIND_SERVICE permitted (capability.h, `struct vfs_cap_data`).
    let value: Vec<u8> = [0x0200_0001u32, 1 << 10, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    let records = record("SCHILY.xattr.security.capability", &value);
    let tar = archive(&[pax(&records), Member { owner: (7, 7), mode: 0o755, ..file("server", "") }]);
    let imported = import(&store, tar.as_slice(), None).unwrap();
    let xattrs = xattrs_of(fs::File::open(imported.image.rootfs.join("server")).unwrap().as_fd()).unwrap();
    if geteuid().is_root() {
        assert_eq!(xattrs, [(c"security.capability".to_owned(), value)]);
    } else {
        assert_eq!(xattrs, []);
        let attribute = "left out 1 extended attribute(s) that cannot be set here".to_owned();
        assert_eq!(imported.warnings, [owners(1), attribute]);
    }
}

fn owners(count: u64) -> String {
    format!(
        "left out {count} owner(s) that you cannot give files to: those files are yours, and root's in your containers"
    )
}

#[test]
fn the_id_is_the_digest_of_the_uncompressed_archive() {
    let (_temp, store) = store();
    let tar = sample();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&tar).unwrap();
    let plain = import(&store, tar.as_slice(), None).unwrap().image;
    let packed = import(&store, encoder.finish().unwrap().as_slice(), None).unwrap().image;
    assert_eq!(plain, packed);
    assert_eq!(plain.id, super::hex(&<sha2::Sha256 as sha2::Digest>::digest(&tar)));
}

#[test]
fn a_name_is_found_moves_and_vanishes_with_its_image() {
    let (_temp, store) = store();
    assert_eq!(store.find(&name("app")).unwrap(), None);
    let first = import(&store, sample().as_slice(), Some(&name("app"))).unwrap().image;
    assert_eq!(store.find(&name("docker.io/library/app:latest")).unwrap().unwrap(), first);
    assert_eq!(store.find(&name("app:1")).unwrap(), None);
    let other = archive(&[file("other", "")]);
    let second = import(&store, other.as_slice(), Some(&name("app"))).unwrap().image;
    assert_eq!(store.find(&name("app")).unwrap().unwrap(), second);
    assert!(first.rootfs.exists(), "the first image lost its name, not its files");
    let again = import(&store, sample().as_slice(), Some(&name("app"))).unwrap().image;
    assert_eq!(store.find(&name("app")).unwrap().unwrap(), again);
    assert_eq!(again, first);

    remove_tree(first.rootfs.parent().unwrap()).unwrap();
    assert_eq!(store.find(&name("app")).unwrap(), None);
}

#[test]
fn a_record_that_is_damaged_is_an_error() {
    let (_temp, store) = store();
    let image = import(&store, sample().as_slice(), Some(&name("app"))).unwrap().image;
    fs::write(image.rootfs.with_file_name("image.json"), "{").unwrap();
    let error = store.find(&name("app")).unwrap_err().to_string();
    assert!(error.contains("image.json: not the record of an image"), "{error}");
    let link = store.link(&name("app"));
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("/etc", &link).unwrap();
    let error = store.find(&name("app")).unwrap_err().to_string();
    assert!(error.contains("it should point to an image, not to /etc"), "{error}");
}

#[test]
fn many_may_make_the_same_image_at_once() {
    let (_temp, store) = store();
    let tar = sample();
    let images = std::thread::scope(|scope| {
        let makers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| import(&store, tar.as_slice(), Some(&name("app"))))).collect();
        makers.into_iter().map(|maker| maker.join().unwrap().unwrap().image).collect::<Vec<_>>()
    });
    assert!(images.iter().all(|image| *image == images[0]));
    assert_eq!(contents(&store.dir), [images[0].id.as_str(), "lock", "names"].map(String::from));
}

#[test]
fn what_the_dead_left_is_swept_and_what_the_living_make_is_not() {
    let (_temp, store) = store();
    let living = store.draft().unwrap();
    fs::create_dir_all(store.dir.join("tmp-1-0/rootfs/deep/er")).unwrap();
    fs::write(store.dir.join("tmp-1-0/rootfs/deep/file"), "").unwrap();
    let next = store.draft().unwrap();
    assert!(living.rootfs().is_dir() && next.rootfs().is_dir() && living.rootfs() != next.rootfs());
    assert_eq!(contents(&store.dir).len(), 4, "two drafts, the lock and the names");
    drop((living, next));
    assert_eq!(contents(&store.dir), ["lock", "names"]);
}

#[test]
fn a_copy_is_like_the_original() {
    let (temp, store) = store();
    let tree = import(&store, sample().as_slice(), None).unwrap().image.rootfs;
    // A file that even its owner may not read is for root of a user namespace to copy.
    let readable = fs::Permissions::from_mode(0o4755);
    fs::set_permissions(tree.join("program"), readable).unwrap();
    let sparse = fs::File::create(tree.join("sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"end", 10 << 20).unwrap();
    let copy = temp.path().join("copy");
    assert_eq!(copy_tree(&tree, &copy).unwrap(), [""; 0]);
    assert_eq!(listing(&copy), listing(&tree));
    assert!(fs::metadata(copy.join("sparse")).unwrap().blocks() * 512 < 1 << 20, "holes must stay holes");
    assert!(copy_tree(&tree, &copy).unwrap_err().to_string().contains("EEXIST"));
    assert_eq!(listing(&copy), listing(&tree), "a copy that is refused must leave what is there");
    remove_tree(&copy).unwrap();
    assert!(!copy.exists());
    remove_tree(&copy).unwrap();
}

fn contents(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
