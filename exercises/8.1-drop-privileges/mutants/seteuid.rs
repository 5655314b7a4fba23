//! diagnosis: way-back
//!
//! Changes the effective user. Made by those who know daemons that become root again to open a port.

use look::Result;
use look::kernel::{self, CapabilitySet};
use nix::unistd::{Gid, Uid};
use sandbox::Privileges;

pub fn drop_privileges(privileges: &Privileges) -> Result<()> {
    let Privileges { uid, gid, keep, .. } = *privileges;
    kernel::drop_bounding(keep, "never to be had again")?;
    if privileges.may_set_groups {
        let groups: Vec<Gid> = privileges.groups.iter().copied().map(Gid::from_raw).collect();
        kernel::setgroups(&groups, "its other groups")?;
    }
    kernel::setresgid(Gid::from_raw(gid), "its group")?;
    let failed = |errno| look::Error::call("seteuid", uid.to_string(), errno);
    nix::unistd::seteuid(Uid::from_raw(uid)).map_err(failed)?;
    let held = if uid == 0 { keep } else { CapabilitySet::NONE };
    kernel::set_capabilities(held, "no more than this")?;
    if privileges.no_new_privs {
        kernel::no_new_privs("none of it comes back")?;
    }
    Ok(())
}
