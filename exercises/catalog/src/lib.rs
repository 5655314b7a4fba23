//! The exercises: which there are, and how a starter is made from the reference.
//!
//! An exercise is one function of a chapter. Its reference is not kept here: it is the function that the runtime
//! itself calls, marked in the chapter's source by comments. [`cut`] reads those marks, and [`module`] puts
//! answers together for a build script. This package has no dependencies, so that build scripts stay quick.

pub mod cut;
pub mod module;

use std::path::{Path, PathBuf};

/// One exercise.
#[derive(Debug, PartialEq, Eq)]
pub struct Exercise {
    /// `1.3`: the third of chapter 1.
    pub number: &'static str,
    /// The function, which is also the name of the marked region: `enter_root`.
    pub name: &'static str,
    /// The task in a sentence.
    pub task: &'static str,
    /// The file with the reference, from the top of the repository.
    pub reference: &'static str,
    /// What the learner writes; changing it makes the answer useless to the runtime.
    pub signature: &'static str,
    /// The `use` lines of the starter.
    pub uses: &'static str,
    /// What the reference needs besides.
    pub more_uses: &'static str,
    /// The variant of `subject::Answer` that holds the function.
    pub variant: &'static str,
    /// Whether the runtime calls this function through its table of stages, under this name.
    pub seam: bool,
}

/// All exercises, in the order of the course.
pub const ALL: [Exercise; 16] = [
    Exercise {
        number: "0.1",
        name: "namespaces_of",
        task: "Read which namespaces a process is in.",
        reference: "chapters/00-look/src/namespaces.rs",
        signature: "pub fn namespaces_of(pid: Pid) -> Result<Namespaces>",
        uses: "use look::{Error, Kind, Namespaces, Result};\nuse nix::unistd::Pid;\n",
        more_uses: "",
        variant: "NamespacesOf",
        seam: true,
    },
    Exercise {
        number: "1.1",
        name: "naive_root",
        task: "Give a process a root, with chroot.",
        reference: "chapters/01-chroot/src/lib.rs",
        signature: "pub fn naive_root(root: &Path) -> Result<()>",
        uses: "use std::path::Path;\n\nuse look::Result;\nuse look::kernel;\n",
        more_uses: "",
        variant: "NaiveRoot",
        seam: false,
    },
    Exercise {
        number: "1.2",
        name: "escape",
        task: "Walk out of that chroot again.",
        reference: "chapters/01-chroot/attacks/escape.rs",
        signature: "pub fn escape() -> Result<()>",
        uses: "use look::kernel;\nuse look::{Error, Result};\n",
        more_uses: "",
        variant: "Escape",
        seam: false,
    },
    Exercise {
        number: "1.3",
        name: "enter_root",
        task: "Give it a root that holds: pivot_root.",
        reference: "chapters/01-chroot/src/lib.rs",
        signature: "pub fn enter_root(root: &Path) -> Result<()>",
        uses: "use std::path::Path;\n\nuse look::Result;\nuse look::kernel::{self, MntFlags, MsFlags};\n",
        more_uses: "use std::ffi::CString;\nuse std::os::unix::ffi::OsStrExt;\n",
        variant: "EnterRoot",
        seam: true,
    },
    Exercise {
        number: "2.1",
        name: "spawn",
        task: "Start a process in new namespaces.",
        reference: "chapters/02-namespaces/src/lib.rs",
        signature: "pub fn spawn(namespaces: CloneFlags, cgroup: Option<BorrowedFd<'_>>, child: &mut dyn FnMut() -> u8) -> Result<Process>",
        uses: "use std::os::fd::BorrowedFd;\n\nuse look::Result;\nuse look::kernel::{self, CloneFlags, Cloned};\nuse namespaces::Process;\n",
        more_uses: "",
        variant: "Spawn",
        seam: true,
    },
    Exercise {
        number: "2.2",
        name: "enter",
        task: "Start a process in another one's namespaces.",
        reference: "chapters/02-namespaces/src/lib.rs",
        signature: "pub fn enter(pid: Pid, child: &mut dyn FnMut() -> u8) -> Result<Process>",
        uses: "use std::os::fd::AsFd;\n\nuse look::kernel::CloneFlags;\nuse look::{Result, namespaces_of};\n\
               use namespaces::{Process, flag, join, spawn};\nuse nix::unistd::Pid;\n",
        more_uses: "",
        variant: "Enter",
        seam: false,
    },
    Exercise {
        number: "2.3",
        name: "reap",
        task: "Collect the children that have ended.",
        reference: "chapters/02-namespaces/src/lib.rs",
        signature: "pub fn reap(main: Pid) -> Result<Option<u8>>",
        uses: "use look::{Error, Result};\nuse namespaces::shell_status;\nuse nix::errno::Errno;\n\
               use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};\nuse nix::unistd::Pid;\n",
        more_uses: "",
        variant: "Reap",
        seam: true,
    },
    Exercise {
        number: "3.1",
        name: "settings",
        task: "Say limits in the words of cgroup v2.",
        reference: "chapters/03-cgroups/src/lib.rs",
        signature: "pub fn settings(limits: &Limits) -> Vec<Setting>",
        uses: "use cgroups::{Limits, Setting, cpu_weight, io_weight};\n",
        more_uses: "",
        variant: "Settings",
        seam: true,
    },
    Exercise {
        number: "3.2",
        name: "confine",
        task: "Make a cgroup, limit it, move in.",
        reference: "chapters/03-cgroups/src/lib.rs",
        signature: "pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()>",
        uses: "use std::path::Path;\n\nuse cgroups::Setting;\nuse look::Result;\nuse look::kernel;\n",
        more_uses: "",
        variant: "Confine",
        seam: false,
    },
    Exercise {
        number: "4.1",
        name: "apply_layer",
        task: "Lay a layer out, with what it deletes.",
        reference: "chapters/04-images/src/lib.rs",
        signature: "pub fn apply_layer(layer: &mut Layer<'_>, tree: &mut Tree) -> Result<()>",
        uses: "use std::ffi::OsStr;\nuse std::os::unix::ffi::OsStrExt;\nuse std::path::Path;\n\nuse anyhow::Result;\nuse images::{Layer, Tree};\n",
        more_uses: "",
        variant: "ApplyLayer",
        seam: true,
    },
    Exercise {
        number: "4.2",
        name: "stack",
        task: "Stack layers with overlayfs.",
        reference: "chapters/04-images/src/lib.rs",
        signature: "pub fn stack(overlay: &Overlay, target: &Path) -> look::Result<()>",
        uses: "use std::path::Path;\n\nuse images::{Overlay, escape};\nuse look::kernel;\n",
        more_uses: "",
        variant: "Stack",
        seam: true,
    },
    Exercise {
        number: "4.3",
        name: "chain_ids",
        task: "Name each layer together with those below it.",
        reference: "chapters/04-images/src/lib.rs",
        signature: "pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest>",
        uses: "use images::Digest;\n",
        more_uses: "",
        variant: "ChainIds",
        seam: false,
    },
    Exercise {
        number: "4.4",
        name: "make_layer",
        task: "Make a layer of what a container changed.",
        reference: "chapters/04-images/src/lib.rs",
        signature: "pub fn make_layer(upper: &mut TreeWalk, layer: &mut LayerWriter<'_>) -> Result<()>",
        uses: "use std::ffi::OsStr;\n\nuse anyhow::Result;\nuse images::{LayerWriter, TreeWalk};\n",
        more_uses: "",
        variant: "MakeLayer",
        seam: true,
    },
    Exercise {
        number: "8.1",
        name: "drop_privileges",
        task: "Give away what root could do, in the right order.",
        reference: "chapters/08-sandbox/src/lib.rs",
        signature: "pub fn drop_privileges(privileges: &Privileges) -> Result<()>",
        uses: "use look::Result;\nuse look::kernel::{self, CapabilitySet};\nuse nix::unistd::{Gid, Uid};\nuse sandbox::Privileges;\n",
        more_uses: "",
        variant: "DropPrivileges",
        seam: true,
    },
    Exercise {
        number: "8.2",
        name: "filter",
        task: "Write a filter for system calls.",
        reference: "chapters/08-sandbox/src/seccomp/simple.rs",
        signature: "pub fn filter(architecture: u32, allowed: &[u32]) -> Vec<Instruction>",
        uses: "use sandbox::seccomp::bpf::{ARCHITECTURE, Action, EPERM, Instruction, NUMBER, answer, jump_if_equal, load};\n",
        more_uses: "",
        variant: "Filter",
        seam: false,
    },
    Exercise {
        number: "8.3",
        name: "mask",
        task: "Hide a path of an image, without being led astray.",
        reference: "chapters/08-sandbox/src/lib.rs",
        signature: "pub fn mask(root: &Root, path: &str) -> Result<()>",
        uses: "use std::os::fd::AsFd;\n\nuse chroot::inside::Root;\nuse look::kernel::{self, MsFlags, Target};\nuse look::{Error, Result};\nuse nix::errno::Errno;\nuse nix::fcntl::OFlag;\nuse nix::sys::stat::{Mode, SFlag};\n",
        more_uses: "",
        variant: "Mask",
        seam: true,
    },
];

impl Exercise {
    /// `1.3-enter-root`: its folder, and the stem of the learner's file.
    pub fn slug(&self) -> String {
        format!("{}-{}", self.number, self.name.replace('_', "-"))
    }

    /// The name of the learner's file.
    pub fn file(&self) -> String {
        format!("{}.rs", self.slug())
    }

    /// The folder with the task, the hints and the wrong answers, under the top of the repository.
    pub fn folder(&self, repository: &Path) -> PathBuf {
        repository.join("exercises").join(self.slug())
    }

    /// What to type after `cargo workshop run --` to have the runtime call the answer. Only for one with a seam.
    pub fn to_see_it(&self) -> &'static str {
        match self.name {
            "apply_layer" => "pull IMAGE",
            "make_layer" => "commit CONTAINER IMAGE",
            _ => "run --rm -it base",
        }
    }

    /// Why the runtime does not call the answer. Only for one without a seam.
    pub fn why_not_called(&self) -> &'static str {
        match self.name {
            "naive_root" => "`tinbox` does not use it: this root can be left, and that of 1.3 cannot.",
            "escape" => "It is the attack: `tinbox` has a root that holds against it.",
            "enter" => "`tinbox` joins no container yet.",
            "chain_ids" => {
                "`tinbox` keeps its own: a wrong one would mix up the layers in your store. Yours is compared with it."
            }
            "filter" => "`tinbox` keeps its own: Docker's rules also look at the arguments of calls.",
            _ => "`tinbox` keeps its own, which also knows cgroup v1 and machines where you are not root.",
        }
    }

    /// The chapter that it belongs to.
    pub fn chapter(&self) -> &'static str {
        self.number.split('.').next().unwrap_or_default()
    }
}

/// The exercises that `selector` means: a chapter (`1`), a number (`1.3`), or a name (`enter_root`, `1.3-enter-root`).
pub fn select(selector: &str) -> Vec<&'static Exercise> {
    let name = selector.replace('-', "_");
    let meant = |e: &&Exercise| {
        e.number == selector
            || e.chapter() == selector
            || e.name == name
            || e.slug() == selector
            || e.file() == selector
    };
    ALL.iter().filter(meant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exercise_is_meant_by_number_name_folder_file_or_chapter() {
        for selector in ["1.3", "enter_root", "enter-root", "1.3-enter-root", "1.3-enter-root.rs"] {
            let numbers: Vec<_> = select(selector).iter().map(|e| e.number).collect();
            assert_eq!(numbers, ["1.3"], "{selector}");
        }
        assert_eq!(select("1").len(), 3);
        assert!(select("9").is_empty());
    }

    #[test]
    fn numbers_are_in_order_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].number < pair[1].number));
    }
}
