//! Chapter 4's program.

fn main() {}
