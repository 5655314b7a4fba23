//! 8.1: an answer that gives privileges away.

use look::kernel::CapabilitySet;
use look::{Error, Result};
use nix::errno::Errno;
use nix::unistd::Gid;
use sandbox::Privileges;

use super::{Stage, apart, end_likewise, nothing};
use crate::protocol::{Call, Outcome, Report};

/// The user that one process is to become.
pub const USER: u32 = 1000;
/// Its group.
pub const GROUP: u32 = 100;
/// Its supplementary groups.
pub const GROUPS: [u32; 2] = [27, 44];
/// The supplementary groups that every process has before.
pub const FORMER_GROUPS: [u32; 2] = [4, 24];
/// The most that a program may have.
pub const KEEP: [&str; 3] = ["CHOWN", "KILL", "NET_BIND_SERVICE"];

/// Asks twice, each time in a process of its own: there is no way back from either.
pub(super) fn play(stage: &Stage<'_>, drop: fn(&Privileges) -> Result<()>) {
    let keep = CapabilitySet::of(&KEEP);
    let user =
        Privileges { uid: USER, gid: GROUP, groups: GROUPS.to_vec(), may_set_groups: true, keep, no_new_privs: true };
    let root = Privileges { uid: 0, gid: 0, groups: vec![], may_set_groups: false, keep, no_new_privs: false };
    for (call, privileges) in [(Call::AsUser, user), (Call::AsRoot, root)] {
        let ended = apart(|| match burden() {
            Ok(()) => stage.report(call, nothing(|| drop(&privileges))),
            Err(error) => std::mem::drop(stage.channel.send(&Report::Blocked { error: error.to_string() })),
        });
        if let Some(ended) = ended {
            end_likewise(ended);
        }
    }
    // Nothing follows, but whoever waits for this process's end must not take it for the answer's.
    stage.report(Call::TheFunction, Outcome::Done(crate::protocol::Said::Nothing));
}

/// Gives this process what a careless host leaves to its children: groups, and capabilities that execve passes on.
fn burden() -> Result<()> {
    let groups = FORMER_GROUPS.map(Gid::from_raw);
    nix::unistd::setgroups(&groups).map_err(|errno| Error::call("setgroups", format!("{FORMER_GROUPS:?}"), errno))?;
    inherit_all().map_err(|errno| Error::call("capset", "all inheritable", errno))?;
    let raise = libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong;
    const NET_RAW: libc::c_ulong = 13;
    // SAFETY: this option takes integers only.
    let raised = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, raise, NET_RAW, 0, 0) };
    Errno::result(raised).map(drop).map_err(|errno| Error::call("prctl", "PR_CAP_AMBIENT_RAISE", errno))
}

/// Makes all permitted capabilities inheritable (capset(2)).
fn inherit_all() -> nix::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let mut header = [VERSION_3, 0];
    // Two halves, each of which is effective, permitted, inheritable.
    let mut halves = [[0_u32; 3]; 2];
    // SAFETY: version 3 fills two halves.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), halves.as_mut_ptr()) })?;
    for half in &mut halves {
        half[2] = half[1];
    }
    // SAFETY: version 3 reads two halves.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), halves.as_ptr()) }).map(drop)
}
