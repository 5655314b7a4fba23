//! A container's start. [`start`] is what happens outside, [`prepare`] what happens inside: read these two as the
//! table of contents of the course.

use std::os::fd::AsFd;

use anyhow::{Context, Result, bail};
use cgroups::Group;
use chroot::inside::Root;
use look::Namespaces;
use look::kernel::{self, CloneFlags};
use look::tell::{self, chapter};
use namespaces::{Init, Process};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use sandbox::shim::Shim;

use crate::Stages;
use crate::container::Container;
use crate::container::channel::{Channel, Message};
use crate::container::execute::{self, Failure, Ready, execute};
use crate::container::plan::Plan;
use crate::container::signals::{Interrupted, Signals};
use crate::container::stdio::{Inside, Outside, Stdio};
use crate::container::{OWN_ERROR, resolver, root, signals, user, volumes};

/// How a start went.
pub enum Started {
    /// The command runs.
    Running(Running),
    /// It does not.
    Failed(Failure),
}

/// A container whose command runs.
pub struct Running {
    /// Its first process.
    pub process: Process,
    /// The outer ends of its standard streams.
    pub stdio: Outside,
    /// The signals that came for it.
    pub signals: Signals,
}

/// Starts the command of `plan` in `container`, and waits until it runs or has failed to. `group` are its cgroups.
///
/// Errors: what Tinbox itself could not do; and [`Interrupted`], if a signal came before the command ran. In both cases
/// no process of the container is left.
pub fn start(plan: &Plan, container: &Container, group: Option<&Group>, stages: &Stages) -> Result<Started> {
    let mut signals = Signals::catch()?;
    let stdio = Stdio::new(plan)?;
    let (outside, inside) = Channel::pair()?;
    let hosts = tell::is_on().then(|| (stages.namespaces_of)(Pid::this())).and_then(Result::ok);
    chapter(2, || plan.sharing.join_before())?;
    let mut theirs = Some((stdio.inside, inside));
    let mut outside = Some(outside);
    let mut child = || {
        container.is_looked_after_by_the_parent();
        drop(outside.take());
        theirs
            .take()
            .map_or(OWN_ERROR, |(stdio, channel)| become_command(plan, group, stages, stdio, channel, hosts.as_ref()))
    };
    let born_in = group.and_then(Group::born_in);
    let process = chapter(2, || (stages.spawn)(plan.sharing.own, born_in, &mut child))?;
    drop(theirs);
    let outside = outside.context("the child alone gives it away")?;
    let mut stdio = stdio.outside;
    let running = chapter(2, || plan.sharing.lend_ids(&process, &outside))
        .and_then(|()| wait_until_it_runs(&outside, &mut stdio, plan, &mut signals));
    match running.inspect_err(|_| process.end())? {
        None => Ok(Started::Running(Running { process, stdio, signals })),
        Some(failure) => {
            process.reap()?;
            Ok(Started::Failed(failure))
        }
    }
}

/// Waits for what comes from inside: perhaps a terminal, then silence when the command runs, or why it does not.
fn wait_until_it_runs(
    outside: &Channel,
    stdio: &mut Outside,
    plan: &Plan,
    signals: &mut Signals,
) -> Result<Option<Failure>> {
    loop {
        wait_for_word(outside, signals)?;
        match outside.receive()? {
            Message::Terminal(terminal) => stdio.set_terminal(terminal, plan.interactive)?,
            Message::Failed(failure) => return Ok(Some(failure)),
            Message::Refused(errno) => {
                return Ok(Some(execute::explain(&plan.command[0].to_string_lossy(), errno)));
            }
            Message::Closed => return signals.for_the_command().map(|()| None),
        }
    }
}

/// Waits until something comes from inside. To copy an image may take long, so a signal ends the wait, as an error.
fn wait_for_word(outside: &Channel, signals: &Signals) -> Result<()> {
    loop {
        let mut waits = [outside.as_fd(), signals.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        match poll(&mut waits, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            polled => polled.context("poll")?,
        };
        // Should the command run already, the signal is for it.
        if waits[0].any().unwrap_or(true) {
            return Ok(());
        }
        if let Some(signal) = signals.next()? {
            bail!(Interrupted(signal));
        }
    }
}

/// The life of the process inside until it is the command. If it comes back, then with the status of a failure.
fn become_command(
    plan: &Plan,
    group: Option<&Group>,
    stages: &Stages,
    stdio: Inside,
    channel: Channel,
    hosts: Option<&Namespaces>,
) -> u8 {
    match prepare(plan, group, stages, stdio, &channel) {
        Err(error) => say(&channel, &Failure::own(&error)),
        Ok(ready) => {
            hosts.inspect(|hosts| compare(hosts, stages));
            if plan.init { be_init(plan, &ready, channel, stages) } else { become_program(plan, &ready, &channel) }
        }
    }
}

fn become_program(plan: &Plan, ready: &Ready, channel: &Channel) -> u8 {
    match signals::reset() {
        Ok(()) => say(channel, &chapter(8, || execute(plan, ready, channel))),
        Err(error) => say(channel, &Failure::own(&error)),
    }
}

/// Stays, as number 1, and has the command as a child.
fn be_init(plan: &Plan, ready: &Ready, channel: Channel, stages: &Stages) -> u8 {
    let begun = chapter(2, || {
        let init = Init::new()?;
        let main = init.start(&mut || become_program(plan, ready, &channel))?;
        Ok((init, main))
    });
    match begun {
        Err(error) => say(&channel, &Failure::own(&look::Error::into(error))),
        Ok((init, main)) => {
            drop(channel);
            init.close_all_else();
            // Nothing is dropped, since it is closed already.
            std::process::exit(init.look_after(main.pid(), stages.reap).unwrap_or(OWN_ERROR).into())
        }
    }
}

/// Sends a failure out. If nobody is left to hear it, the exit status says the same.
fn say(channel: &Channel, failure: &Failure) -> u8 {
    let _ = channel.send_failure(failure);
    failure.status
}

// ANCHOR: prepare
/// All that makes this process a container, in order.
fn prepare(plan: &Plan, group: Option<&Group>, stages: &Stages, stdio: Inside, channel: &Channel) -> Result<Ready> {
    umask(Mode::empty());
    chapter(2, || kernel::die_with_parent("if tinbox is killed now, nobody needs what this makes"))?;
    channel.check()?;
    chapter(2, || plan.sharing.take_ids(channel))?;
    kernel::dumpable(false, "a neighbour inside cannot look at this process, nor reach its program")?;
    chapter(3, || enter_group(plan, group))?;
    chapter(2, || plan.sharing.settle())?;
    chapter(4, || root::mount(plan, stages))?;
    let tree = Root::new(&plan.mount_point)?;
    let user = user::find(plan, &tree)?;
    let privileges = plan.sandbox.privileges(&user, &plan.groups, &plan.sharing, &tree)?;
    chapter(5, || volumes::furnish(&tree, plan))?;
    chapter(8, || plan.sandbox.furnish(&tree, &plan.sharing))?;
    chapter(6, || resolver::furnish(&tree, plan))?;
    chapter(0, || stdio.connect(&tree, user::other_than_root(plan, &user), channel))?;
    chapter(8, || plan.sandbox.protect(&tree, stages))?;
    chapter(1, || (stages.enter_root)(&plan.mount_point)).context("enter the container's root")?;
    chapter(2, || own_name(plan))?;
    chapter(1, || enter_workdir(plan))?;
    chapter(8, || plan.sandbox.seal())?;
    let shim = Shim::new()?;
    chapter(8, || kernel::close_on_exec_from(3, "no file of the host stays open in the container"))?;
    chapter(8, || plan.sandbox.close(&privileges, &plan.sharing, stages))?;
    chapter(2, || {
        kernel::die_with_parent("again, since a change of ids undid it: if tinbox is killed, so is what it looks after")
    })?;
    // It may have been killed before that was said.
    channel.check()?;
    // What programs in images count on, whatever the caller has.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    Ok(Ready { shim, env: user::environment(plan, &user)? })
}
// ANCHOR_END: prepare

/// Moves into the container's cgroups, which then look like the top ones.
fn enter_group(plan: &Plan, group: Option<&Group>) -> Result<()> {
    if let Some(group) = group {
        group.join()?;
    }
    match plan.own_cgroups {
        true => Ok(kernel::unshare(CloneFlags::CLONE_NEWCGROUP, "its own cgroup is the top one that it sees")?),
        false => Ok(()),
    }
}

fn own_name(plan: &Plan) -> Result<()> {
    match &plan.hostname {
        Some(name) => Ok(kernel::sethostname(name, "its name, in its own UTS namespace")?),
        None => Ok(()),
    }
}

/// Stands where the command is to start; makes the directory if it is missing, as docker does.
///
/// What the caller left open is still open here, and a magic link such as `/proc/self/fd/9` would be a door to it, out
/// of the root (CVE-2024-21626). None is followed, neither of the path itself nor by way of a symlink in the image.
fn enter_workdir(plan: &Plan) -> Result<()> {
    let mode = Mode::from_bits_truncate(0o755);
    let made = Root::new("/".as_ref())?.create_dir_all_told(&plan.workdir, mode, "the image lacks it");
    let failed = |errno| look::Error::call("openat2", images::shown(plan.workdir.as_bytes()), errno);
    let directory = made.map_err(failed).context("the working directory")?;
    Ok(kernel::fchdir(directory.as_fd(), &plan.workdir, "where the command starts")?)
}

/// Tells, from the kernel's own records, what this process has of its own and what it shares with the host.
fn compare(hosts: &Namespaces, stages: &Stages) {
    if let Ok(own) = (stages.namespaces_of)(Pid::this()) {
        let (shared, own): (Vec<_>, Vec<_>) = own.keys().partition(|kind| own.get(kind) == hosts.get(kind));
        tell::compared(&tell::Comparison { own, shared });
    }
}
