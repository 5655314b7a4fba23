//! Images that go from Tinbox to other tools and back: what each says of a file, the other says, too.
//!
//! | file          | what it is about                                                            |
//! |---------------|-----------------------------------------------------------------------------|
//! | `read.rs`     | umoci's, buildah's and skopeo's images, read by Tinbox                      |
//! | `written.rs`  | Tinbox's images, read by them                                               |
//! | `engines.rs`  | docker and podman: there and back                                           |
//! | `hostile.rs`  | layers that mean harm together                                              |
//! | `sample.rs`   | an image with one of everything                                             |
//! | `builder.rs`  | layers that say whatever one wants                                          |
//! | `listing.rs`  | trees as lines that can be compared                                         |

mod builder;
mod engines;
mod hostile;
mod listing;
mod read;
mod sample;
mod written;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::geteuid;
use serde_json::Value;

use crate::Test;
use crate::support::Tinbox;
use crate::support::need::Need;
use listing::{Kept, Listing};

const UMOCI: Need = Need::Program("umoci");
const SKOPEO: Need = Need::Program("skopeo");

/// All of them.
pub fn tests() -> Vec<Test> {
    [read::TESTS, written::TESTS, engines::TESTS, hostile::TESTS].concat()
}

/// Runs a tool that must succeed, and answers with what it printed.
#[track_caller]
fn call<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> String {
    run(Command::new(program).args(arguments))
}

/// [`call`], of a command that was prepared.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A Tinbox, and a directory for other tools.
struct Bench {
    tinbox: Tinbox,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::Builder::new().prefix("tinbox-e2e-interop-").tempdir().unwrap();
        Bench { tinbox: Tinbox::without_images(), dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Loads an archive, and answers with what the image in it is called. An ordinary user may be warned of what has to
    /// be left out.
    fn load(&self, archive: &Path) -> String {
        let ended = self.tinbox.tinbox(&format!("load -i {}", archive.display()));
        let warned = !geteuid().is_root() && ended.stderr.lines().all(|line| line.contains("warning: "));
        assert!(ended.status == 0 && (ended.stderr.is_empty() || warned), "{ended:?}");
        let said = ended.stdout.trim_end();
        let name = said.strip_prefix("Loaded image: ").or(said.strip_prefix("Loaded image ID: "));
        name.unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    /// Saves an image to `archive.tar`.
    fn save(&self, image: &str) -> PathBuf {
        let archive = self.path("archive.tar");
        self.tinbox.tinbox(&format!("save -o {} {image}", archive.display())).ok();
        archive
    }

    /// The files of an image, as a container would see them.
    fn listing(&self, image: &str, kept: Kept) -> Listing {
        self.tinbox.tinbox(&format!("run --name listed {image} /true")).ok();
        let archive = self.path("exported.tar");
        self.tinbox.tinbox(&format!("export -o {} listed", archive.display())).ok();
        self.tinbox.tinbox("rm listed").ok();
        self.archived(&archive, kept)
    }

    /// The files in the archive of a whole tree, as GNU tar unpacks them.
    fn archived(&self, archive: &Path, kept: Kept) -> Listing {
        let names = call("tar", ["-tf", archive.to_str().unwrap()]);
        let dir = if names.lines().any(|name| name == "./data/") { "./data" } else { "data" };
        let to = tempfile::tempdir_in(self.dir.path()).unwrap();
        let options = ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--preserve-permissions"];
        let target = ["-C", to.path().to_str().unwrap(), "-xf", archive.to_str().unwrap(), dir];
        call("tar", options.into_iter().chain(target));
        Listing::of_tree(to.path(), sample::DIR, kept)
    }

    /// An image's id, and the diff ids of its layers.
    fn inspect(&self, image: &str) -> (String, Vec<String>) {
        let found: Value = serde_json::from_str(&self.tinbox.tinbox(&format!("image inspect {image}")).ok()).unwrap();
        (found[0]["Id"].as_str().unwrap().to_owned(), strings(&found[0]["RootFS"]["Layers"]))
    }

    /// The files of the image `reference`, as umoci unpacks them.
    fn by_umoci(&self, reference: &str, kept: Kept) -> Listing {
        let bundle = tempfile::tempdir_in(self.dir.path()).unwrap();
        let bundle = bundle.path().join("bundle");
        call("umoci", ["unpack", "--image", reference, bundle.to_str().unwrap()]);
        Listing::of_tree(&bundle.join("rootfs"), sample::DIR, kept)
    }
}

/// The id of an image that skopeo reads, and the diff ids of its layers.
fn by_skopeo(image: &str) -> (String, Vec<String>) {
    let config = call("skopeo", ["inspect", "--raw", "--config", image]);
    let parsed: Value = serde_json::from_str(&config).unwrap();
    (images::Digest::of(config.as_bytes()).to_string(), strings(&parsed["rootfs"]["diff_ids"]))
}

fn strings(array: &Value) -> Vec<String> {
    array.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Unpacks an archive into a directory.
fn unpacked(archive: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    call("tar", ["-C", to.to_str().unwrap(), "-xf", archive.to_str().unwrap()]);
}
