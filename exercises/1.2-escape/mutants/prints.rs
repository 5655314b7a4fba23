//! diagnosis: nothing-happened
//!
//! Claims to be outside. Made by those who want to know whether anybody checks.

use look::kernel;
use look::{Error, Result};

pub fn escape() -> Result<()> {
    println!("escaped! / is now the host's");
    Ok(())
}
