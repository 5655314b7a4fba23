//! `ch03-cgroups`

fn main() {}
