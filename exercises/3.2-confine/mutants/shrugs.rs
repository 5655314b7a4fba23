//! diagnosis: failure-ignored
//!
//! Sets what can be set. Made by those whose machine lacks a controller.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    kernel::make_cgroup(dir, "a new cgroup")?;
    for setting in settings {
        if let Err(error) = kernel::write_cgroup(dir, &setting.file, &setting.value, "a limit") {
            eprintln!("warning: {error}");
        }
    }
    kernel::write_cgroup(dir, "cgroup.procs", "0", "move in")
}
