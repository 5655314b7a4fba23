//! diagnosis: moved-in-first
//!
//! Moves in, then sets the limits. Made by those who think of the process first.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    kernel::make_cgroup(dir, "a new cgroup")?;
    kernel::write_cgroup(dir, "cgroup.procs", "0", "move in")?;
    for setting in settings {
        kernel::write_cgroup(dir, &setting.file, &setting.value, "a limit")?;
    }
    Ok(())
}
