//! 8.2: an answer that writes a filter for system calls.

use look::kernel;
use nix::errno::Errno;
use nix::sys::wait::WaitStatus;
use sandbox::seccomp::Instruction;

use super::{Stage, apart};
use crate::protocol::{Call, Outcome, Said};
use crate::try_it::try_it;

/// The table of calls of this machine (`AUDIT_ARCH_*` of linux/audit.h).
#[cfg(target_arch = "x86_64")]
pub const TABLE: u32 = 0xc000_003e;
/// The table of 32-bit calls.
#[cfg(target_arch = "x86_64")]
pub const OTHER_TABLE: u32 = 0x4000_0003;
/// The table of calls of this machine (`AUDIT_ARCH_*` of linux/audit.h).
#[cfg(target_arch = "aarch64")]
pub const TABLE: u32 = 0xc000_00b7;
/// The table of 32-bit calls.
#[cfg(target_arch = "aarch64")]
pub const OTHER_TABLE: u32 = 0x4000_0028;

/// The table of calls of this machine (`AUDIT_ARCH_*` of linux/audit.h).
#[cfg(target_arch = "riscv64")]
pub const TABLE: u32 = 0xc000_00f3;
/// The table of 32-bit calls.
#[cfg(target_arch = "riscv64")]
pub const OTHER_TABLE: u32 = 0x4000_00f3;

/// The lists of calls that a filter is asked for: a few in no order, very many, none.
pub fn asked() -> [Vec<u32>; 3] {
    [vec![13, 3, 21, 8, 5], (1000..1300).collect(), vec![]]
}

/// What a process behind a filter must be able to do, to say what became of it.
const NEEDED: [libc::c_long; 14] = [
    libc::SYS_getppid,
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_sendto,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Asks for filters, then lives behind one.
pub(super) fn play(stage: &Stage<'_>, filter: fn(u32, &[u32]) -> Vec<Instruction>) {
    let fields = |Instruction { code, jt, jf, k }| (code, jt, jf, k);
    let filters = || asked().iter().map(|list| filter(TABLE, list).into_iter().map(fields).collect()).collect();
    stage.report(Call::TheFunction, try_it(|| Ok(Said::Filters(filters()))));
    let ended = apart(|| {
        let said = try_it(|| Ok(Said::Lines(behind(&filter(TABLE, &NEEDED.map(|number| number as u32))))));
        stage.report(Call::BehindTheFilter, said);
    });
    if let Some(ended) = ended {
        let how = match ended {
            WaitStatus::Signaled(_, signal, _) => format!("is killed by {signal}"),
            other => format!("ends: {other:?}"),
        };
        stage.report(Call::BehindTheFilter, Outcome::Done(Said::Lines(vec![how])));
    }
}

/// Goes behind the filter, and says what becomes of a call that it allows, and of one that it does not.
fn behind(filter: &[Instruction]) -> Vec<String> {
    let raw = |&Instruction { code, jt, jf, k }: &Instruction| libc::sock_filter { code, jt, jf, k };
    let program: Vec<libc::sock_filter> = filter.iter().map(raw).collect();
    let parent = nix::unistd::getppid();
    let installed = kernel::no_new_privs("a filter is for those who gain nothing by it")
        .and_then(|()| kernel::seccomp(&program, 0, "the answer's", "to live behind it"));
    if let Err(error) = installed {
        return vec![format!(
            "not installed: {}",
            error.errno().map_or_else(String::new, |errno| format!("{errno:?}"))
        )];
    }
    let passes = nix::unistd::getppid() == parent;
    let mut name = std::mem::MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: the structure is what the call fills in.
    let refused = Errno::result(unsafe { libc::syscall(libc::SYS_uname, name.as_mut_ptr()) });
    let refused = refused.map_or_else(|errno| format!("{errno:?}"), |_| "passes".into());
    vec![if passes { "passes".into() } else { "goes wrong".into() }, refused]
}
