//! Tinbox with one stage of a container's start replaced by a weaker one: this executable is that Tinbox, when a
//! variable says so. An attack that works there shows which stage it is that stops it elsewhere.
//!
//! One of them does not end, which gives a test the time to look at a start, and to end it.

use std::path::Path;

use chroot::inside::Root;
use images::Overlay;
use look::kernel;
use nix::unistd::{Gid, Uid};
use sandbox::Privileges;
use tinbox::Stages;

/// The variable. Its value is the name of the weakness.
pub const VARIABLE: &str = "TINBOX_E2E_WEAK";

/// Nothing is hidden.
pub const NO_MASK: &str = "no-mask";
/// The user is changed, and nothing is given away.
pub const NO_DROP: &str = "no-drop";
/// The layers are never stacked: a start that does not end by itself.
pub const NO_END: &str = "no-end";

/// The weakened stages, if the variable is set.
pub fn stages() -> Option<Stages> {
    let weakness = std::env::var(VARIABLE).ok()?;
    let reference = Stages::reference();
    Some(match weakness.as_str() {
        NO_MASK => Stages { mask: hide_nothing, ..reference },
        NO_DROP => Stages { drop_privileges: drop_nothing, ..reference },
        NO_END => Stages { stack: wait_forever, ..reference },
        other => panic!("{VARIABLE}={other}"),
    })
}

fn hide_nothing(_: &Root, _: &str) -> look::Result<()> {
    Ok(())
}

/// Says first that it has come so far.
fn wait_forever(_: &Overlay, _: &Path) -> look::Result<()> {
    println!("ready");
    loop {
        std::thread::park();
    }
}

/// Only what `no_new_privs` is for is left, so that a filter can be installed.
fn drop_nothing(privileges: &Privileges) -> look::Result<()> {
    kernel::setresgid(Gid::from_raw(privileges.gid), "its group")?;
    kernel::setresuid(Uid::from_raw(privileges.uid), "its user")
}
