//! What a container changed: told, made an image, written out.
//!
//! | file         | what it is about                                                      |
//! |--------------|-----------------------------------------------------------------------|
//! | `commit.rs`  | the image that a container becomes                                    |
//! | `export.rs`  | its root as an archive                                                |
//! | `diff.rs`    | what is told of it                                                    |
//! | `tree.rs`    | what is compared                                                      |

mod commit;
mod diff;
mod export;
mod tree;

use std::path::PathBuf;

use crate::Test;
use crate::support::Tinbox;

/// All of them.
pub fn tests() -> Vec<Test> {
    [commit::TESTS, export::TESTS, diff::TESTS].concat()
}

/// Makes a tree in `/work` with one of everything that a container can make without programs of its own for it.
const MAKE: &str = "
    mkdir -p /work/dir/below /work/hidden/below /work/stays
    echo content > /work/file; echo old > /work/dir/old; echo x > /work/dir/below/x; echo y > /work/hidden/below/y
    ln /work/file /work/dir/twin; ln -s /nowhere /work/link; ln -s dir /work/leads
    mkfifo /work/fifo; echo run > /work/program; chmod 4711 /work/program; chmod 1777 /work/stays
    name=$(printf 'n%.0s' $(seq 150)); mkdir /work/$name; echo long > /work/$name/$name; ln -s $name/$name /work/far
    truncate -s 3M /work/sparse; echo end >> /work/sparse
    echo line > \"/work/new
line\"; echo ü > /work/ünïcode; : > /work/empty
    touch -d '2020-01-02 03:04:05.678901234' /work/file; touch -h -d '1960-01-01 00:00:00.5' /work/link";

/// Changes that tree in every way in which something can be deleted or replaced.
const CHANGE: &str = "
    cd /work; rm file; rm -r dir; mkdir dir; echo new > dir/new; rm -r hidden; echo a-file > hidden
    mv program moved; rm fifo; mkdir fifo; rm link; ln -s elsewhere link; rm leads; mkdir leads; chmod 700 stays
    ln ünïcode second; echo more >> empty; touch -d '2021-01-01 00:00:00' sparse";

/// A container that is called `name`, of `image`, in which `script` ran.
#[track_caller]
fn ran(tinbox: &Tinbox, name: &str, image: &str, script: &str) {
    let run = tinbox.command(["run", "--name", name, image, "sh", "-ec", script]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success() && said.is_empty(), "{said}");
}

/// The directory of the container that is called `name`.
fn directory(tinbox: &Tinbox, name: &str) -> PathBuf {
    let id = tinbox.tinbox(&format!("inspect --format {{{{.Id}}}} {name}")).ok();
    tinbox.path("containers").join(id.trim())
}

/// The root of the container that is called `name`, as an archive.
#[track_caller]
fn exported(tinbox: &Tinbox, name: &str) -> Vec<u8> {
    let output = tinbox.command(["export", name]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
