//! How processes hang together: what /proc says about parents, children and numbers.

use nix::unistd::Pid;

/// A child of a process.
pub(crate) struct Kin {
    pub(crate) pid: Pid,
    /// It has ended, and nobody has collected it.
    pub(crate) zombie: bool,
}

/// The children of `parent`.
pub(crate) fn children(parent: Pid) -> Vec<Kin> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let kin = |number: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // `42 (name) S 1 …`, and a name may have blanks and brackets.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let (state, of) = (fields.next()?, fields.next()?.parse().ok()?);
        (parent == Pid::from_raw(of)).then(|| Kin { pid: Pid::from_raw(number), zombie: state == "Z" })
    };
    pids.filter_map(kin).collect()
}

/// How many of the children of `parent` are zombies.
pub(crate) fn zombies(parent: Pid) -> usize {
    children(parent).iter().filter(|child| child.zombie).count()
}

/// The numbers of a process, one for each PID namespace that it is in, the grader's first and its own last.
pub(crate) fn numbers(pid: Pid) -> Vec<i32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    line.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// The process that is `number` to `observer`.
pub(crate) fn number_to(observer: Pid, pid: Pid) -> Option<i32> {
    let depth = numbers(observer).len();
    numbers(pid).get(depth.checked_sub(1)?).copied()
}

/// Whether `pid` sits in wait4(2) or waitid(2) and nothing will ever end that: all of its children run, and each is
/// one that `held` knows to hold still.
pub(crate) fn waits_in_vain(pid: Pid, held: impl Fn(Pid) -> bool) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = call.split(' ').next().and_then(|number| number.parse::<i64>().ok());
    let waits = number.is_some_and(|number| [libc::SYS_wait4, libc::SYS_waitid].contains(&number));
    waits && children(pid).iter().all(|child| !child.zombie && held(child.pid))
}

/// The PID namespace that the children of `pid` will be born into.
pub(crate) fn for_children(pid: Pid) -> std::io::Result<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/pid_for_children"))
}
