//! `tinbox registry serve`: shares the local images with other machines.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Arg, ArgMatches, Command};
use images::{Name, Store};

use super::listen::{address, explained};
use super::own_addresses::reached_at;
use super::screen::Screen;
use crate::Stages;
use crate::cli::dispatch::{Group, verb};
use crate::cli::options::flag;
use crate::cli::units;
use crate::lent_ids::as_root_of_lent_ids;
use crate::registry::serve::{Event, Options, PullDone, Server};
use crate::say::{print, say};
use crate::state::State;

/// What there is about registries of one's own.
pub const GROUP: Group = Group {
    name: "registry",
    about: "Be a registry",
    verbs: &[verb("serve", "Share the images of this machine with others, until Ctrl-C", command, run)],
    aliases: &[],
    help: "Example:\n  tinbox registry serve --listen 0.0.0.0:5000",
};

fn command() -> Command {
    Command::new("serve")
        .args([
            Arg::new("listen")
                .long("listen")
                .value_name("ADDRESS:PORT")
                .default_value("127.0.0.1:5000")
                .value_parser(address)
                .help("Where others reach it; 0.0.0.0, or only a port, stands for all addresses of this machine"),
            flag(
                "writable",
                "Let others push, too: whoever reaches it can use the disk, and move tags that were pushed",
            ),
            flag("quiet", "Say in one line where it is, and no more").short('q'),
            flag("debug", "Tell each request").short('D'),
            Arg::new("image").value_name("IMAGE").num_args(0..).help("The images to share [default: all]"),
        ])
        .after_help(
            "Images that have a name are shared, over plain HTTP, with everybody who can reach the address. With IMAGE, \
             those alone are: no other tag, and no layer that is not part of one of them.\n\n\
             What is pushed is called localhost:PORT/… here, and is shared, too. Whoever pushes can move such a tag, but \
             a push that would hide an image that you have by another name is refused. An image \
             for several platforms is refused, too: push one of them.\n\n\
             Examples:\n  \
             tinbox registry serve                                this machine only\n  \
             tinbox registry serve --listen 0.0.0.0:5000          the whole room\n  \
             tinbox registry serve --listen :5000 debian alpine   these two\n  \
             tinbox registry serve --listen :5000 --writable      the whole room, to hand in work, too",
        )
}

fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let address = *matches.get_one::<SocketAddr>("listen").context("--listen has a default")?;
    let [writable, quiet, debug] = ["writable", "quiet", "debug"].map(|name| matches.get_flag(name));
    let state = State::open()?;
    let wanted = matches.get_many::<String>("image").map(Iterator::collect::<Vec<_>>);
    let chosen = wanted.map(|wanted| chosen(&Store::open(&state.images()), &wanted)).transpose()?;
    let mut serve = || {
        let options = Options {
            apply: writable.then_some(stages.apply_layer),
            chosen: chosen.clone(),
            tell: Box::new(move |event| tell(event, quiet, debug)),
        };
        let server = Server::open(address, &state, options).map_err(|error| explained(error, address))?;
        let screen = screen(&server, writable)?;
        print(&if quiet { screen.short() } else { screen.text() })?;
        server.run();
        Ok(ExitCode::SUCCESS)
    };
    // Only what unpacks gives files away.
    if writable { as_root_of_lent_ids(&mut serve) } else { serve() }
}

/// The names of the images that are meant. An image by its id is shared under all its names.
fn chosen(store: &Store, wanted: &[&String]) -> Result<HashSet<Name>> {
    let mut chosen = HashSet::new();
    for wanted in wanted {
        let name = Name::parse(wanted).ok();
        if let Some(name) = name
            && store.find(&name)?.is_some()
        {
            chosen.insert(name);
            continue;
        }
        let unknown = |error| anyhow!("{error:#}\n  help: `tinbox images` lists those that are here");
        let image = store.look_up(wanted).map_err(unknown)?;
        if image.names.is_empty() {
            bail!("image {wanted} has no name to be shared by\n  help: `tinbox tag` gives it one");
        }
        chosen.extend(image.names);
    }
    Ok(chosen)
}

fn screen(server: &Server, writable: bool) -> Result<Screen> {
    let address = server.address();
    let host_name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    Ok(Screen {
        addresses: reached_at(address)?,
        port: address.port(),
        host_name: host_name.unwrap_or_else(|| "localhost".into()),
        images: server.catalog()?.listed(),
        writable,
    })
}

/// Says what happened.
fn tell(event: Event, quiet: bool, debug: bool) {
    match event {
        Event::Request { client, asked, status, length } if debug => {
            say!("{client} {} {status} {length}", images::shown(asked.as_bytes()));
        }
        Event::Pulled(PullDone { client, image, bytes }) if !quiet => {
            say!("{client} has {image} ({})", units::size(bytes));
        }
        Event::Pushed { client, image } if !quiet => say!("{client} pushed {image}"),
        _ => {}
    }
}
