//! Hunts processes from inside a root. It needs no `/proc`: a process is a number, and numbers can be tried.
//!
//! `hunter` counts the processes that it can see. `hunter PID` looks for one, stops it as a debugger would, lets it
//! go again; `hunter --kill PID` ends it. (Tracing takes power over the other process, which an ordinary user in a user
//! namespace does not have over the machine. Killing takes the same user only.)
//!
//! Behind chapter 1's root it finds the whole machine; in a PID namespace of
//! its own it finds itself.

use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

/// Up to here every machine counts before it begins anew, or higher (`pid_max` of proc_sys_kernel(5)).
const USUAL: i32 = 32_768;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] => return count(),
        [pid] => pid.parse().map(|pid| hunt(Pid::from_raw(pid), trace)),
        ["--kill", pid] => pid.parse().map(|pid| hunt(Pid::from_raw(pid), shoot)),
        _ => Ok(Err("usage: hunter [[--kill] PID]".into())),
    };
    match outcome {
        Ok(Ok(done)) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Ok(Err(problem)) => fail(&problem),
        Err(_) => fail("usage: hunter [[--kill] PID]"),
    }
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("hunter: {problem}");
    ExitCode::FAILURE
}

fn count() -> ExitCode {
    // Its own number is among the last that were given out.
    let highest = USUAL.max(nix::unistd::getpid().as_raw());
    let seen = (1..=highest).filter(|number| is_there(Pid::from_raw(*number))).count();
    println!("{seen} process{} in sight", if seen == 1 { "" } else { "es" });
    ExitCode::SUCCESS
}

// ANCHOR: is_there
/// Signal 0 is never delivered, only asked for; "you may not" also means "it is there" (kill(2)).
fn is_there(pid: Pid) -> bool {
    matches!(kill(pid, None), Ok(()) | Err(Errno::EPERM))
}
// ANCHOR_END: is_there

fn hunt(pid: Pid, weapon: fn(Pid) -> nix::Result<&'static str>) -> Result<String, String> {
    // 0 and negative numbers stand for groups of processes.
    if pid.as_raw() < 1 || !is_there(pid) {
        return Err(format!("process {pid}: nowhere in sight"));
    }
    weapon(pid).map(|done| format!("process {pid}: {done}")).map_err(|errno| format!("process {pid}: {errno}"))
}

/// Stops the process as a debugger does, and lets it go on.
fn trace(pid: Pid) -> nix::Result<&'static str> {
    ptrace::attach(pid)?;
    waitpid(pid, None)?;
    ptrace::detach(pid, None)?;
    Ok("stopped, looked at, and let go")
}

fn shoot(pid: Pid) -> nix::Result<&'static str> {
    kill(pid, Signal::SIGKILL)?;
    Ok("killed")
}
