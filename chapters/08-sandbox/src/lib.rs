//! # Chapter 8: the sandbox
