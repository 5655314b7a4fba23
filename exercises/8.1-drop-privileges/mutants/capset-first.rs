//! diagnosis: capabilities-before-ids
//!
//! The capabilities first, the ids afterwards. Made by those who believe that user 0 may change its ids whatever it holds.

use look::Result;
use look::kernel::{self, CapabilitySet};
use nix::unistd::{Gid, Uid};
use sandbox::Privileges;

pub fn drop_privileges(privileges: &Privileges) -> Result<()> {
    let Privileges { uid, gid, keep, .. } = *privileges;
    kernel::drop_bounding(keep, "never to be had again")?;
    let held = if uid == 0 { keep } else { CapabilitySet::NONE };
    kernel::set_capabilities(held, "no more than this")?;
    if privileges.may_set_groups {
        let groups: Vec<Gid> = privileges.groups.iter().copied().map(Gid::from_raw).collect();
        kernel::setgroups(&groups, "its other groups")?;
    }
    kernel::setresgid(Gid::from_raw(gid), "its group")?;
    kernel::setresuid(Uid::from_raw(uid), "its user")?;
    if privileges.no_new_privs {
        kernel::no_new_privs("none of it comes back")?;
    }
    Ok(())
}
