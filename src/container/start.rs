//! A container's start. [`start`] is what happens outside, [`prepare`] what happens inside: read these two as the
//! table of contents of the course.

use std::process;

use anyhow::{Context, Result};
use chroot::inside::Root;
use look::Namespaces;
use look::kernel::{self, CloneFlags, Cloned};
use look::tell::{self, chapter};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::signalfd::SignalFd;
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;

use crate::Stages;
use crate::container::channel::{Channel, Message};
use crate::container::execute::{Failure, execute};
use crate::container::plan::Plan;
use crate::container::process::Process;
use crate::container::stdio::{Inside, Outside, Stdio};
use crate::container::{devices, privileges, root, supervise};

/// How a start went.
pub enum Started {
    /// The command runs.
    Running(Running),
    /// It does not.
    Failed(Failure),
}

/// A container whose command runs.
pub struct Running {
    /// Its first process, as it is known outside.
    pub pid: Pid,
    /// The same, by descriptor.
    pub process: Process,
    /// The outer ends of its standard streams.
    pub stdio: Outside,
    /// The signals that came for it.
    pub signals: SignalFd,
}

/// Starts the command of `plan` in a container of its own, and waits until it runs or has failed to.
pub fn start(plan: &Plan, stages: &Stages) -> Result<Started> {
    let signals = supervise::catch_signals()?;
    let stdio = Stdio::new(plan)?;
    let (outside, inside) = Channel::pair()?;
    let hosts = tell::is_on().then(|| (stages.namespaces_of)(Pid::this())).and_then(Result::ok);
    let cloned = chapter(2, || kernel::clone3(namespaces(plan), "a process that will see a machine of its own"))?;
    let (pid, process) = match cloned {
        Cloned::Child => {
            drop(outside);
            become_command(plan, stages, stdio.inside, &inside, hosts.as_ref())
        }
        Cloned::Parent { pid, pidfd } => (pid, Process::from_clone(pidfd)),
    };
    drop(inside);
    let mut stdio = stdio.outside;
    let failed = wait_until_it_runs(&outside, &mut stdio, plan).inspect_err(|_| process.end())?;
    if let Some(failure) = failed {
        process.reap()?;
        return Ok(Started::Failed(failure));
    }
    Ok(Started::Running(Running { pid, process, stdio, signals }))
}

/// Waits for what comes from inside: perhaps a terminal, then silence when the command runs, or why it does not.
fn wait_until_it_runs(outside: &Channel, stdio: &mut Outside, plan: &Plan) -> Result<Option<Failure>> {
    loop {
        match outside.receive()? {
            Message::Terminal(terminal) => stdio.set_terminal(terminal, plan.interactive)?,
            Message::Failed(failure) => return Ok(Some(failure)),
            Message::Closed => return Ok(None),
        }
    }
}

/// What the container has of its own. The network is still the machine's.
fn namespaces(plan: &Plan) -> CloneFlags {
    let own = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    if plan.rootless { own | CloneFlags::CLONE_NEWUSER } else { own }
}

/// The life of the process inside until it is the command. Never comes back.
fn become_command(plan: &Plan, stages: &Stages, stdio: Inside, channel: &Channel, hosts: Option<&Namespaces>) -> ! {
    let failure = match prepare(plan, stages, stdio, channel) {
        Ok(()) => {
            hosts.inspect(|hosts| compare(hosts, stages));
            chapter(2, || execute(plan))
        }
        Err(error) => Failure::own(&error),
    };
    // If nobody is left to hear it, the exit status says the same.
    let _ = channel.send_failure(&failure);
    process::exit(failure.status.into())
}

// ANCHOR: prepare
/// All that makes this process a container, in order.
fn prepare(plan: &Plan, stages: &Stages, stdio: Inside, channel: &Channel) -> Result<()> {
    umask(Mode::empty());
    chapter(2, || own_ids(plan))?;
    chapter(4, || root::mount(plan))?;
    let tree = Root::new(&plan.mount_point)?;
    chapter(1, || devices::populate(&tree, plan.rootless))?;
    chapter(0, || stdio.connect(&tree, plan, channel))?;
    chapter(1, || (stages.enter_root)(&plan.mount_point)).context("enter the container's root")?;
    chapter(2, || kernel::sethostname(&plan.hostname, "its name, in its own UTS namespace"))?;
    chapter(1, || enter_workdir(plan))?;
    chapter(8, || privileges::drop_privileges(plan))?;
    chapter(8, || kernel::close_on_exec_from(3, "no file of the host stays open in the container"))?;
    chapter(2, || kernel::die_with_parent("if tinbox is killed, so is what it looks after"))?;
    // It may have been killed before that was said.
    channel.check()?;
    // What programs in images count on, whatever the caller has.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    usual_signals()
}
// ANCHOR_END: prepare

/// In a user namespace: the user inside is the one who called `tinbox`. One id is all that can be given away
/// without help; user_namespaces(7) tells why.
fn own_ids(plan: &Plan) -> look::Result<()> {
    if !plan.rootless {
        return Ok(());
    }
    let (uid, gid) = plan.caller;
    kernel::write_map("self", "setgroups", "deny", "the kernel asks for this before a user may map a group")?;
    kernel::write_map("self", "uid_map", &format!("0 {uid} 1"), "you outside are root inside")?;
    kernel::write_map("self", "gid_map", &format!("0 {gid} 1"), "and the same for the group")
}

/// Stands where the command is to start; makes the directory if it is missing, as docker does.
fn enter_workdir(plan: &Plan) -> Result<()> {
    std::fs::create_dir_all(&plan.workdir).with_context(|| format!("make the working directory {}", plan.workdir))?;
    Ok(kernel::chdir(&plan.workdir, "where the command starts")?)
}

/// The command begins with no signal blocked and none ignored, whatever Rust, the supervisor or the caller did.
fn usual_signals() -> Result<()> {
    // The C library keeps two signals to itself, which a caller may have ignored too; so the kernel is asked directly.
    // Zero is `SIG_DFL`, without flags, in the kernel's `struct sigaction`, which is smaller than this.
    let default = [0_u64; 8];
    let no_old: *const u64 = std::ptr::null();
    for signal in 1..=64 {
        // SAFETY: the kernel reads one structure, and the default disposition runs no code of ours. It refuses KILL
        // and STOP, which are always at their default.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), no_old, size_of::<u64>()) };
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).context("unblock signals")
}

/// Tells, from the kernel's own records, what this process has of its own and what it shares with the host.
fn compare(hosts: &Namespaces, stages: &Stages) {
    if let Ok(own) = (stages.namespaces_of)(Pid::this()) {
        let (shared, own): (Vec<_>, Vec<_>) = own.keys().partition(|kind| own.get(kind) == hosts.get(kind));
        tell::compared(&tell::Comparison { own, shared });
    }
}
