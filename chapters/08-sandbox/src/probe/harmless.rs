//! Arguments with which any system call may be made, by anybody, on any machine.
//!
//! For nearly all of them that is -1 all over: no open descriptor has this number, no address of a process can be read
//! there, no process or group has it as its id, no flags have all bits, no length fits. So the kernel has something to
//! refuse, and it does so after it has checked who asks where that is the first check. The exceptions are below.

/// How to try a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// With these arguments.
    With([u64; 6]),
    /// Not at all.
    Not,
}

const BAD: u64 = u64::MAX;

/// How to try the call of this name.
pub fn harmless(name: &str) -> Try {
    let [a, b, c] = match name {
        // They make a process, end one, or never come back; and what is left after all that says nothing.
        "fork" | "vfork" | "clone" | "exit" | "exit_group" | "pause" | "rt_sigreturn" => return Try::Not,
        // They would do what they are for: hang up a terminal, write out every disk.
        "vhangup" | "sync" => return Try::Not,
        // The child has done it: it leads a session.
        "setsid" => return Try::Not,
        // Pid -1 is everybody. This one is nobody, and signal 0 is none.
        "kill" => [i32::MAX as u64, 0, 0],
        // A key that nobody has, without the flag that makes an object for it.
        "msgget" | "shmget" | "semget" => [KEY, 0, 0],
        // ENOSYS is also what they say to an operation that they do not know, so: read nothing, wake nobody.
        "modify_ldt" => [0, BAD, 0],
        "futex" => [BAD, libc::FUTEX_WAKE as u64, 0],
        // "What is it?" Filters often allow no more, and compare 32 bits or 64.
        "personality" => [0xffff_ffff, BAD, BAD],
        // A module of no bytes: the kernel would try to get memory for the length before it reads.
        "init_module" => [BAD, 0, BAD],
        _ => [BAD; 3],
    };
    Try::With([a, b, c, BAD, BAD, BAD])
}

/// Of System V IPC.
const KEY: u64 = 0x7f6e_6278;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hurt_is_not_done() {
        assert_eq!(harmless("vhangup"), Try::Not);
        let Try::With([pid, signal, ..]) = harmless("kill") else { panic!("kill can be tried") };
        assert_eq!((pid as i32, signal), (i32::MAX, 0));
        // With -1 for flags it would make a message queue.
        let Try::With([_, flags, ..]) = harmless("msgget") else { panic!("msgget can be tried") };
        assert_eq!(flags as i32 & libc::IPC_CREAT, 0);
    }
}
