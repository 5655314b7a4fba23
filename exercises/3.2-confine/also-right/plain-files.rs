//! With nothing but files, and its own number.

use std::path::Path;

use cgroups::Setting;
use look::Result;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    let io = |call: &'static str, path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| look::Error::io(call, path, &error)
    };
    std::fs::create_dir_all(dir).map_err(io("mkdir", dir))?;
    for setting in settings {
        let file = dir.join(&setting.file);
        std::fs::write(&file, format!("{}\n", setting.value)).map_err(io("write", &file))?;
    }
    let procs = dir.join("cgroup.procs");
    std::fs::write(&procs, std::process::id().to_string()).map_err(io("write", &procs))
}
