//! `pull`, `push`, `login`, `logout`, `search`: with registries as they are, and with servers that mean no good.
//!
//! | file              | what it is about                                                          |
//! |-------------------|---------------------------------------------------------------------------|
//! | `peers.rs`        | Debian's `docker-registry`, and skopeo: images there and back             |
//! | `secrets.rs`      | who learns a password, and who a token                                    |
//! | `trust.rs`        | TLS: whose certificate is taken                                           |
//! | `network.rs`      | servers that are busy or send elsewhere                                   |
//! | `downloads.rs`    | connections that break, servers that are away for a while                 |
//! | `advice.rs`       | what is said to somebody who is about to be stuck                         |
//! | `lies.rs`         | what is refused, and that nothing of it is left                           |
//! | `http.rs`, `content.rs`, `distribution.rs` | servers, and images to give                     |

mod advice;
pub mod content;
pub mod distribution;
mod downloads;
pub mod http;
mod lies;
mod network;
mod peers;
mod secrets;
mod trust;

use std::path::PathBuf;
use std::process::Command;

use crate::Test;
use crate::support::{Ended, Tinbox};

/// All of them.
pub fn tests() -> Vec<Test> {
    [peers::TESTS, secrets::TESTS, trust::TESTS, network::TESTS, downloads::TESTS, advice::TESTS, lies::TESTS].concat()
}

/// Somebody with settings and a store of their own.
pub struct User {
    pub tinbox: Tinbox,
}

impl User {
    pub fn new() -> User {
        let user = User { tinbox: Tinbox::without_images() };
        std::fs::create_dir_all(user.settings("docker")).unwrap();
        user
    }

    /// A file where settings are looked for: `docker/…`, or `config.json`.
    pub fn settings(&self, name: &str) -> PathBuf {
        self.tinbox.path("settings").join(name)
    }

    /// `tinbox ARGUMENTS…`, not started yet. The arguments are split at blanks.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = self.tinbox.command(arguments.split_whitespace());
        command.env("DOCKER_CONFIG", self.settings("")).env("XDG_CONFIG_HOME", self.settings(""));
        command
    }

    /// [`User::command`], run to its end.
    pub fn run(&self, arguments: &str) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// [`User::run`], with something to read.
    pub fn run_with(&self, arguments: &str, input: &str) -> Ended {
        use std::io::Write;
        let mut command = self.command(arguments);
        let pipes = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = pipes.stderr(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ended::of(child.wait_with_output().unwrap())
    }

    /// The files in the store below this directory.
    pub fn stored(&self, dir: &str) -> Vec<PathBuf> {
        let dir = self.tinbox.path("images").join(dir);
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }

    /// Asserts that no image is there, no unpacked layer, and nothing half done.
    #[track_caller]
    pub fn has_no_image(&self) {
        assert_eq!(self.stored("layers"), [""; 0].map(PathBuf::from));
        assert_eq!(self.stored("tmp"), [""; 0].map(PathBuf::from));
        assert_eq!(self.run("images -q").ok(), "");
    }
}

/// The user's own name for what failed: an error without the program's name.
pub fn pull_fails(user: &User, name: &str) -> String {
    let ended = user.run(&format!("pull {name}"));
    assert_eq!(ended.status, 1, "{ended:?}");
    ended.stderr
}
