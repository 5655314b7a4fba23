//! What ld.so(8) says, with files that are nothing but headers.

use elf::abi::{DT_NEEDED, DT_RPATH, DT_RUNPATH, EM_S390};

use super::super::test_elf::{file, this_machine};
use super::*;

const LOADER: &str = "/lib64/ld-linux.so.2";

/// A directory that stands for the machine; `system/` and `local/` in it are where its loader looks.
struct Machine {
    temp: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        let machine = Machine { temp: tempfile::tempdir().unwrap() };
        machine.library("system/libc.so.6", &[]);
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    fn put(&self, path: &str, contents: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(parent(&path)).unwrap();
        fs::write(path, contents).unwrap();
    }

    fn library(&self, path: &str, dynamic: &[(i64, &str)]) {
        self.put(path, &file(this_machine(), None, dynamic));
    }

    /// Where the libraries of a program at `path` come from and go to, without the loader. Its own place in the
    /// root is `/usr/bin/program`.
    fn libraries(&self, path: &str, dynamic: &[(i64, &str)]) -> Result<Vec<(String, String)>> {
        self.put(path, &file(this_machine(), Some(LOADER), dynamic));
        let dirs = vec![self.path("local"), self.path("system")];
        let mut libraries = Libraries { dirs, read: HashMap::new() };
        let pieces = libraries.of(&self.path(path), Path::new("/usr/bin/program"))?;
        assert_eq!(pieces[0], Piece { from: LOADER.into(), to: LOADER.into() });
        let shown = |path: &Path| path.strip_prefix(self.temp.path()).unwrap_or(path).display().to_string();
        Ok(pieces[1..].iter().map(|piece| (shown(&piece.from), shown(&piece.to))).collect())
    }
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn libraries_of_libraries_are_found_once() {
    let machine = Machine::new();
    machine.library("system/a.so", &[(DT_NEEDED, "b.so"), (DT_NEEDED, "libc.so.6")]);
    machine.library("system/b.so", &[(DT_NEEDED, "a.so"), (DT_NEEDED, "libc.so.6"), (DT_NEEDED, "ld-linux.so.2")]);
    let found = machine.libraries("program", &[(DT_NEEDED, "a.so"), (DT_NEEDED, "libc.so.6")]).unwrap();
    let expected = ["a.so", "libc.so.6", "b.so"].map(|name| format!("system/{name}"));
    assert_eq!(found, expected.map(|path| (path.clone(), path)));
}

#[test]
fn what_only_this_machines_index_knows_goes_next_to_libc() {
    let machine = Machine::new();
    machine.library("local/a.so", &[]);
    machine.library("system/a.so", &[]);
    let found = machine.libraries("program", &[(DT_NEEDED, "a.so")]).unwrap();
    assert_eq!(found, [pair("local/a.so", "system/a.so")]);
}

#[test]
fn origin_is_where_the_file_is_here_and_where_it_will_be_there() {
    let machine = Machine::new();
    machine.library("app/lib/a.so", &[(DT_NEEDED, "b.so"), (DT_RUNPATH, "${ORIGIN}/more")]);
    machine.library("app/lib/more/b.so", &[]);
    machine.library("system/a.so", &[]);
    let found = machine.libraries("app/bin/x", &[(DT_NEEDED, "a.so"), (DT_RUNPATH, "/nowhere:$ORIGIN/../lib")]);
    let expected =
        [pair("app/bin/../lib/a.so", "/usr/lib/a.so"), pair("app/bin/../lib/more/b.so", "/usr/lib/more/b.so")];
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn an_rpath_counts_for_what_is_loaded_and_a_runpath_does_not() {
    let machine = Machine::new();
    machine.library("system/a.so", &[(DT_NEEDED, "b.so")]);
    machine.library("own/b.so", &[]);
    let own = machine.path("own");
    let own = own.to_str().unwrap();
    let with_rpath = machine.libraries("program", &[(DT_NEEDED, "a.so"), (DT_RPATH, own)]).unwrap();
    assert_eq!(with_rpath[1], pair("own/b.so", "own/b.so"));
    let error = machine.libraries("program", &[(DT_NEEDED, "a.so"), (DT_RUNPATH, own)]).unwrap_err().to_string();
    assert!(error.contains("system/a.so asks for the library b.so"), "{error}");
    // A file that has a RUNPATH of its own does not use what it inherits.
    machine.library("system/a.so", &[(DT_NEEDED, "b.so"), (DT_RUNPATH, "/nowhere")]);
    assert!(machine.libraries("program", &[(DT_NEEDED, "a.so"), (DT_RPATH, own)]).is_err());
}

#[test]
fn a_library_for_another_machine_is_passed_over() {
    let machine = Machine::new();
    machine.put("local/a.so", &file(EM_S390, None, &[]));
    machine.put("local/b.so", b"INPUT(b.a)");
    machine.library("system/a.so", &[]);
    machine.library("system/b.so", &[]);
    let found = machine.libraries("program", &[(DT_NEEDED, "a.so"), (DT_NEEDED, "b.so")]).unwrap();
    assert_eq!(found, ["a.so", "b.so"].map(|name| format!("system/{name}")).map(|path| (path.clone(), path)));
}

#[test]
fn musls_loader_is_libc_too() {
    assert!(is_in_loader("libc.musl-x86_64.so.1", Path::new("/lib/ld-musl-x86_64.so.1")));
    assert!(!is_in_loader("libcrypto.so.3", Path::new("/lib/ld-musl-x86_64.so.1")));
    assert!(!is_in_loader("libc.so.6", Path::new("/lib64/ld-linux-x86-64.so.2")));
}

#[test]
fn the_loaders_configuration_is_read_with_what_it_includes() {
    let machine = Machine::new();
    machine.put("etc/ld.so.conf", b"# first\n/first # here\ninclude conf.d/*.conf\ninclude ld.so.conf\n  /last\n");
    machine.put("etc/conf.d/b.conf", b"/b\n");
    machine.put("etc/conf.d/a.conf", b"/a\nrelative\n");
    machine.put("etc/conf.d/a.conf.old", b"/old\n");
    let mut dirs = Vec::new();
    read_conf(&machine.path("etc/ld.so.conf"), &mut dirs, 0);
    let mut seen = HashSet::new();
    dirs.retain(|dir| seen.insert(dir.clone()));
    assert_eq!(dirs, ["/first", "/a", "/b", "/last"].map(PathBuf::from));
}
