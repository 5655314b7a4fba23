//! The classic way out of a chroot, and what it finds.
//!
//! `escape CMD…` walks out of the root that it was started in and runs CMD there. It needs what root has inside a
//! chroot: `CAP_SYS_CHROOT`. In a root that was entered with pivot_root it arrives where it started.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use look::kernel;
use look::{Error, Result};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: escape CMD…");
        return ExitCode::FAILURE;
    };
    if let Err(error) = escape() {
        eprintln!("escape: {error}");
        return ExitCode::FAILURE;
    }
    let error = Command::new(&program).args(arguments).exec();
    eprintln!("escape: {}: {error}", program.display());
    ExitCode::FAILURE
}

// ANCHOR: escape
/// Walks out of a chroot.
///
/// Afterwards `/` is the outermost directory that can be reached by walking up: behind a chroot, the root of
/// the whole mount namespace. Needs `CAP_SYS_CHROOT`.
fn escape() -> Result<()> {
    // SOLUTION: escape
    let door = format!("door-{}", std::process::id());
    std::fs::create_dir(&door).map_err(|error| Error::io("mkdir", &door, &error))?;
    kernel::chroot(&door, "the root moves down into the new directory, and leaves this process outside it")?;
    std::fs::remove_dir(&door).map_err(|error| Error::io("rmdir", &door, &error))?;
    while !is_top()? {
        kernel::chdir("..", "outside the root nothing stops .. any more")?;
    }
    kernel::chroot(".", "make the top the root again")
    // SOLUTION_END
}

/// Whether `..` leads nowhere from here.
fn is_top() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let place = |path| {
        let here = std::fs::metadata(path).map_err(|error| Error::io("stat", path, &error))?;
        Ok((here.dev(), here.ino()))
    };
    Ok(place(".")? == place("..")?)
}
// ANCHOR_END: escape
