//! The embedded image from the machine's own shell and tools.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::laying::Laying;
use super::{REQUIRED, missing};

/// What the image has besides [`REQUIRED`], as far as the machine has it.
const WELCOME: &[&str] = &[
    "bash",
    "ip",
    "ifconfig",
    "ping",
    "umount",
    "findmnt",
    "lsns",
    "unshare",
    "nsenter",
    "setpriv",
    "chroot",
    "pivot_root",
    "capsh",
    "top",
    "free",
    "nproc",
    "uptime",
    "kill",
    "pgrep",
    "pkill",
    "timeout",
    "stty",
    "tty",
    "uname",
    "whoami",
    "groups",
    "getent",
    "date",
    "true",
    "false",
    "echo",
    "printf",
    "test",
    "[",
    "seq",
    "yes",
    "pwd",
    "basename",
    "dirname",
    "realpath",
    "readlink",
    "stat",
    "cp",
    "mv",
    "rmdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "chmod",
    "chown",
    "chgrp",
    "truncate",
    "sync",
    "dd",
    "df",
    "du",
    "find",
    "xargs",
    "tail",
    "sed",
    "awk",
    "tr",
    "cut",
    "sort",
    "uniq",
    "tee",
    "od",
    "sha256sum",
    "cmp",
    "diff",
    "less",
    "tar",
    "gzip",
];

/// Terminals of which the image knows how to move the cursor.
const TERMINALS: &[&str] = &[
    "alacritty",
    "dumb",
    "linux",
    "rxvt-unicode-256color",
    "screen",
    "screen-256color",
    "tmux",
    "tmux-256color",
    "vt100",
    "vt220",
    "xterm",
    "xterm-256color",
    "xterm-ghostty",
    "xterm-kitty",
];

const BIN: &str = "/usr/bin";

/// Lays every tool that the machine has. The answer is what is missing of the required ones.
pub(super) fn lay(tree: &mut Laying) -> Result<Vec<String>> {
    let mut tools = Tools { dirs: program_dirs(), laid: HashMap::new() };
    for name in REQUIRED.iter().chain(WELCOME) {
        tools.lay(tree, name)?;
    }
    let shell = tools.laid.get("sh").with_context(|| {
        let dirs = tools.dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ");
        format!(
            "this machine has no shell `sh` that is an ELF program, in none of {dirs}\n  \
             help: install dash, bash or a static busybox (package busybox-static), or bring an image: tinbox import"
        )
    })?;
    // The library by which older C libraries read /etc/passwd, and which nothing but their documentation names.
    if let Some(piece) = tree.by_name("libnss_files.so.2", shell) {
        tree.library(&piece)?;
    }
    lay_terminals(tree)?;
    Ok(missing(|name| tools.laid.contains_key(name), "this machine"))
}

/// Where programs are: the usual directories, then those of `PATH`.
pub(super) fn program_dirs() -> Vec<PathBuf> {
    const USUAL: [&str; 7] =
        ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin", "/run/current-system/sw/bin"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect::<Vec<_>>();
    let mut dirs: Vec<PathBuf> = Vec::new();
    for dir in USUAL.iter().map(PathBuf::from).chain(more) {
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    dirs
}

/// The tools that were laid.
struct Tools {
    dirs: Vec<PathBuf>,
    /// By name in the image, the program on the machine.
    laid: HashMap<String, PathBuf>,
}

impl Tools {
    /// Lays the first program called `name` that can be copied, if there is one: it may be a script, or not
    /// readable, or lack a library.
    ///
    /// A name that is a symlink on the machine becomes one in the image, to a program that goes by its own name:
    /// `sh` is often dash, and one program may be fifty tools, which it tells apart by how it is called.
    fn lay(&mut self, tree: &mut Laying, name: &str) -> Result<()> {
        if self.laid.contains_key(name) {
            return Ok(());
        }
        for dir in &self.dirs {
            let Ok(program) = dir.join(name).canonicalize() else { continue };
            let own = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let own = if self.laid.get(&own).is_some_and(|other| *other != program) { name.to_owned() } else { own };
            let at = Path::new(BIN).join(&own);
            if self.laid.get(&own) != Some(&program) {
                let Ok(needs) = tree.needs(&program, &at) else { continue };
                tree.program(&program, &at, &needs)?;
                self.laid.insert(own.clone(), program.clone());
            }
            if own != name {
                tree.symlink(&own, &Path::new(BIN).join(name))?;
                self.laid.insert(name.to_owned(), program);
            }
            return Ok(());
        }
        Ok(())
    }
}

/// Copies the descriptions of common terminals, by which `top`, `less` and a shell's line editor draw.
fn lay_terminals(tree: &mut Laying) -> Result<()> {
    for dir in ["/etc/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/usr/share/terminfo"] {
        for name in TERMINALS {
            let path = Path::new(dir).join(&name[..1]).join(name);
            if let Ok(description) = std::fs::read(&path) {
                tree.file(&description, &path, 0o644)?;
            }
        }
    }
    Ok(())
}
