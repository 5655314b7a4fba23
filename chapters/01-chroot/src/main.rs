//! `ch01-chroot`: runs a command with another directory as its root.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("ch01-chroot: {error:#}");
            ExitCode::from(125)
        }
    }
}

fn command() -> Command {
    Command::new("ch01-chroot")
        .about("Run a command with ROOT as its root directory")
        .arg(
            Arg::new("naive")
                .long("naive")
                .help("Use chroot(2) alone, which the command can walk out of")
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
                .help("The program, looked up in ROOT, and its arguments")
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .default_value("/bin/sh"),
        )
        .after_help(
            "Examples:\n  ch01-chroot rootfs                      a shell that sees rootfs as /\n  \
             ch01-chroot --naive rootfs /bin/escape sh  the same with chroot, and the way out of it",
        )
}

fn run(arguments: &ArgMatches) -> Result<ExitCode> {
    let root = arguments.get_one::<PathBuf>("root").context("ROOT is missing")?;
    anyhow::ensure!(root.is_dir(), "{} is not a directory; `cargo workshop root DIR` makes one", root.display());
    enter(root, arguments.get_flag("naive"))?;
    let command: Vec<&String> = arguments.get_many("command").context("CMD is missing")?.collect();
    Ok(execute(command[0], &command[1..]))
}

fn enter(root: &Path, naive: bool) -> Result<()> {
    if naive {
        chroot::own_user()?;
        chroot::naive_root(root)?;
    } else {
        chroot::own_mounts()?;
        chroot::enter_root(root)?;
    }
    Ok(())
}

/// Becomes the command. Comes back only if it cannot be run, with the shell's status for that.
fn execute(program: &str, arguments: &[&String]) -> ExitCode {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let error = std::process::Command::new(program).args(arguments).env("PATH", path).exec();
    eprintln!("ch01-chroot: run {program}: {error}");
    ExitCode::from(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 })
}
