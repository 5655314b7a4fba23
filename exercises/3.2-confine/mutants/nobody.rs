//! diagnosis: nobody-in-it
//!
//! Makes the cgroup and its limits. Made by those who take a cgroup for a setting of the process that makes it.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    kernel::make_cgroup(dir, "a new cgroup")?;
    for setting in settings {
        kernel::write_cgroup(dir, &setting.file, &setting.value, "a limit")?;
    }
    Ok(())
}
