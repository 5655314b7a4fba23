//! The call that installs a filter for system calls.

use nix::errno::Errno;

use crate::error::Result;
use crate::tell::told;

/// `seccomp(SECCOMP_SET_MODE_FILTER)`: from now on each system call of this thread, and of what it starts, first
/// goes through `filter`. There is no way back. `flags` are `SECCOMP_FILTER_FLAG_*`; `summary` says in a few words
/// what the filter is.
///
/// Needs no_new_privs or `CAP_SYS_ADMIN`. A filter that the kernel does not take fails with EINVAL.
pub fn seccomp(filter: &[libc::sock_filter], flags: u32, summary: &str, why: &str) -> Result<()> {
    told(
        "seccomp",
        || summary.to_owned(),
        why,
        || {
            let Ok(len) = u16::try_from(filter.len()) else { return Err(Errno::EINVAL) };
            let program = libc::sock_fprog { len, filter: filter.as_ptr().cast_mut() };
            // SAFETY: the program points to `len` instructions, which the kernel only reads, during the call.
            let done = unsafe {
                libc::syscall(
                    libc::SYS_seccomp,
                    libc::SECCOMP_SET_MODE_FILTER,
                    libc::c_ulong::from(flags),
                    &raw const program,
                )
            };
            // With TSYNC a positive answer is the thread that could not follow.
            if done > 0 { Err(Errno::ESRCH) } else { Errno::result(done).map(drop) }
        },
    )
}
