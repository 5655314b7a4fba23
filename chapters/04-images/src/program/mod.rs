//! What `ch04-images` can do: a file for each kind of thing.

pub mod files;
mod place;
pub mod run;
pub mod show;
