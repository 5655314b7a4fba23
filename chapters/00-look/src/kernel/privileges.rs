//! Calls that give privileges away for good.

use nix::errno::Errno;
pub use nix::sys::resource::Resource;

use crate::error::Result;
use crate::status::CAPABILITIES;
use crate::tell::{told, told_times};

/// A set of capabilities, as bits by their number in capabilities(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapabilitySet(u64);

impl CapabilitySet {
    /// None of them.
    pub const NONE: CapabilitySet = CapabilitySet(0);

    /// The set of the capabilities with these names (without `CAP_`). A name that is unknown adds nothing.
    pub fn of(names: &[&str]) -> CapabilitySet {
        CapabilitySet(names.iter().filter_map(|name| bit(name)).map(|bit| 1 << bit).fold(0, |all, one| all | one))
    }

    /// All capabilities that this course knows by name.
    pub fn all() -> CapabilitySet {
        CapabilitySet((1 << CAPABILITIES.len()) - 1)
    }

    /// Those that are in either set.
    #[must_use]
    pub fn with(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 | other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & !other.0)
    }

    /// Whether the capability with this name (without `CAP_`) is among them.
    pub fn contains(self, name: &str) -> bool {
        bit(name).is_some_and(|bit| self.has(bit))
    }

    fn has(self, bit: usize) -> bool {
        self.0 & (1 << bit) != 0
    }

    fn names(self) -> String {
        if self == CapabilitySet::all() {
            return "all".into();
        }
        let names: Vec<_> =
            CAPABILITIES.iter().enumerate().filter(|(bit, _)| self.has(*bit)).map(|(_, n)| *n).collect();
        if names.is_empty() { "none".into() } else { names.join(" ") }
    }
}

fn bit(name: &str) -> Option<usize> {
    CAPABILITIES.iter().position(|known| *known == name)
}

/// `prctl(PR_CAPBSET_DROP)` for each capability that is not in `keep` and that this kernel knows: no execve of
/// this process or its children will ever give it back.
pub fn drop_bounding(keep: CapabilitySet, why: &str) -> Result<()> {
    let known = (0..64).take_while(|bit| prctl(libc::PR_CAPBSET_READ, *bit as libc::c_ulong).is_ok());
    let dropped: Vec<usize> = known.filter(|bit| !keep.has(*bit)).collect();
    told_times(
        dropped.len(),
        "prctl",
        || format!("CAPBSET_DROP all but {}", keep.names()),
        why,
        || dropped.iter().try_for_each(|bit| prctl(libc::PR_CAPBSET_DROP, *bit as libc::c_ulong)),
    )
}

/// `prctl(PR_SET_NO_NEW_PRIVS)`: no execve gives more privileges than the process has, set-user-ID or not.
pub fn no_new_privs(why: &str) -> Result<()> {
    told("prctl", || "NO_NEW_PRIVS".into(), why, || prctl(libc::PR_SET_NO_NEW_PRIVS, 1))
}

/// `prctl(PR_SET_DUMPABLE)`: if not, `/proc/PID` of this process is the machine's root's, and nobody without power over
/// the machine may follow its links or trace it.
pub fn dumpable(dumpable: bool, why: &str) -> Result<()> {
    let value = dumpable.into();
    told("prctl", || format!("DUMPABLE {value}"), why, || prctl(libc::PR_SET_DUMPABLE, value))
}

/// `setrlimit(2)`: what this process and its children may take of one resource.
pub fn setrlimit(resource: Resource, soft: u64, hard: u64, why: &str) -> Result<()> {
    let shown = |limit: u64| match limit {
        nix::sys::resource::RLIM_INFINITY => "unlimited".into(),
        limit => limit.to_string(),
    };
    told(
        "setrlimit",
        || format!("{resource:?} {}:{}", shown(soft), shown(hard)),
        why,
        || nix::sys::resource::setrlimit(resource, soft, hard),
    )
}

fn prctl(option: libc::c_int, value: libc::c_ulong) -> nix::Result<()> {
    let zero: libc::c_ulong = 0;
    // SAFETY: these options take integers only.
    Errno::result(unsafe { libc::prctl(option, value, zero, zero, zero) }).map(drop)
}

/// `struct __user_cap_header_struct` of linux/capability.h, for this thread.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`: 32 of the bits of each set.
#[repr(C)]
#[derive(Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// `_LINUX_CAPABILITY_VERSION_3`: two halves of each set.
const VERSION_3: u32 = 0x2008_0522;

/// `capget(2)`: what this process may make effective. It only looks, and is not told.
pub fn permitted_capabilities() -> CapabilitySet {
    let mut header = Header { version: VERSION_3, pid: 0 };
    let mut halves = [Half::default(), Half::default()];
    // SAFETY: version 3 reads one header and writes two halves, both of which outlive the call.
    unsafe { libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr()) };
    CapabilitySet(u64::from(halves[0].permitted) | u64::from(halves[1].permitted) << 32)
}

/// `capset(2)`: makes `keep` the effective and permitted set, and the inheritable set empty.
pub fn set_capabilities(keep: CapabilitySet, why: &str) -> Result<()> {
    told(
        "capset",
        || keep.names(),
        why,
        || {
            let half = |bits: u64| Half { effective: bits as u32, permitted: bits as u32, inheritable: 0 };
            let mut header = Header { version: VERSION_3, pid: 0 };
            let halves = [half(keep.0), half(keep.0 >> 32)];
            // SAFETY: version 3 reads one header and two halves, both of which outlive the call.
            Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, halves.as_ptr()) }).map(drop)
        },
    )
}
