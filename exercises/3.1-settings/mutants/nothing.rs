//! diagnosis: nothing-is-set
//!
//! Returns an empty list. Made by those who want to see whether a container starts.

use cgroups::{Limits, Setting};

pub fn settings(limits: &Limits) -> Vec<Setting> {
    let settings = Vec::new();
    println!("{limits:?} becomes {settings:?}");
    settings
}
