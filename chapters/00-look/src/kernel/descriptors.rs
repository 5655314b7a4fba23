//! Calls on all descriptors of a process at once.

use std::os::fd::{AsRawFd, BorrowedFd};

use crate::tell::about_to;

/// `close_range(2)`, once below and once above it: closes every descriptor above 2 but `kept`, and with them the one that
/// is told into. Whoever owned one must not close it again, so leave the process with an exit.
pub fn close_all_but(kept: BorrowedFd<'_>, why: &str) {
    let kept = kept.as_raw_fd() as u32;
    let ranges = [(3, kept.saturating_sub(1)), (kept + 1, u32::MAX)];
    let ranges = ranges.iter().filter(|(first, last)| first <= last);
    ranges.clone().for_each(|(first, last)| about_to("close_range", &format!("{first} to {last}"), why));
    for (first, last) in ranges {
        // SAFETY: takes three integers.
        unsafe { libc::syscall(libc::SYS_close_range, *first, *last, 0) };
    }
}
