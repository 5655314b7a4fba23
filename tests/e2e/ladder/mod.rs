//! The attack ladder: the known ways out of a container, one after the other. Each attack is first shown to work
//! against a run that was weakened where it must be strong, and then to fail against the default.
//!
//! | file              | class                                                                       |
//! |-------------------|-----------------------------------------------------------------------------|
//! | `binary.rs`       | overwriting the runtime's own program through `/proc/self/exe`              |
//! | `descriptors.rs`  | what the caller left open, and `-w /proc/self/fd/N`                         |
//! | `mounts.rs`       | mount points that are symlinks, or become some in time; what is not hidden  |
//! | `privileges.rs`   | inheritable and ambient capabilities, devices, the kernel's own files       |
//! | `calls.rs`        | kernel calls: also through other tables                                     |
//! | `outside.rs`      | processes and terminals outside                                             |
//! | `accounts.rs`     | `/etc/passwd` and `/etc/group` of a hostile image; injected settings        |
//! | `state.rs`        | what others on the machine may read of its state, and plant in it           |

mod accounts;
mod binary;
mod calls;
mod descriptors;
mod mounts;
mod outside;
mod privileges;
mod state;

use crate::Test;

/// All of them.
pub fn tests() -> Vec<Test> {
    [
        binary::TESTS,
        descriptors::TESTS,
        mounts::TESTS,
        privileges::TESTS,
        calls::TESTS,
        outside::TESTS,
        accounts::TESTS,
        state::TESTS,
    ]
    .concat()
}

/// A run in which everything is open but the namespaces: where most attacks still work.
const NO_FILTER: &str = "--security-opt seccomp=unconfined";
