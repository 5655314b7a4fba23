//! # Chapter 3: a share of its own
