//! A fork bomb with a fuse: it makes processes until it has as many as it was told to, or the kernel says no.
//!
//! `fork-bomb [N]` makes N processes, 200 if it is not told, never more than 2000. They do nothing but be there. It
//! says how many there are, holds them until its standard input gives a line or ends, and then ends them all. A real
//! one would go on, and each process of it would do the same: nobody could start anything any more, not even `kill`.
//!
//! Status 0: all N are there. Status 1: the kernel stopped it before.

use std::os::fd::OwnedFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork, pipe, read};

/// However many are asked for.
const CEILING: usize = 2000;

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or("200".into());
    let Some(wanted) = wanted.parse().ok().filter(|wanted| *wanted <= CEILING) else {
        eprintln!("usage: fork-bomb [N], and N is at most {CEILING}");
        return ExitCode::from(2);
    };
    match explode(wanted) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(_)) => ExitCode::FAILURE,
        Err(errno) => {
            eprintln!("fork-bomb: {errno}");
            ExitCode::from(2)
        }
    }
}

/// Makes `wanted` processes, and ends them when it is told to. The answer is what stopped it, if something did.
fn explode(wanted: usize) -> nix::Result<Option<Errno>> {
    // The children wait for the end of this pipe: when nobody can write to it any more, however this process ended.
    let (fuse, held) = pipe()?;
    let mut made = 0;
    let stopped = loop {
        if made == wanted {
            break None;
        }
        // SAFETY: this process has one thread.
        match unsafe { fork() } {
            Ok(ForkResult::Parent { .. }) => made += 1,
            Ok(ForkResult::Child) => wait_for_the_end(&fuse, held),
            Err(errno) => break Some(errno),
        }
    };
    match stopped {
        None => println!("{made} processes: nobody stopped me"),
        Some(errno) => println!("{made} processes, and then fork: {errno}"),
    }
    let _ = std::io::stdin().read_line(&mut String::new());
    drop(held);
    while wait().is_ok() {}
    Ok(stopped)
}

fn wait_for_the_end(fuse: &OwnedFd, held: OwnedFd) -> ! {
    drop(held);
    while read(fuse, &mut [0]) == Err(Errno::EINTR) {}
    std::process::exit(0)
}
