//! diagnosis: not-made
//!
//! Writes to the files of a cgroup that nobody has made. Made by those who take "cgroup" for something that is
//! configured.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    for setting in settings {
        kernel::write_cgroup(dir, &setting.file, &setting.value, "a limit")?;
    }
    kernel::write_cgroup(dir, "cgroup.procs", "0", "move in")
}
