//! diagnosis: groups-left
//!
//! Group and user, and no other groups. Made by those who think that setresgid replaces all of them.

use look::Result;
use look::kernel::{self, CapabilitySet};
use nix::unistd::{Gid, Uid};
use sandbox::Privileges;

pub fn drop_privileges(privileges: &Privileges) -> Result<()> {
    let Privileges { uid, gid, keep, .. } = *privileges;
    kernel::drop_bounding(keep, "never to be had again")?;
    kernel::setresgid(Gid::from_raw(gid), "its group")?;
    kernel::setresuid(Uid::from_raw(uid), "its user")?;
    let held = if uid == 0 { keep } else { CapabilitySet::NONE };
    kernel::set_capabilities(held, "no more than this")?;
    if privileges.no_new_privs {
        kernel::no_new_privs("none of it comes back")?;
    }
    Ok(())
}
