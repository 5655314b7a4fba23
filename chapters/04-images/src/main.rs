//! `ch04-images`: layers by hand. Unpacks one into a directory, shows what lies there, stacks directories and runs a
//! command on them, and makes a layer of what it changed.

mod program;

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use look::tell;
use program::{files, run, show};

fn main() -> ExitCode {
    let arguments = command().get_matches();
    if arguments.get_flag("explain") {
        tell::start_on_stderr(tell::Format::Text);
    }
    let outcome = match arguments.subcommand() {
        Some(("apply", arguments)) => files::apply(arguments),
        Some(("pack", arguments)) => files::pack(arguments),
        Some(("ids", arguments)) => files::ids(arguments),
        Some(("show", arguments)) => show::show(arguments),
        Some((_, arguments)) => run::run(arguments),
        None => unreachable!("clap asks for a subcommand"),
    };
    outcome.map(ExitCode::from).unwrap_or_else(|error| {
        eprintln!("ch04-images: {error:#}");
        ExitCode::from(125)
    })
}

fn command() -> Command {
    Command::new("ch04-images")
        .about("Layers by hand: unpack them, look at them, stack them, make one")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(Arg::new("explain").long("explain").help("Tell each kernel call").action(ArgAction::SetTrue))
        .subcommand(files::apply_command())
        .subcommand(show::command())
        .subcommand(run::command())
        .subcommand(files::pack_command())
        .subcommand(files::ids_command())
        .after_help(
            "A tour, with a root that `cargo workshop root rootfs` made:\n  \
             mkdir -p edit/etc && echo hello > edit/etc/motd && touch edit/etc/.wh.passwd\n  \
             tar -C edit -cf edit.tar .                       a layer: one new file, and one deletion\n  \
             ch04-images apply edit.tar edited                how it lies in a directory\n  \
             ch04-images show edited                          what each thing there means\n  \
             ch04-images run rootfs edited -- ls /etc         both layers, as one tree\n  \
             ch04-images run --overlay box rootfs edited -- rm /etc/motd\n  \
             ch04-images pack box/upper third.tar             what that changed, as a layer\n  \
             ch04-images ids edit.tar third.tar               what they are called",
        )
}
