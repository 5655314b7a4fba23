//! The embedded image from a static busybox: one program that is every command, by the name it is called by.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::elf::Needs;
use super::laying::Laying;
use super::{REQUIRED, host, missing};

/// What distributions call a static busybox.
const NAMES: [&str; 3] = ["busybox", "busybox.static", "busybox-static"];

/// A static busybox of this machine, and the commands it knows.
#[derive(Debug)]
pub(super) struct Busybox {
    program: PathBuf,
    commands: Vec<String>,
}

impl Busybox {
    /// The busybox at `program`, which must be static.
    pub(super) fn at(program: &Path) -> Result<Busybox> {
        let shown = program.display();
        let needs = Needs::of(program)?;
        ensure!(needs.interpreter.is_none() && needs.libraries.is_empty(), "{shown} is not a static program");
        let mut list = Command::new(program);
        list.arg("--list").env_clear().stdin(Stdio::null()).stderr(Stdio::null());
        let answer = list.output().with_context(|| format!("run {shown} --list"))?;
        ensure!(answer.status.success(), "{shown} --list: {}", answer.status);
        let names = String::from_utf8(answer.stdout).with_context(|| format!("read what {shown} --list says"))?;
        let is_command = |name: &&str| !matches!(*name, "" | "." | ".." | "busybox") && !name.contains('/');
        let commands: Vec<_> = names.lines().map(str::trim).filter(is_command).map(str::to_owned).collect();
        ensure!(commands.iter().any(|name| name == "sh"), "{shown} has no `sh`");
        Ok(Busybox { program: program.to_owned(), commands })
    }

    fn has(&self, command: &str) -> bool {
        self.commands.iter().any(|name| name == command)
    }
}

/// The machine's static busybox, if it has one with all the commands that the image should have.
pub(super) fn find() -> Option<Busybox> {
    find_in(&host::program_dirs())
}

/// The same, in these directories.
pub(super) fn find_in(dirs: &[PathBuf]) -> Option<Busybox> {
    let candidates = dirs.iter().flat_map(|dir| NAMES.map(|name| dir.join(name)));
    let mut usable = candidates.filter_map(|path| Busybox::at(&path).ok());
    usable.find(|busybox| REQUIRED.iter().all(|command| busybox.has(command)))
}

/// Lays the program and its names. The answer is what is missing.
pub(super) fn lay(tree: &mut Laying, busybox: &Busybox) -> Result<Vec<String>> {
    let bin = Path::new("/usr/bin");
    tree.program(&busybox.program, &bin.join("busybox"), &[])?;
    for command in &busybox.commands {
        tree.symlink("busybox", &bin.join(command))?;
    }
    Ok(missing(|command| busybox.has(command), &busybox.program.display().to_string()))
}
