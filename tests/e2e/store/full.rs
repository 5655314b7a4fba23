//! A disk that is full: what is not needed any more can still be removed, which is how room is made.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use super::{archive, contents, must};
use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need::Root;

pub const TESTS: &[Test] = &[
    ("removing_from_a_full_disk", &[Root], removing_from_a_full_disk),
    ("removing_without_free_inodes", &[Root], removing_without_free_inodes),
    ("reading_from_a_read_only_disk", &[Root], reading_from_a_read_only_disk),
];

/// A small file system in memory, as the state directory. It is gone with it.
struct Disk {
    tinbox: Tinbox,
    at: PathBuf,
}

impl Disk {
    fn new() -> Disk {
        let tinbox = Tinbox::without_images();
        let at = tinbox.path("");
        mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), Some("size=32m,nr_inodes=4000,mode=700")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for word in ["one", "two", "three"] {
            must(&tinbox, &["import", archive(dir.path(), word).to_str().unwrap(), word], word);
        }
        Disk { tinbox, at }
    }

    /// Removes the images in three ways, after each of which `fill_again` takes the room that this made.
    fn remove_all(&self, fill_again: impl Fn(&str)) {
        for (number, arguments) in
            [&["rmi", "one"][..], &["rmi", "--force", "two"], &["image", "prune", "--all", "--force"]]
                .iter()
                .enumerate()
        {
            fill_again(&format!("fill{number}"));
            must(&self.tinbox, arguments, &arguments.join(" "));
        }
        assert_eq!(self.tinbox.tinbox("images -q").ok(), "");
        assert!(contents(&self.tinbox).is_empty(), "{:?}", contents(&self.tinbox));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount2(&self.at, MntFlags::MNT_DETACH);
    }
}

/// Does it in a thread with a mount table of its own: other tests look at the machine's.
fn with_disk(test: impl FnOnce(&Disk) + Send) {
    std::thread::scope(|scope| {
        let done = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_FS).unwrap();
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&Path>, "/", None::<&Path>, private, None::<&Path>).unwrap();
            test(&Disk::new());
        });
        done.join().unwrap();
    });
}

fn removing_from_a_full_disk() {
    with_disk(|disk| {
        disk.remove_all(|name| {
            let mut file = File::create(disk.at.join(name)).unwrap();
            while file.write_all(&[1; 4096]).is_ok() {}
        });
    });
}

fn removing_without_free_inodes() {
    with_disk(|disk| {
        disk.remove_all(|name| {
            let dir = disk.at.join(name);
            // There may be no inode left for even this.
            if fs::create_dir(&dir).is_ok() {
                let made = (0..).map_while(|number: u32| File::create_new(dir.join(number.to_string())).ok()).count();
                assert!(made < 4000, "inodes are not counted here");
            }
        });
    });
}

fn reading_from_a_read_only_disk() {
    with_disk(|disk| {
        let remount = |flags| mount(None::<&Path>, &disk.at, None::<&Path>, MsFlags::MS_REMOUNT | flags, None::<&Path>);
        remount(MsFlags::MS_RDONLY).unwrap();
        for arguments in ["images", "image inspect --layers one", "inspect one", "history one"] {
            disk.tinbox.tinbox(arguments).ok();
        }
        let saved = disk.tinbox.command(["save", "one"]).output().unwrap();
        assert!(saved.status.success() && !saved.stdout.is_empty());
        assert!(disk.tinbox.tinbox("rmi one").fails(1).contains("Read-only file system"));
    });
}
