//! # Chapter 8: the sandbox

pub mod seccomp;
