//! The embedded image, built both ways, and run.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use look::kernel::{self, MsFlags};

use super::*;

/// What `command` prints with `root` as its root, and `/proc` in it. As an ordinary user this takes a user
/// namespace: without one the test is blocked, and fails saying so.
fn run_in(root: &Path, command: &[&str]) -> String {
    let root = root.to_owned();
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let enter = move || -> look::Result<()> {
        ::chroot::own_mounts()?;
        kernel::mount("", "/", "", MsFlags::MS_REC | MsFlags::MS_PRIVATE, "", "test")?;
        kernel::mount("/proc", root.join("proc"), "", MsFlags::MS_BIND | MsFlags::MS_REC, "", "test")?;
        ::chroot::enter_root(&root)
    };
    // SAFETY: the closure changes nothing but the child. It allocates, which glibc allows after a fork.
    unsafe { process.pre_exec(move || enter().map_err(std::io::Error::other)) };
    let output = loop {
        match process.output() {
            // A child that another test is just forking still holds the program open for writing, until its exec.
            Err(e) if e.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            done => break done,
        }
    };
    let output = output.unwrap_or_else(|e| panic!("blocked: cannot run {command:?} in a root of its own: {e}"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}: {said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

fn build_in_temp(source: &Source) -> (tempfile::TempDir, Built) {
    let temp = tempfile::tempdir().unwrap();
    let built = build(temp.path(), source).unwrap();
    (temp, built)
}

#[test]
fn the_machines_own_tools_run_in_a_root_of_their_own() {
    let (temp, built) = build_in_temp(&Source::Host);
    let root = temp.path();
    assert_eq!(built.warnings, [""; 0], "this machine lacks a tool that it should have for the tests");
    assert_eq!(built.config.cmd, ["/bin/sh"]);
    let checks = [
        ("ls -l /etc/passwd | wc -l", "1\n"),
        ("cat /etc/os-release | head -n 1", "NAME=\"Tinbox base\"\n"),
        ("ps -p $$ | grep -c sh", "1\n"),
        ("mount | grep -c ' /proc '", "1\n"),
        ("test -n \"$(hostname)\" && echo named", "named\n"),
        ("id -u", "0\n"),
        ("id root", "uid=0(root) gid=0(root)"),
        ("sleep 0 && env -i A=b env", "A=b\n"),
        ("mkdir /tmp/d && touch /tmp/d/f && ln -s f /tmp/d/l && ls /tmp/d && rm -r /tmp/d", "f\nl\n"),
        ("/usr/bin/env true && /bin/ls -d /sbin/../bin", "/sbin/../bin\n"),
    ];
    for (script, expected) in checks {
        let said = run_in(root, &["/bin/sh", "-c", script]);
        assert!(said.starts_with(expected), "{script}: {said}");
    }
}

#[test]
fn nothing_in_the_image_is_the_machines_or_more_powerful() {
    let (temp, _) = build_in_temp(&Source::Host);
    let mut todo = vec![temp.path().to_owned()];
    let mut files = 0;
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let stat = fs::symlink_metadata(&path).unwrap();
            if stat.is_dir() {
                todo.push(path.clone());
            } else if stat.is_file() {
                files += 1;
                assert_eq!(stat.nlink(), 1, "{} shares its inode", path.display());
                assert_eq!(stat.mode() & 0o7000, 0, "{} is setuid or setgid", path.display());
                assert_ne!(stat.mode() & 0o004, 0, "{} cannot be read by all", path.display());
            }
            assert!(
                !path.file_name().unwrap().to_string_lossy().starts_with(".new-"),
                "{} is half done",
                path.display()
            );
        }
    }
    assert!(files > REQUIRED.len());
    let mode = |path: &str| fs::metadata(temp.path().join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("tmp"), mode("root"), mode(""), mode("etc/passwd")), (0o1777, 0o700, 0o755, 0o644));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_static_busybox_becomes_all_that_it_lists() {
    let temp = tempfile::tempdir().unwrap();
    let busybox = executable(temp.path(), &test_elf::program_that_says("sh\nls\nbusybox\n../evil\n\n..\nip\n"));
    let root = temp.path().join("root");
    fs::create_dir(&root).unwrap();
    let built = build(&root, &Source::Busybox(busybox.clone())).unwrap();
    for command in ["sh", "ls", "ip"] {
        assert_eq!(fs::read_link(root.join("usr/bin").join(command)).unwrap(), Path::new("busybox"));
    }
    assert_eq!(fs::read_dir(root.join("usr/bin")).unwrap().count(), 4);
    assert!(fs::symlink_metadata(root.join("usr/evil")).is_err());
    assert_eq!(built.warnings.len(), REQUIRED.len() - 2);
    assert!(built.warnings[0].ends_with("has no `cat`: tinbox/base is made without it"), "{}", built.warnings[0]);
    assert!(run_in(&root, &["/bin/sh"]).starts_with("sh\nls\n"));
    assert_eq!(busybox::find_in(&[temp.path().to_owned()]).map(|_| ()), None, "it lacks required commands");

    executable(temp.path(), &test_elf::program_that_says(&REQUIRED.join("\n")));
    assert!(busybox::find_in(&[PathBuf::from("/nowhere"), temp.path().to_owned()]).is_some());
    executable(temp.path(), &test_elf::program_that_says("ls\n"));
    let error = build(&root, &Source::Busybox(busybox.clone())).unwrap_err().to_string();
    assert!(error.ends_with("has no `sh`"), "{error}");
    executable(temp.path(), &test_elf::file(test_elf::this_machine(), Some("/lib/ld.so"), &[]));
    let error = build(&root, &Source::Busybox(busybox)).unwrap_err().to_string();
    assert!(error.ends_with("is not a static program"), "{error}");
}

/// A program that can be run at once: it is another process that writes it, so that no child of this one holds it
/// open for writing.
#[cfg(target_arch = "x86_64")]
fn executable(dir: &Path, contents: &[u8]) -> PathBuf {
    let (draft, path) = (dir.join("draft"), dir.join("busybox"));
    fs::write(&draft, contents).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new("cp").arg(&draft).arg(&path).status().unwrap().success());
    path
}

#[test]
fn a_program_is_put_into_a_root_with_what_it_asks_for() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("proc")).unwrap();
    let this = std::env::current_exe().unwrap();
    add_program(temp.path(), &this, "/attacks/this").unwrap();
    let listed = run_in(temp.path(), &["/attacks/this", "--list"]);
    assert!(listed.contains("a_program_is_put_into_a_root_with_what_it_asks_for: test"));

    // Again: the program is replaced, and the root's own libraries stay.
    let needs = elf::Needs::of(&this).unwrap();
    let loader = temp.path().join(needs.interpreter.unwrap().trim_start_matches('/'));
    fs::write(&loader, "the root's own").unwrap();
    fs::write(temp.path().join("attacks/this"), "old").unwrap();
    add_program(temp.path(), &this, "/attacks/this").unwrap();
    assert_eq!(fs::read(temp.path().join("attacks/this")).unwrap(), fs::read(&this).unwrap());
    assert_eq!(fs::read_to_string(&loader).unwrap(), "the root's own");
}

#[test]
fn what_cannot_be_put_into_a_root_is_refused_and_nothing_is_laid() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    fs::create_dir(&root).unwrap();
    let script = temp.path().join("script");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let refusal = |program: &Path, at: &str| format!("{:#}", add_program(&root, program, at).unwrap_err());
    assert!(refusal(&script, "/script").contains("is not an ELF program"));
    assert!(refusal(&temp.path().join("nothing"), "/x").contains("No such file"));
    let lacking = temp.path().join("lacking");
    let dynamic = [(::elf::abi::DT_NEEDED, "libnowhere.so.9")];
    fs::write(&lacking, test_elf::file(test_elf::this_machine(), Some("/lib/ld.so"), &dynamic)).unwrap();
    let error = refusal(&lacking, "/lacking");
    assert!(error.contains("lacking asks for the library libnowhere.so.9"), "{error}");
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
}

#[test]
fn a_root_with_symlinks_is_filled_inside() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(temp.path().join("outside"), "untouched").unwrap();
    symlink(temp.path(), root.join("out")).unwrap();
    symlink(temp.path().join("outside"), root.join("file")).unwrap();
    let tree = Laying::new(&root).unwrap();
    tree.file(b"new", Path::new("/file"), 0o644).unwrap();
    assert_eq!(fs::read(root.join("file")).unwrap(), b"new");
    assert!(tree.file(b"new", Path::new("/out/outside"), 0o644).is_err());
    assert_eq!(fs::read_to_string(temp.path().join("outside")).unwrap(), "untouched");
}

#[test]
fn the_image_is_made_once_and_then_found() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(&temp.path().join("images"));
    let find = || find_or_make(&store, images::apply_layer).unwrap().0;
    let made = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..3).map(|_| scope.spawn(find)).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(made.iter().all(|image| image.id == made[0].id));
    assert_eq!(store.find(&Name::base()).unwrap().unwrap().id, made[0].id);
    assert!(store.trees(&made[0])[0].join("usr/bin/sh").exists());
    // Removed, it comes back, and the same programs give the same layer.
    store.forget(&made[0], false).unwrap();
    store.collect(&store.alone().unwrap().unwrap()).unwrap();
    assert!(store.find(&Name::base()).unwrap().is_none());
    assert_eq!(find().layers, made[0].layers);
}
