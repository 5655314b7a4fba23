//! Deeds of one call.

use nix::errno::Errno;

use super::Single;
use super::memory::{pair, text, words, zeros};

fn may(name: &'static str, number: libc::c_long, given: &[u64]) -> Single {
    let mut arguments = [0; 5];
    arguments[..given.len()].copy_from_slice(given);
    Single { name, number, arguments, agreed: None }
}

/// This error says that the caller may.
fn agreed(errno: Errno, single: Single) -> Single {
    Single { agreed: Some(errno), ..single }
}

/// A negative number as an argument.
fn minus(number: i64) -> u64 {
    -number as u64
}

pub(super) fn all() -> Vec<Single> {
    [sockets(), namespaces(), kernel(), files(), machine(), itself()].into_iter().flatten().collect()
}

fn sockets() -> Vec<Single> {
    let socket = |name, family: i32, kind: i32, protocol: i32| {
        may(name, libc::SYS_socket, &[family as u64, (kind | libc::SOCK_CLOEXEC) as u64, protocol as u64])
    };
    let all = i32::from(u16::to_be(libc::ETH_P_ALL as u16));
    // A family that the kernel has no module for is still one that the filter lets pass.
    let module = |single| agreed(Errno::EAFNOSUPPORT, single);
    vec![
        socket("socket(AF_UNIX)", libc::AF_UNIX, libc::SOCK_STREAM, 0),
        socket("socket(AF_INET)", libc::AF_INET, libc::SOCK_STREAM, 0),
        socket("socket(AF_INET, SOCK_RAW)", libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP),
        socket("socket(AF_PACKET, SOCK_RAW)", libc::AF_PACKET, libc::SOCK_RAW, all),
        socket("socket(AF_NETLINK, NETLINK_ROUTE)", libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE),
        socket("socket(AF_NETLINK, NETLINK_AUDIT)", libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_AUDIT),
        module(socket("socket(AF_ALG)", libc::AF_ALG, libc::SOCK_SEQPACKET, 0)),
        module(socket("socket(AF_VSOCK)", libc::AF_VSOCK, libc::SOCK_STREAM, 0)),
    ]
}

fn namespaces() -> Vec<Single> {
    let new_user = libc::CLONE_NEWUSER as u64;
    let clone3 = words(&[new_user, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0]);
    let unshare = |name, flag: libc::c_int| may(name, libc::SYS_unshare, &[flag as u64]);
    vec![
        may("clone(CLONE_NEWUSER)", libc::SYS_clone, &[new_user | libc::SIGCHLD as u64]),
        may("clone3(CLONE_NEWUSER)", libc::SYS_clone3, &[clone3, 64]),
        unshare("unshare(CLONE_NEWUSER)", libc::CLONE_NEWUSER),
        unshare("unshare(CLONE_NEWNS)", libc::CLONE_NEWNS),
        unshare("unshare(CLONE_NEWPID)", libc::CLONE_NEWPID),
        unshare("unshare(CLONE_NEWNET)", libc::CLONE_NEWNET),
        unshare("unshare(CLONE_NEWUTS)", libc::CLONE_NEWUTS),
        unshare("unshare(CLONE_NEWIPC)", libc::CLONE_NEWIPC),
        unshare("unshare(CLONE_NEWCGROUP)", libc::CLONE_NEWCGROUP),
        unshare("unshare(CLONE_NEWTIME)", libc::CLONE_NEWTIME),
    ]
}

/// Parts of the kernel with a history of holes.
fn kernel() -> Vec<Single> {
    const BPF_MAP_CREATE: u64 = 0;
    const BPF_MAP_TYPE_ARRAY: u32 = 2;
    /// `perf_event_attr.exclude_kernel` and `exclude_hv`.
    const EXCLUDE: u64 = 1 << 5 | 1 << 6;
    const PERF_TYPE_SOFTWARE: u32 = 1;
    const UFFD_USER_MODE_ONLY: u64 = 1;
    let map = words(&[pair(BPF_MAP_TYPE_ARRAY, 4), pair(4, 1), 0, 0, 0, 0, 0, 0, 0]);
    let clock = words(&[pair(PERF_TYPE_SOFTWARE, 64), 0, 0, 0, 0, EXCLUDE, 0, 0]);
    let (kind, key) = (text(c"user"), text(c"probe"));
    let (process_keyring, session_keyring) = (minus(2), minus(3));
    vec![
        may("io_uring_setup", libc::SYS_io_uring_setup, &[1, zeros()]),
        may("bpf(BPF_MAP_CREATE)", libc::SYS_bpf, &[BPF_MAP_CREATE, map, 72]),
        may("perf_event_open(own user code)", libc::SYS_perf_event_open, &[clock, 0, minus(1), minus(1)]),
        may("userfaultfd", libc::SYS_userfaultfd, &[0]),
        may("userfaultfd(USER_MODE_ONLY)", libc::SYS_userfaultfd, &[UFFD_USER_MODE_ONLY]),
        may("add_key(process keyring)", libc::SYS_add_key, &[kind, key, key, 1, process_keyring]),
        agreed(Errno::ENOKEY, may("request_key", libc::SYS_request_key, &[kind, key])),
        may("keyctl(GET_KEYRING_ID)", libc::SYS_keyctl, &[0, session_keyring, 0]),
    ]
}

fn files() -> Vec<Single> {
    const OPEN_TREE_CLONE: u64 = 1;
    let root = text(c"/");
    let here = minus(i64::from(-libc::AT_FDCWD));
    let (none, nowhere) = (text(c"no-such-file-system"), text(c"/dev/no-such-device"));
    vec![
        // Whoever may mount is told that there is no such file system.
        agreed(Errno::ENODEV, may("mount", libc::SYS_mount, &[none, root, none])),
        may("fsopen(tmpfs)", libc::SYS_fsopen, &[text(c"tmpfs"), 0]),
        may("open_tree(OPEN_TREE_CLONE)", libc::SYS_open_tree, &[here, root, OPEN_TREE_CLONE]),
        may("chroot", libc::SYS_chroot, &[root]),
        may("fanotify_init", libc::SYS_fanotify_init, &[0, 0]),
        // Not everybody learns whether there is such a device.
        agreed(Errno::ENOENT, may("quotactl(Q_GETINFO)", libc::SYS_quotactl, &[0x8000_0500, nowhere, 0, zeros()])),
    ]
}

/// What belongs to the whole machine.
fn machine() -> Vec<Single> {
    const SYSLOG_ACTION_READ_ALL: u64 = 3;
    let name = nix::unistd::gethostname().unwrap_or_default().into_encoded_bytes().leak();
    let (name, length) = (name.as_ptr() as u64, name.len() as u64);
    vec![
        may("syslog(READ_ALL)", libc::SYS_syslog, &[SYSLOG_ACTION_READ_ALL, zeros(), 1]),
        // No time and no zone: whoever may, has changed nothing.
        may("settimeofday", libc::SYS_settimeofday, &[0, 0]),
        may("sethostname(the same)", libc::SYS_sethostname, &[name, length]),
        // Wrong magic.
        agreed(Errno::EINVAL, may("reboot", libc::SYS_reboot, &[0, 0])),
        agreed(Errno::ENOENT, may("swapoff", libc::SYS_swapoff, &[text(c"/dev/no-such-device")])),
        agreed(Errno::ENOENT, may("delete_module", libc::SYS_delete_module, &[text(c"no_such_module"), 0])),
        #[cfg(target_arch = "x86_64")]
        may("iopl(3)", libc::SYS_iopl, &[3]),
    ]
}

/// What changes only the process.
fn itself() -> Vec<Single> {
    const READ_IMPLIES_EXEC: u64 = 0x0040_0000;
    const PER_LINUX32: u64 = 8;
    const ADDR_NO_RANDOMIZE: u64 = 0x0004_0000;
    let nobody = 65534;
    let first = words(&[1]);
    vec![
        may("personality(PER_LINUX32)", libc::SYS_personality, &[PER_LINUX32]),
        may("personality(ADDR_NO_RANDOMIZE)", libc::SYS_personality, &[ADDR_NO_RANDOMIZE]),
        may("personality(READ_IMPLIES_EXEC)", libc::SYS_personality, &[READ_IMPLIES_EXEC]),
        may("setresuid(nobody)", libc::SYS_setresuid, &[nobody, nobody, nobody]),
        may("setgroups(none)", libc::SYS_setgroups, &[0, 0]),
        may("sched_setscheduler(SCHED_FIFO)", libc::SYS_sched_setscheduler, &[0, libc::SCHED_FIFO as u64, first]),
    ]
}
