//! `ch08-sandbox run`: the container of chapters 1 to 3, with the sandbox around it.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cgroups::{DeviceRule, Group, options};
use chroot::inside::Root;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use look::kernel;
use look::tell;
use namespaces::alone;
use sandbox::seccomp::{self, Program, simple};
use sandbox::{Privileges, capabilities, devices, filesystems};

const NAME: &str = "ch08-sandbox";

/// The arguments.
pub fn command() -> Command {
    let list = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append).value_delimiter(',')
    };
    Command::new("run")
        .about("Run CMD with ROOT as its root, alone in the machine, within limits, in the sandbox")
        .args(options::arguments())
        .arg(list("cap-add", "CAPABILITY", "One more of root's powers, or ALL"))
        .arg(list("cap-drop", "CAPABILITY", "One less, or ALL"))
        .arg(list("only", "CALL", "Let only these kernel calls pass: the filter of exercise 8.2"))
        .arg(
            Arg::new("open")
                .long("open")
                .help("Leave the sandbox away: all powers, no filter, nothing hidden; to see what it is good for")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("root")
                .value_name("ROOT")
                .help("The directory; `cargo workshop root DIR` makes one")
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("command")
                .value_name("CMD")
                .help("The program and its arguments")
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .default_value("/bin/sh"),
        )
}

/// Does it. Answers with the command's status.
pub fn run(arguments: &ArgMatches) -> Result<u8> {
    let root = arguments.get_one::<PathBuf>("root").context("ROOT is missing")?;
    ensure!(root.is_dir(), "{} is not a directory; `cargo workshop root DIR` makes one", root.display());
    let words: Vec<String> = arguments.get_many("command").context("CMD is missing")?.cloned().collect();
    let sandbox = Sandbox::new(arguments)?;
    let caller = alone::caller();
    let rules = if caller.is_none() && sandbox.closed { Some(DeviceRule::defaults()) } else { None };
    let id = format!("ch08-{}", std::process::id());
    let limits = options::limits(arguments);
    let group = tell::chapter(3, || Group::create(&id, &limits, rules.as_deref(), cgroups::settings))?;
    let mut child = || {
        let joined = tell::chapter(3, || group.as_ref().map_or(Ok(()), Group::join));
        let settle = || alone::settle(caller.as_ref(), root, "sandbox", |root| sandbox.furnish(root, caller.is_some()));
        match joined.and_then(|()| tell::chapter(2, settle)).and_then(|()| tell::chapter(8, || sandbox.close())) {
            Ok(()) => alone::execute(NAME, &words),
            Err(error) => {
                eprintln!("{NAME}: {error}");
                125
            }
        }
    };
    let born_in = group.as_ref().and_then(Group::born_in);
    let status =
        tell::chapter(2, || namespaces::spawn(alone::namespaces(), born_in, &mut child)).and_then(|p| p.reap());
    if let Some(group) = group {
        tell::chapter(3, || group.remove())?;
    }
    Ok(status?)
}

/// What is done to the command.
struct Sandbox {
    closed: bool,
    privileges: Privileges,
    program: Program,
}

impl Sandbox {
    fn new(arguments: &ArgMatches) -> Result<Sandbox> {
        let given = |name| arguments.get_many::<String>(name).into_iter().flatten().cloned().collect::<Vec<_>>();
        let closed = !arguments.get_flag("open");
        let keep = capabilities::choose(&given("cap-add"), &given("cap-drop")).map_err(anyhow::Error::msg)?;
        let program = match given("only") {
            calls if calls.is_empty() => seccomp::default_program(keep)?,
            calls => Program::new(simple::filter(seccomp::ARCHITECTURE, &numbers(&calls)?)),
        };
        let privileges = Privileges { uid: 0, gid: 0, groups: vec![], may_set_groups: false, keep, no_new_privs: true };
        Ok(Sandbox { closed, privileges, program })
    }

    /// Mounts `/proc`, `/sys` and `/dev`, and hides what is the machine's.
    fn furnish(&self, root: &Root, rootless: bool) -> look::Result<()> {
        if !self.closed {
            return namespaces::mount_proc(root);
        }
        tell::chapter(8, || {
            filesystems::mount(root, alone::namespaces(), false)?;
            devices::populate(root, rootless, None)?;
            filesystems::protect(root, sandbox::mask)
        })
    }

    /// Gives away the rest.
    fn close(&self) -> look::Result<()> {
        if !self.closed {
            return Ok(());
        }
        kernel::close_on_exec_from(3, "no file of the host stays open")?;
        sandbox::drop_privileges(&self.privileges)?;
        seccomp::install(&self.program, "kernel calls that a container has no business with")
    }
}

fn numbers(calls: &[String]) -> Result<Vec<u32>> {
    let number = |call: &String| seccomp::number_of(call).with_context(|| format!("{call}: no such kernel call here"));
    calls.iter().map(number).collect()
}
