//! diagnosis: passed-on
//!
//! The effective and the permitted set, and leaves the others. Made by those who stop after the sets that the kernel
//! checks, as Docker did until 2022.

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
    kernel::setresuid(Uid::from_raw(uid), "its user")?;
    lower(if uid == 0 { keep } else { CapabilitySet::NONE })?;
    if privileges.no_new_privs {
        kernel::no_new_privs("none of it comes back")?;
    }
    Ok(())
}

/// capset(2) by hand: `keep` effective and permitted, and the inheritable set as it is.
fn lower(keep: CapabilitySet) -> Result<()> {
    let failed = |errno| look::Error::call("capset", "the effective and permitted set", errno);
    let mut header = [0x2008_0522_u32, 0];
    let mut halves = [[0_u32; 3]; 2];
    // SAFETY: version 3 fills two halves.
    let got = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), halves.as_mut_ptr()) };
    nix::errno::Errno::result(got).map_err(failed)?;
    for (number, half) in halves.iter_mut().enumerate() {
        let names = look::status::CAPABILITIES.iter().enumerate().skip(number * 32).take(32);
        let bits = names.filter(|(_, name)| keep.contains(name)).map(|(bit, _)| 1 << (bit % 32)).sum();
        (half[0], half[1]) = (bits, bits);
    }
    // SAFETY: version 3 reads two halves.
    let set = unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), halves.as_ptr()) };
    nix::errno::Errno::result(set).map(drop).map_err(failed)
}
