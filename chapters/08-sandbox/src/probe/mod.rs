//! # What may this process do?
//!
//! Every part of a sandbox can be read in some file: capabilities in `/proc/self/status`, mounts in
//! `/proc/self/mountinfo`. But what the parts add up to is known only by trying. The probe does both, from inside,
//! and reports as one JSON document, so that two sandboxes can be compared line by line.
//!
//! It is built to be run anywhere, also as root on a machine that is in use:
//!
//! - What the seccomp filter says about a system call is found out without making the call ([`filter`]).
//! - What is tried is tried in a child that has a time limit (`child.rs`), with arguments that the kernel refuses
//!   after it has checked who asks ([`syscalls`]), or with an effect that ends with the child ([`attempts`]).
//! - Files are opened for writing and closed again; nothing is written to them ([`paths`]).
//!
//! ## What it cannot tell
//!
//! - A filter that decides by the arguments of a call is asked with zeros, and for the cases that the default
//!   profiles know with the arguments that matter. Others stay unseen.
//! - Of a call that the filter lets pass, it tells how the kernel answers *these* arguments. That a capability check
//!   comes before the arguments are looked at is true for most privileged calls, not for all: where it matters, there
//!   is an attempt with good arguments.

pub mod attempts;
mod calls;
mod child;
pub mod devices;
pub mod filter;
mod harmless;
pub mod paths;
pub mod process;
pub mod syscalls;

use look::Evidence;
use nix::unistd::getpid;
use serde::{Deserialize, Serialize};

/// All that was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What `/proc` says: ids and their maps, capabilities, namespaces, mounts, cgroups, network.
    pub evidence: Evidence,
    /// What else it says about this process.
    pub process: process::Process,
    /// The namespaces that it shares with the process whose report was given for comparison.
    pub shared_namespaces: Option<Vec<look::Kind>>,
    /// The files that are usually kept from a container.
    pub masked: Vec<paths::Path>,
    /// Files by which the machine is configured.
    pub sysctls: Vec<paths::Path>,
    /// Device nodes, and devices.
    pub devices: devices::Devices,
    /// Every system call of this machine's table.
    pub syscalls: Vec<syscalls::Call>,
    /// What the filter says to the calls of other tables that this kernel may answer to.
    pub foreign: Vec<syscalls::Foreign>,
    /// Deeds: calls with arguments that matter.
    pub attempts: Vec<attempts::Attempt>,
}

/// Looks and tries.
///
/// `host`: what the probe reported in the place to compare with. The process that calls this must have one thread, for
/// it makes children that go on in Rust. Fails if `/proc` is not there.
pub fn report(host: Option<&Report>) -> look::Result<Report> {
    // First, while nothing but what was inherited is open.
    let evidence = Evidence::of(getpid())?;
    let process = process::process()?;
    let shared_namespaces = host.map(|host| process::shared(&evidence, &host.evidence));
    Ok(Report {
        evidence,
        process,
        shared_namespaces,
        masked: paths::masked(),
        sysctls: paths::sysctls(),
        devices: devices::devices(),
        syscalls: syscalls::native(),
        foreign: syscalls::foreign(),
        attempts: attempts::all(),
    })
}
