//! diagnosis: panicked
//!
//! Unwraps what the kernel answers. Made by those who mean to clean up later.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    kernel::make_cgroup(dir, "a new cgroup")?;
    for setting in settings {
        kernel::write_cgroup(dir, &setting.file, &setting.value, "a limit").unwrap();
    }
    kernel::write_cgroup(dir, "cgroup.procs", "0", "move in")
}
