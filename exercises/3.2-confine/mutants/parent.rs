//! diagnosis: somebody-else-moved
//!
//! Moves the parent. Made by those who have done it in a shell, where the parent is who one means.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    kernel::make_cgroup(dir, "a new cgroup")?;
    for setting in settings {
        kernel::write_cgroup(dir, &setting.file, &setting.value, "a limit")?;
    }
    let parent = nix::unistd::getppid().to_string();
    kernel::write_cgroup(dir, "cgroup.procs", &parent, "move in")
}
