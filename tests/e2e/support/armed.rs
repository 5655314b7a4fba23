//! An image with this very test executable in it, as `/bin/act`: what it is asked to do, it does inside
//! ([`crate::acts`]). And Tinbox with one of its stages replaced by a weaker one, to see an attack work.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use super::{Ended, Running, TINBOX, Tinbox};
use crate::import::{archive, import};
use crate::weak;

/// The name of the image.
pub const IMAGE: &str = "armed";

impl Tinbox {
    /// One with that image, and the embedded one.
    pub fn armed() -> Tinbox {
        let tinbox = Tinbox::without_images();
        std::os::unix::fs::symlink(images(), tinbox.path("images")).unwrap();
        tinbox
    }

    /// `tinbox run --rm OPTIONS armed /bin/act WORDS`, not started yet.
    pub fn act_command(&self, options: &str, words: &str) -> Command {
        let mut command = self.command(["run", "--rm"]);
        command.args(options.split_whitespace()).arg(IMAGE).args(act(words));
        command
    }

    /// [`Tinbox::act_command`], run to its end.
    pub fn act(&self, options: &str, words: &str) -> Ended {
        Ended::of(self.act_command(options, words).output().unwrap())
    }

    /// [`Tinbox::act_command`] for a Tinbox one of whose stages is `weak`.
    pub fn weak_command(&self, weak: &str, options: &str, words: &str) -> Command {
        let strong = self.act_command(options, words);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(strong.get_args()).env(weak::VARIABLE, weak).stdin(std::process::Stdio::null());
        command.envs(strong.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command
    }

    /// Starts an act that says `ready` and then waits for the end of its standard input.
    pub fn start_act(&self, options: &str, words: &str) -> Running {
        Running::start(self.act_command(&format!("-i {options}"), words))
    }
}

/// The words of a command line in the container.
pub fn act(words: &str) -> impl Iterator<Item = &str> {
    ["/bin/act", crate::acts::SWITCH].into_iter().chain(words.split_whitespace())
}

/// The program itself, on this machine and outside of any container.
pub fn act_outside(words: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(act(words).skip(1)).stdin(std::process::Stdio::null());
    command
}

/// A root file system in a directory, with the program in it.
pub fn armed_root() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("tinbox-e2e-root-").tempdir().unwrap();
    tinbox::image::base::build(dir.path(), &tinbox::image::base::Source::Detect).unwrap();
    arm(dir.path());
    dir
}

/// Puts the program into a root file system.
pub fn arm(rootfs: &std::path::Path) {
    tinbox::image::base::add_program(rootfs, &std::env::current_exe().unwrap(), "/bin/act").unwrap();
}

static IMAGES: OnceLock<PathBuf> = OnceLock::new();
static MAKING: Mutex<Option<tempfile::TempDir>> = Mutex::new(None);

fn images() -> &'static PathBuf {
    IMAGES.get_or_init(|| {
        let dir = tempfile::Builder::new().prefix("tinbox-e2e-armed-").tempdir().unwrap();
        let state = Tinbox::at(dir);
        let made = state.command(["run", "--rm", "base", "true"]).output().unwrap();
        assert!(made.status.success(), "{TINBOX}: {}", String::from_utf8_lossy(&made.stderr));
        import(&state, IMAGE, &archive(armed_root().path()));
        let images = state.path("images");
        *MAKING.lock().unwrap() = Some(state.into_dir());
        images
    })
}

/// Removes what all tests shared.
pub fn clean_up() {
    if let Some(dir) = MAKING.lock().unwrap().take() {
        super::remove_all(dir.path());
    }
}
