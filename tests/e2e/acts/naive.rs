//! A runtime without care, for the attacks to work on: it enters a root, stands in a directory by its path, and
//! becomes the command; nothing is closed, nothing stands between.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount as mount_call};
use nix::sched::{CloneFlags, unshare};

use super::{Outcome, errno, io};

/// Runs `words` in `root`, standing in `workdir`. An ordinary user does it in a user namespace.
pub fn run(root: &str, workdir: &str, words: &[&str]) -> Outcome {
    own_mounts()?;
    let proc = format!("{root}/proc");
    // An ordinary user may not mount a new one without a PID namespace; the machine's will do.
    mount_call(Some("/proc"), proc.as_str(), None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
        .map_err(|problem| format!("proc: {}", errno(problem)))?;
    chroot::enter_root(Path::new(root)).map_err(|error| error.to_string())?;
    std::env::set_current_dir(workdir).map_err(|error| format!("chdir: {}", io(&error)))?;
    Err(io(&Command::new(words[0]).args(&words[1..]).exec()))
}

/// Mounts a tmpfs of `size` on `path` in `root`, by gluing both together after a look; says where it came to be.
/// Between look and mount it waits for a line of standard input, after it said `looked`.
pub fn mount(root: &str, path: &str, size: &str) -> Outcome {
    own_mounts()?;
    let glued = format!("{root}/{path}");
    let found = std::fs::symlink_metadata(&glued).map_err(|error| io(&error))?;
    if found.is_symlink() {
        return Err("a symlink: refused".into());
    }
    println!("looked");
    std::io::stdin().read_line(&mut String::new()).map_err(|error| io(&error))?;
    let data = format!("size={size}");
    mount_call(Some("tmpfs"), glued.as_str(), Some("tmpfs"), MsFlags::empty(), Some(data.as_str())).map_err(errno)?;
    let mut mounts = String::new();
    File::open("/proc/self/mountinfo").and_then(|mut file| file.read_to_string(&mut mounts)).map_err(|e| io(&e))?;
    let last = mounts.lines().rev().find(|line| line.contains(&format!("size={size}")));
    let point = last.and_then(|line| line.split(' ').nth(4)).ok_or("it is nowhere")?;
    Ok(point.to_owned())
}

fn own_mounts() -> Result<(), String> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let rootless = !uid.is_root();
    let kinds = if rootless { CloneFlags::CLONE_NEWUSER } else { CloneFlags::empty() };
    unshare(kinds | CloneFlags::CLONE_NEWNS).map_err(errno)?;
    if rootless {
        std::fs::write("/proc/self/setgroups", "deny").map_err(|error| io(&error))?;
        std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).map_err(|error| io(&error))?;
        std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).map_err(|error| io(&error))?;
    }
    mount_call(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).map_err(errno)
}
