//! Answers that do not even come to an end that could be looked at, or print more than anybody reads, or go wrong in a
//! way that no rule knows.

use std::path::Path;
use std::time::Duration;

use cgroups::{Limits, Setting};
use look::{Error, Result};
use nix::errno::Errno;
use subject::Answer;

/// Finds one by name.
pub fn answer(name: &str) -> Option<Answer> {
    if name == "litters" {
        return Some(Answer::Settings(litters));
    }
    let enter_root: fn(&Path) -> Result<()> = match name {
        "exits" => |_| std::process::exit(0),
        "hangs" => |_| {
            loop {
                std::thread::sleep(Duration::from_secs(60));
            }
        },
        "is-killed" => |_| std::process::abort(),
        "misses" => |root| chroot::enter_root(root.parent().unwrap_or(root)),
        "panics" => |_| panic!("no root for me"),
        "returns-an-error" => |root| Err(Error::call("statfs", root.display().to_string(), Errno::ENOTSUP)),
        "shouts" => |_| {
            for _ in 0..100_000 {
                println!("the same line over and over");
            }
            Ok(())
        },
        _ => return None,
    };
    Some(Answer::EnterRoot(enter_root))
}

/// Right, but for a file that it leaves on the machine.
fn litters(limits: &Limits) -> Vec<Setting> {
    let token = std::env::var(subject::host::TOKEN).unwrap_or_default();
    if let Err(error) = std::fs::write(std::env::temp_dir().join(token), "") {
        eprintln!("nothing is left behind: {error}");
    }
    cgroups::settings(limits)
}
