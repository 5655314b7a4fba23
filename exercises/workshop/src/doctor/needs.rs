//! What an exercise asks of a machine, and whether this one has it.

use serde::{Deserialize, Serialize};

use super::child::{Attempt, Refusal, in_child};
use super::finding::{Advice, Finding, Subject};
use super::machine::Machine;
use super::{
    deletions, id_ranges, kernel_calls, mount_namespace, network, new_proc, overlay, own_cgroup, user_namespace,
};

/// Something that an exercise cannot be done without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// The system calls that the chapters up to here make.
    KernelCalls,
    /// A cgroup of v2 in which others can be made and moved into, whatever its controllers.
    OwnCgroup,
    /// To become other users: the ids of an ordinary user's ranges.
    OtherIds,
    /// To be root of something: of the machine, or as an ordinary user of a user namespace.
    UserNamespaces,
    /// A mount namespace of one's own in which file systems can be mounted. Includes the user namespace.
    MountNamespaces,
    /// To note deletions as overlayfs does. Includes the mount namespace.
    Deletions,
    /// An overlay on a tmpfs. Includes the mount namespace.
    Overlays,
    /// A network namespace with a loopback that works. Includes the user namespace.
    NetworkNamespaces,
    /// A PID namespace with a new `/proc` for it. Includes the mount namespace.
    NewProc,
}

/// A requirement that is not met, and what the kernel said when it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The first that is not; what builds on it was not tried.
    pub needs: Requirement,
    /// The kernel's answer.
    pub refusal: Refusal,
}

impl Requirement {
    /// All, each after those that it includes.
    const ALL: [Requirement; 9] = [
        Requirement::KernelCalls,
        Requirement::OwnCgroup,
        Requirement::OtherIds,
        Requirement::UserNamespaces,
        Requirement::MountNamespaces,
        Requirement::Deletions,
        Requirement::Overlays,
        Requirement::NetworkNamespaces,
        Requirement::NewProc,
    ];

    /// Whether a machine that meets this must have met `other` on the way.
    fn includes(self, other: Requirement) -> bool {
        let directly = match self {
            Requirement::KernelCalls | Requirement::OwnCgroup | Requirement::OtherIds | Requirement::UserNamespaces => {
                None
            }
            Requirement::MountNamespaces | Requirement::NetworkNamespaces => Some(Requirement::UserNamespaces),
            Requirement::Deletions | Requirement::Overlays | Requirement::NewProc => Some(Requirement::MountNamespaces),
        };
        self == other || directly.is_some_and(|included| included.includes(other))
    }

    /// Goes one step further in this process, after the steps for what this includes.
    fn step(self) -> Attempt {
        match self {
            Requirement::KernelCalls => kernel_calls::make(),
            Requirement::OwnCgroup => own_cgroup::make(),
            Requirement::OtherIds => id_ranges::become_another(),
            Requirement::UserNamespaces => user_namespace::enter(),
            Requirement::MountNamespaces => mount_namespace::enter(),
            Requirement::Deletions => deletions::note(),
            Requirement::Overlays => overlay::stack_in_memory(),
            Requirement::NetworkNamespaces => network::enter(),
            Requirement::NewProc => new_proc::enter(),
        }
    }

    /// Why the kernel refuses it here.
    fn why(self, refusal: &Refusal, machine: &Machine) -> Advice {
        match self {
            Requirement::KernelCalls => kernel_calls::why(refusal, machine),
            Requirement::OwnCgroup => own_cgroup::why(refusal, machine),
            Requirement::OtherIds => id_ranges::why_not(refusal, machine),
            Requirement::UserNamespaces => user_namespace::why(refusal, machine),
            Requirement::MountNamespaces => mount_namespace::why(refusal, machine),
            Requirement::Deletions => deletions::why(refusal, machine),
            Requirement::Overlays => overlay::why_not_in_memory(refusal, machine),
            Requirement::NetworkNamespaces => network::why(refusal, machine),
            Requirement::NewProc => new_proc::why(refusal, machine),
        }
    }

    /// What the doctor calls it.
    fn name(self) -> &'static str {
        match self {
            Requirement::KernelCalls => "kernel calls",
            Requirement::OwnCgroup => "own cgroup",
            Requirement::OtherIds => "id ranges",
            Requirement::UserNamespaces => "user namespace",
            Requirement::MountNamespaces => "mount namespace",
            Requirement::Deletions => "deletions",
            Requirement::Overlays => "layers",
            Requirement::NetworkNamespaces => "network namespace",
            Requirement::NewProc => "new /proc",
        }
    }

    /// The first chapter that asks for it.
    fn first_chapter(self) -> u8 {
        match self {
            Requirement::OwnCgroup => 3,
            Requirement::Deletions | Requirement::Overlays => 4,
            Requirement::OtherIds => 8,
            _ => 1,
        }
    }

    /// Tries it alone, for the doctor's table.
    pub fn probe(self, did: &'static str, works: &str, machine: &Machine) -> Finding {
        let subject = Subject { name: self.name(), did, from_chapter: self.first_chapter(), serves: Some(self) };
        match first_unmet(&[self]) {
            None => subject.ok(works),
            Some(Unmet { needs, refusal }) => subject.blocked(&refusal, needs.why(&refusal, machine)),
        }
    }
}

/// Tries everything that `needs` come to, in one child, and leaves nothing behind.
fn first_unmet(needs: &[Requirement]) -> Option<Unmet> {
    let needed = |step: &Requirement| needs.iter().any(|needs| needs.includes(*step));
    let try_them = || {
        let mut steps = Requirement::ALL.into_iter().filter(needed);
        Ok(steps.find_map(|needs| needs.step().err().map(|refusal| Unmet { needs, refusal })))
    };
    in_child(try_them).unwrap_or_else(|refusal| Some(Unmet { needs: *needs.first()?, refusal }))
}

/// Why an exercise cannot be checked on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// What is missing.
    pub needs: Requirement,
    /// What the kernel said when it was tried.
    pub said: String,
    /// The cause and the way out.
    #[serde(flatten)]
    pub advice: Advice,
}

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.said)?;
        write!(f, "{}", self.advice.means)?;
        for line in self.advice.fix.iter().flat_map(|command| command.lines()) {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

/// The first of `needs` that this machine does not meet, tried in this moment.
///
/// It costs a fork or two and a few system calls; the cause is looked for only when there is one.
pub fn blocked_by(needs: &[Requirement]) -> Option<Blocked> {
    let Unmet { needs, refusal } = first_unmet(needs)?;
    let advice = needs.why(&refusal, &Machine::here());
    Some(Blocked { needs, said: refusal.to_string(), advice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_includes_what() {
        let all_in = |needs: Requirement| {
            let included = Requirement::ALL.into_iter().filter(|other| needs.includes(*other));
            included.map(Requirement::name).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(all_in(Requirement::KernelCalls), "kernel calls");
        assert_eq!(all_in(Requirement::NetworkNamespaces), "user namespace, network namespace");
        assert_eq!(all_in(Requirement::NewProc), "user namespace, mount namespace, new /proc");
        assert_eq!(all_in(Requirement::Overlays), "user namespace, mount namespace, layers");
    }
}
