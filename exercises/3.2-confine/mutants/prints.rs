//! diagnosis: nothing-happened
//!
//! Says what it is asked to do. Made by those who want to know whether anybody checks.

use std::path::Path;

use cgroups::Setting;
use look::Result;
use look::kernel;

pub fn confine(dir: &Path, settings: &[Setting]) -> Result<()> {
    println!("in {} now, with {settings:?}", dir.display());
    Ok(())
}
