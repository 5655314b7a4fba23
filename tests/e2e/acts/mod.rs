//! What the test executable does when it is called as `act --act NAME …`: an attack, or another thing to be done
//! inside a container. Status 0 and a line about it: it worked. Status 1 and the reason: it was stopped.

mod calls;
mod exe;
mod files;
mod naive;
mod processes;

use std::process::ExitCode;

pub use exe::MARK;

/// The first argument of an executable that is to act.
pub const SWITCH: &str = "--act";

/// What an act has to say.
pub type Outcome = Result<String, String>;

/// Plays an act, if this process was called for one.
pub fn play() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        // The interpreter of a script gets the script's name before its arguments.
        [SWITCH, words @ ..] | [_, SWITCH, words @ ..] => act(words),
        _ => return None,
    };
    Some(match outcome {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("act: {reason}");
            ExitCode::FAILURE
        }
    })
}

fn act(words: &[&str]) -> Outcome {
    match words {
        ["call", name] => calls::call(name),
        ["keep-own-program"] => exe::keep_own_program(),
        ["overwrite", fd] => exe::overwrite(fd),
        ["write-program-of", pid] => exe::write_program_of(pid),
        ["open-write", path] => files::open_write(path),
        ["open-device", kind, number] => files::open_device(kind, number),
        ["release-agent"] => files::release_agent(),
        ["swap", dir, one, other] => files::swap(dir, one, other),
        ["by-handle", path] => files::by_handle(path),
        ["signal", pid] => processes::signal(pid),
        ["trace", pid] => processes::trace(pid),
        ["type", text] => processes::type_in(text),
        ["as", uid, path, words @ ..] => processes::become_user(uid, path, words),
        ["who"] => Ok(format!("{} {}", nix::unistd::getuid(), nix::unistd::geteuid())),
        ["fork", number] => processes::fork_many(number),
        ["orphan"] => processes::orphan(),
        ["wait"] => {
            wait_for_the_end();
            Ok(String::new())
        }
        ["count-interrupts"] => processes::count_interrupts(),
        ["clock"] => processes::clock(),
        ["hog", mib] => processes::hog(mib),
        ["connect", name] => files::connect(name),
        ["groups"] => processes::groups(),
        ["naive-run", root, workdir, words @ ..] => naive::run(root, workdir, words),
        ["naive-mount", root, path, size] => naive::mount(root, path, size),
        other => Err(format!("there is no act {other:?}")),
    }
}

/// `ERRNO` of a failure of the standard library.
fn io(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => errno(nix::errno::Errno::from_raw(number)),
        None => error.to_string(),
    }
}

/// Its name: `EPERM`.
fn errno(errno: nix::errno::Errno) -> String {
    format!("{errno:?}")
}

/// The answer of a system call.
fn answer(answer: i64) -> Result<i64, String> {
    nix::errno::Errno::result(answer).map_err(errno)
}

/// Says `ready`, and waits for the end of standard input.
fn wait_for_the_end() {
    println!("ready");
    let _ = std::io::stdin().read_line(&mut String::new());
}
