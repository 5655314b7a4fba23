//! Which libraries a program loads, and from where (ld.so(8)).
//!
//! For a library that a file asks for by name the loader looks, in this order, in the directories
//!
//! 1. of the file's own `DT_RUNPATH`; or, without one, of the `DT_RPATH` of the file and of those that led to it;
//! 2. of `/etc/ld.so.conf`, which `ldconfig` has indexed;
//! 3. that are built into it.
//!
//! `$ORIGIN` in the first stands for the directory of the file that asks. The second are the machine's own affair:
//! the new root has no such index, so what is found there or in the third goes next to libc, where the loader
//! looks in any case. musl's loader reads no index and needs none of this, nor do programs of NixOS, whose
//! `DT_RUNPATH` names every directory in full.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::elf::Needs;

#[cfg(test)]
mod tests;

/// glibc. The loader finds it in a directory that it looks in without being told.
const LIBC: &str = "libc.so.6";

/// A file to copy: from where on the machine, and to where in the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
}

/// Finds libraries on this machine. Remembers what it has read.
#[derive(Debug)]
pub(super) struct Libraries {
    dirs: Vec<PathBuf>,
    /// What is at a path; nothing if it is not an ELF file.
    read: HashMap<PathBuf, Option<Needs>>,
}

/// A directory to look in, and what it is called in the root.
#[derive(Debug, Clone)]
struct Dir {
    host: PathBuf,
    root: PathBuf,
}

/// A file whose libraries are to be found.
struct Asker {
    piece: Piece,
    needs: Needs,
    /// The `DT_RPATH` of those that led here.
    inherited: Vec<Dir>,
}

impl Libraries {
    pub(super) fn new() -> Libraries {
        Libraries { dirs: system_dirs(), read: HashMap::new() }
    }

    /// The loader and the libraries of `program`, which will be at `at`. The error names a library that is not
    /// there, and who asks for it.
    pub(super) fn of(&mut self, program: &Path, at: &Path) -> Result<Vec<Piece>> {
        let needs = Needs::of(program)?;
        let Some(interpreter) = needs.interpreter.clone() else { return Ok(Vec::new()) };
        let loader = Path::new(&interpreter);
        let mut pieces = vec![Piece { from: loader.to_owned(), to: loader.to_owned() }];
        let mut loaded = HashSet::from([file_name(loader)]);
        let beside_libc = self.in_system_dirs(LIBC, needs.kind).map(|path| parent(&path));

        let piece = Piece { from: program.to_owned(), to: at.to_owned() };
        let mut askers = VecDeque::from([Asker { piece, needs, inherited: Vec::new() }]);
        while let Some(asker) = askers.pop_front() {
            let inherited = asker.rpath();
            for name in &asker.needs.libraries {
                if !loaded.insert(name.clone()) || is_in_loader(name, loader) {
                    continue;
                }
                let piece = self.find(name, &asker, beside_libc.as_deref()).with_context(|| {
                    let who = asker.piece.from.display();
                    format!("{who} asks for the library {name}, which is nowhere that ld.so(8) would look")
                })?;
                let needs = self.needs(&piece.from).context("a library vanished")?.clone();
                askers.push_back(Asker { piece: piece.clone(), needs, inherited: inherited.clone() });
                pieces.push(piece);
            }
        }
        Ok(pieces)
    }

    /// The library `name` in the machine's directories, for `program`.
    pub(super) fn by_name(&mut self, name: &str, program: &Path) -> Option<Piece> {
        let kind = self.needs(program)?.kind;
        let from = self.in_system_dirs(name, kind)?;
        let to = parent(&self.in_system_dirs(LIBC, kind)?).join(name);
        Some(Piece { from, to })
    }

    /// The library `name` for `asker`.
    fn find(&mut self, name: &str, asker: &Asker, beside_libc: Option<&Path>) -> Option<Piece> {
        let kind = asker.needs.kind;
        if name.contains('/') {
            let path = PathBuf::from(name);
            return self.fits(&path, kind).then(|| Piece { from: path.clone(), to: path });
        }
        for dir in asker.own_dirs() {
            let path = dir.host.join(name);
            if self.fits(&path, kind) {
                return Some(Piece { from: path, to: dir.root.join(name) });
            }
        }
        let found = self.in_system_dirs(name, kind)?;
        let to = beside_libc.map_or_else(|| found.clone(), |dir| dir.join(name));
        Some(Piece { from: found, to })
    }

    fn in_system_dirs(&mut self, name: &str, kind: (u16, bool)) -> Option<PathBuf> {
        let candidates: Vec<_> = self.dirs.iter().map(|dir| dir.join(name)).collect();
        candidates.into_iter().find(|path| self.fits(path, kind))
    }

    /// Whether there is a library at `path` for the same kind of machine.
    fn fits(&mut self, path: &Path, kind: (u16, bool)) -> bool {
        self.needs(path).is_some_and(|needs| needs.kind == kind)
    }

    fn needs(&mut self, path: &Path) -> Option<&Needs> {
        self.read.entry(path.to_owned()).or_insert_with(|| Needs::of(path).ok()).as_ref()
    }
}

impl Asker {
    /// Where this file itself wants to be looked in.
    fn own_dirs(&self) -> Vec<Dir> {
        if self.needs.runpath.is_empty() { self.rpath() } else { self.expand(&self.needs.runpath) }
    }

    /// What this file passes on to those it asks for, and would use itself without a `DT_RUNPATH`.
    fn rpath(&self) -> Vec<Dir> {
        let own = if self.needs.runpath.is_empty() { self.expand(&self.needs.rpath) } else { Vec::new() };
        own.into_iter().chain(self.inherited.iter().cloned()).collect()
    }

    /// Fills in `$ORIGIN`, which differs between the machine and the root. Entries with other variables, or that
    /// are relative to wherever the program is started, are left out.
    fn expand(&self, entries: &[String]) -> Vec<Dir> {
        let (host, root) = (parent(&self.piece.from), parent(&self.piece.to));
        let fill = |entry: &str, origin: &Path| {
            let origin = origin.to_string_lossy();
            PathBuf::from(entry.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
        };
        let dirs =
            entries.iter().map(|entry| Dir { host: fill(entry, &host), root: without_dots(&fill(entry, &root)) });
        dirs.filter(|dir| dir.host.is_absolute() && !dir.host.to_string_lossy().contains('$')).collect()
    }
}

/// musl's loader is libc, and answers to these names itself.
fn is_in_loader(name: &str, loader: &Path) -> bool {
    const RESERVED: [&str; 7] = ["libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."];
    file_name(loader).starts_with("ld-musl-") && RESERVED.iter().any(|reserved| name.starts_with(reserved))
}

/// The directories of `/etc/ld.so.conf`, then those that are built into one loader or another.
fn system_dirs() -> Vec<PathBuf> {
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    let built_in = ["/lib", "/usr/lib"].map(|dir| Path::new(dir).join(&multiarch)).into_iter();
    let plain = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"].map(PathBuf::from);
    let mut dirs = Vec::new();
    read_conf(Path::new("/etc/ld.so.conf"), &mut dirs, 0);
    let mut seen = HashSet::new();
    dirs.into_iter().chain(built_in).chain(plain).filter(|dir| seen.insert(dir.clone())).collect()
}

/// Reads the loader's configuration: a directory a line, or `include DIRECTORY/*.conf`. What cannot be read adds
/// nothing, as for ldconfig(8).
fn read_conf(file: &Path, dirs: &mut Vec<PathBuf>, depth: u8) {
    let Ok(text) = fs::read_to_string(file) else { return };
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        match line.strip_prefix("include").filter(|rest| rest.starts_with(char::is_whitespace)) {
            Some(pattern) if depth < 4 => {
                let pattern = file.with_file_name(pattern.trim());
                matching(&pattern).iter().for_each(|file| read_conf(file, dirs, depth + 1));
            }
            None if line.starts_with('/') => dirs.push(PathBuf::from(line)),
            _ => {}
        }
    }
}

/// The files that `DIRECTORY/*.conf` stands for, in order; any other path stands for itself.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let Some(ending) = pattern.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix('*'))
    else {
        return vec![pattern.to_owned()];
    };
    let entries = fs::read_dir(parent(pattern)).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| file_name(path).ends_with(ending)).collect();
    files.sort();
    files
}

/// `/opt/app/../lib` as `/opt/lib`: in the new root `/opt/app` may be made later, or never.
fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, component| {
        match component {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
        clean
    })
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
