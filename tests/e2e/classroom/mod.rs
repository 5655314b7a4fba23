//! `registry serve`: a laptop that shares its images with a room.
//!
//! | file         | what it is about                                                            |
//! |--------------|-----------------------------------------------------------------------------|
//! | `reading.rs` | the API, for those who pull                                                 |
//! | `writing.rs` | the API, for those who push, and what is refused                            |
//! | `peers.rs`   | tinbox, skopeo and podman as its clients                                    |
//! | `serving.rs` | what it says, how it ends, and who can keep it from others                  |
//! | `sharing.rs` | which images are shared, by which names, and who may move a tag             |
//! | `client.rs`  | requests by hand                                                            |

mod client;
mod peers;
mod reading;
mod serving;
mod sharing;
mod writing;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Test;
use crate::import::import;
use crate::support::Tinbox;
use client::{Answer, Request};

/// All of them.
pub fn tests() -> Vec<Test> {
    [reading::TESTS, writing::TESTS, peers::TESTS, serving::TESTS, sharing::TESTS].concat()
}

/// A registry, served from a store of its own.
struct Classroom {
    tinbox: Tinbox,
    server: Child,
    stdout: BufReader<ChildStdout>,
    /// What was read of what it printed.
    said: String,
    /// `127.0.0.1:PORT`.
    address: String,
}

impl Classroom {
    /// With the image `app:1` in it, of one layer with the file `/hello`.
    fn new(options: &[&str]) -> Classroom {
        let tinbox = Tinbox::without_images();
        import(&tinbox, "app:1", &hello());
        Classroom::of(tinbox, options)
    }

    fn of(tinbox: Tinbox, options: &[&str]) -> Classroom {
        let words = [&["registry", "serve", "--listen", "127.0.0.1:0"], options].concat();
        let command = tinbox.command(words);
        Classroom::started(tinbox, command)
    }

    /// One that `command` starts.
    fn started(tinbox: Tinbox, mut command: Command) -> Classroom {
        let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        let (mut said, mut line) = (String::new(), String::new());
        let address = loop {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it does not say where it listens: {said:?}");
            said.push_str(&line);
            if let Some(rest) = line.split("http://").nth(1) {
                break rest.split([',', ' ', '\n']).next().unwrap().to_owned();
            }
        };
        Classroom { tinbox, server, stdout, said, address }
    }

    /// Ends it, and answers with all that it printed.
    fn end(&mut self) -> String {
        self.signal(Signal::SIGTERM);
        self.stdout.read_to_string(&mut self.said).unwrap();
        self.said.clone()
    }

    fn port(&self) -> &str {
        self.address.split(':').nth(1).unwrap()
    }

    fn send(&self, request: Request<'_>) -> Answer {
        request.send(&self.address)
    }

    fn get(&self, path: &str) -> Answer {
        self.send(Request::new("GET", path))
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.server.id() as i32), signal).unwrap();
    }

    /// The names in the store below this directory.
    fn stored(&self, dir: &str) -> Vec<std::ffi::OsString> {
        let dir = self.tinbox.path("images").join(dir);
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
    }
}

impl Drop for Classroom {
    fn drop(&mut self) {
        if let Ok(None) = self.server.try_wait() {
            self.signal(Signal::SIGTERM);
        }
        let _ = self.server.wait();
    }
}

/// A root file system with one file.
fn hello() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(5);
    header.set_mtime(0);
    archive.append_data(&mut header, "hello", &b"hello"[..]).unwrap();
    archive.into_inner().unwrap()
}
