//! `cargo workshop` as a learner uses it. Each test has a folder of its own.

mod checking;
mod helping;
mod learner;
mod running;
