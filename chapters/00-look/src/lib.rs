//! # Chapter 0: look
//!
//! There is no such thing as a container in the Linux kernel. There are processes, and for each process the
//! kernel keeps some facts: which root its paths start at, which mounts it sees, which namespaces it is in,
//! which cgroup pays for it, which ids and capabilities it has. A container is a process for which these facts
//! are different from yours. So before you build one, learn to look at a process.
//!
//! Everything is under `/proc/PID`, and it is the kernel that speaks there, not the process:
//!
//! | file                       | what it says                                          | here                |
//! |----------------------------|-------------------------------------------------------|---------------------|
//! | `ns/*`                     | the namespaces, as inode numbers                      | [`namespaces_of`]   |
//! | `root`, `cwd`              | where its paths start                                 | [`evidence`]        |
//! | `mountinfo`                | the mounts it sees, and how they propagate            | [`mountinfo`]       |
//! | `status`                   | ids, capabilities, seccomp                            | [`status`]          |
//! | `uid_map`, `gid_map`       | what its ids mean outside                             | [`status`]          |
//! | `cgroup`                   | which share of the machine it has                     | [`cgroups`]         |
//! | `fd/*`                     | what it holds open                                    | [`evidence`]        |
//! | `net/*`                    | links and addresses of its network                    | [`network`]         |
//!
//! [`Evidence::of`] collects all of it. The graders of this course, the tests of the runtime and the figures
//! in the book use this one collector: what a program prints about itself is a claim, what `/proc` says is
//! evidence.
//!
//! The second half of the chapter is the way back, from looking to doing: [`kernel`] holds the few system calls
//! that make a container, each of which says why it is made ([`tell`]) and fails with the operation, the object
//! and the cause ([`Error`]).
//!
//! ## What is simplified here
//!
//! - A process can change or end while it is being looked at. Each file is read once, and the pieces may be
//!   some microseconds apart. Real monitoring tools live with the same.
//! - What the kernel hides from you (another user's process, say) is reported as hidden, with the reason. It is
//!   never guessed.

pub mod cgroups;
pub mod compare;
mod error;
pub mod evidence;
pub mod kernel;
pub mod mountinfo;
pub mod namespaces;
pub mod network;
pub mod status;
pub mod tell;

pub use compare::Comparison;
pub use error::{Error, Result, describe};
pub use evidence::{Evidence, Seen};
pub use namespaces::{Kind, Namespaces, namespaces_of};
