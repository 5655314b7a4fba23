//! diagnosis: panics-about-nobody
//!
//! Unwraps. Made by everybody who wants to see something first, and forgets that processes end while one looks.

use look::{Error, Kind, Namespaces, Result};
use nix::unistd::Pid;

pub fn namespaces_of(pid: Pid) -> Result<Namespaces> {
    let mut namespaces = Namespaces::new();
    for kind in Kind::ALL {
        let text = std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
        let text = text.to_str().unwrap();
        let (_, number) = text.split_once(":[").unwrap();
        namespaces.insert(kind, number.strip_suffix(']').unwrap().parse().unwrap());
    }
    Ok(namespaces)
}
