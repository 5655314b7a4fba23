//! What a check left behind.
//!
//! Only what can be put down to the check counts, so that whatever else happens on the machine meanwhile does not
//! disturb: processes with its token in their environment, and mounts, cgroups and temporary files with the token in
//! their names. Namespaces cannot be told by their numbers, which the kernel gives out again at once; but they, and
//! the links and mounts in them, end with their last process.

use std::path::{Path, PathBuf};

use look::mountinfo::{self, Mount};
use nix::unistd::Pid;
use subject::host;

/// One line for each thing that is left of the check with this token.
pub fn left_behind(token: &str) -> Vec<String> {
    let mut left = processes(token);
    left.extend(mounts(token, &mountinfo::mounts_of(Pid::this()).unwrap_or_default()));
    left.extend(named(&std::env::temp_dir(), token, 1).map(|path| format!("file {}", path.display())));
    left.extend(
        named(Path::new("/sys/fs/cgroup"), token, CGROUP_DEPTH).map(|path| format!("cgroup {}", path.display())),
    );
    left
}

/// Deep enough for a login session in a v1 hierarchy.
const CGROUP_DEPTH: usize = 7;

fn processes(token: &str) -> Vec<String> {
    let variable = format!("{}={token}", host::TOKEN);
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let ours = |pid: &String| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    };
    let pids = names.filter(|name| name.parse::<u32>().is_ok());
    pids.filter(ours).map(|pid| format!("process {pid}")).collect()
}

fn mounts(token: &str, table: &[Mount]) -> Vec<String> {
    let ours = table.iter().filter(|mount| mount.source.contains(token) || mount.target.contains(token));
    ours.map(|mount| format!("mount at {}", mount.target)).collect()
}

/// What is at most `depth` levels below `directory` and has `token` in its name.
fn named(directory: &Path, token: &str, depth: usize) -> impl Iterator<Item = PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![(directory.to_owned(), depth)];
    while let Some((directory, depth)) = waiting.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().contains(token) {
                found.push(entry.path());
            } else if depth > 1 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push((entry.path(), depth - 1));
            }
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn nothing_is_left_of_what_never_was() {
        assert_eq!(left_behind("check-never"), [""; 0]);
    }

    #[test]
    fn a_process_that_lives_on_is_found_by_its_environment() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo there; read never"]).env(host::TOKEN, "check-lives-on");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh");
        // Its environment can be read as soon as it runs, which is a little later than spawn comes back.
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let left = left_behind("check-lives-on");
        drop(child.stdin.take());
        child.wait().expect("it ends with its input");
        assert_eq!(left, [format!("process {}", child.id())]);
    }

    #[test]
    fn a_file_is_found_by_its_name() {
        let file = tempfile::Builder::new().prefix("check-a-file").tempfile().expect("a temporary file");
        let left = left_behind("check-a-file");
        assert_eq!(left, [format!("file {}", file.path().display())]);
    }

    #[test]
    fn a_mount_is_found_by_its_source() {
        let mut table = mountinfo::mounts_of(Pid::this()).expect("a mount table");
        table.truncate(1);
        assert_eq!(mounts("check-a-mount", &table), [""; 0]);
        table[0].source = host::root_source("check-a-mount");
        assert_eq!(mounts("check-a-mount", &table), [format!("mount at {}", table[0].target)]);
    }

    #[test]
    fn what_is_deeper_is_found_up_to_a_point() {
        let top = tempfile::tempdir().expect("a temporary directory");
        let deep = top.path().join("a/b/check-deep");
        std::fs::create_dir_all(&deep).expect("directories");
        assert_eq!(named(top.path(), "check-deep", 3).collect::<Vec<_>>(), [deep]);
        assert_eq!(named(top.path(), "check-deep", 2).count(), 0);
    }
}
