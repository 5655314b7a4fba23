//! diagnosis: nothing-happened
//!
//! Prints what a right answer might print. Made by those who want to know whether the grader reads it.

use std::path::Path;

use look::Result;
use look::kernel;

pub fn naive_root(root: &Path) -> Result<()> {
    println!("root: the new root");
    println!("working directory: the new root");
    println!("{} is now /", root.display());
    Ok(())
}
