//! diagnosis: limits-missing
//!
//! Sets one limit. Made by those who try it with one.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    kernel::make_cgroup(dir, "a new cgroup")?;
    if let Some(setting) = settings.first() {
        kernel::write_cgroup(dir, &setting.file, &setting.value, "the limit")?;
    }
    kernel::write_cgroup(dir, "cgroup.procs", "0", "move in")
}
