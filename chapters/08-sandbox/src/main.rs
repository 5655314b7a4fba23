//! `ch08-sandbox`

fn main() {}
