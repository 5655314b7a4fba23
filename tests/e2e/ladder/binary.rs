//! `/proc/self/exe` (CVE-2019-5736): a command, an interpreter of a script or an ELF interpreter that is named so leads
//! to the program of whoever starts the container, which can be kept open, and written to when it has ended.
//!
//! Stopped by: the shim, a program of 1 kB in sealed memory, that makes the last execve; a process of ours that is not
//! dumpable until then; for `--init` and `--pid` with the power to trace, a sealed copy of the whole program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Test;
use crate::acts::{MARK, SWITCH};
use crate::import::{archive, import};
use crate::support::armed::armed_root;
use crate::support::need::Need::{Containers, Root};
use crate::support::{Ended, TINBOX, Tinbox};

pub const TESTS: &[Test] = &[
    ("a_naive_runtimes_program_is_overwritten", &[Containers], a_naive_runtimes_program_is_overwritten),
    ("our_program_is_not_where_proc_self_exe_leads", &[Containers], our_program_is_not_where_proc_self_exe_leads),
    ("an_init_cannot_be_looked_at", &[Containers], an_init_cannot_be_looked_at),
    ("an_init_that_can_be_looked_at_is_a_sealed_copy", &[Containers, Root], an_init_that_can_be_looked_at_is_sealed),
];

/// A copy of a program, which may be harmed. Not by this process: whatever another test starts meanwhile would have it
/// open for writing too, and then it cannot be executed.
fn copy(program: &Path) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("runtime");
    assert!(Command::new("cp").arg(program).arg(&copy).status().unwrap().success());
    (dir, copy)
}

fn is_overwritten(program: &Path) -> bool {
    fs::read(program).unwrap().starts_with(MARK)
}

/// The attacker's code runs in the runtime's program because the image brings the libraries for it; here the program
/// itself has the code.
fn a_naive_runtimes_program_is_overwritten() {
    for command in ["/proc/self/exe", "/script"] {
        let root = hostile_root("");
        let (_dir, runtime) = copy(&std::env::current_exe().unwrap());
        let words = [SWITCH, "naive-run", root.path().to_str().unwrap(), "/", command, SWITCH, "keep-own-program"];
        let ended = Ended::of(Command::new(&runtime).args(words).output().unwrap());
        assert!(ended.ok().contains("overwritten"));
        assert!(is_overwritten(&runtime), "{command}");
    }
}

/// A root with a script and a program whose interpreters are `/proc/self/exe`; the script's gets this argument.
fn hostile_root(argument: &str) -> tempfile::TempDir {
    let root = armed_root();
    let script = root.path().join("script");
    fs::write(&script, format!("#!/proc/self/exe {argument}\n")).unwrap();
    let program = root.path().join("program");
    let mut bytes = fs::read(root.path().join("bin/act")).unwrap();
    let usual = b"/lib64/ld-linux-x86-64.so.2\0";
    if let Some(at) = bytes.windows(usual.len()).position(|window| window == usual) {
        let hostile = b"/proc/self/exe\0";
        bytes[at..at + hostile.len()].copy_from_slice(hostile);
    }
    fs::write(&program, bytes).unwrap();
    for file in [script, program] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    root
}

fn our_program_is_not_where_proc_self_exe_leads() {
    let tinbox = Tinbox::without_images();
    // What Tinbox would answer, if it were run inside.
    let argument = "--version";
    assert!(tinbox.tinbox(argument).ok().starts_with("tinbox "));
    import(&tinbox, "hostile", &archive(hostile_root(argument).path()));
    let before = fs::read(TINBOX).unwrap();
    for command in ["/proc/self/exe", "/script", "/program", "/proc/thread-self/exe", "/proc/1/exe"] {
        let (_dir, runtime) = copy(Path::new(TINBOX));
        let mut run = Command::new(&runtime);
        run.args(["run", "--rm", "hostile", command, argument]).env("TINBOX_ROOT", tinbox.path(""));
        let ended = Ended::of(run.output().unwrap());
        assert!(ended.status != 0 && ended.stdout.is_empty(), "{command}: {ended:?}");
        assert!(!ended.stderr.contains("tinbox:"), "{command}: {ended:?}");
        assert!(fs::read(&runtime).unwrap() == before, "{command}");
    }
}

fn an_init_cannot_be_looked_at() {
    let error = Tinbox::armed().act("--init", "write-program-of 1").fails(1);
    assert!(error.contains("open it: EACCES") || error.contains("open it: EPERM"), "{error}");
}

/// Who may trace others may open their programs.
fn an_init_that_can_be_looked_at_is_sealed() {
    let tinbox = Tinbox::armed();
    let error = tinbox.act("--init --cap-add SYS_PTRACE", "write-program-of 1").fails(1);
    assert!(error.contains("write /memfd:tinbox"), "{error}");
    let _other = tinbox.start_act("--name other", "wait");
    let options = "--pid container:other --init --cap-add SYS_PTRACE";
    // Number 1 is the other container's program, which anybody there may write. The init's number is not known.
    let script = format!("for p in /proc/[0-9]*; do /bin/act {SWITCH} write-program-of ${{p#/proc/}}; done; true");
    let mut command = tinbox.command(["run", "--rm"]);
    command.args(options.split_whitespace()).args([crate::support::armed::IMAGE, "sh", "-c", &script]);
    let ended = Ended::of(command.output().unwrap());
    assert!(ended.stderr.contains("write /memfd:tinbox"), "{ended:?}");
    assert!(!ended.stdout.contains("tinbox"), "{ended:?}");
}
