//! # Chapter 2: a view of its own
