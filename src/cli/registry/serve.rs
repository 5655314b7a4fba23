//! `tinbox registry serve`: shares the local images with other machines.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};

use crate::Stages;
use crate::cli::dispatch::{Group, Verb};
use crate::cli::options::flag;
use crate::lent_ids::as_root_of_lent_ids;
use crate::registry::serve::Server;
use crate::say::print;
use crate::state::State;

/// Where registries listen.
const PORT: u16 = 5000;

/// What there is about registries of one's own.
pub const GROUP: Group = Group {
    name: "registry",
    about: "Be a registry",
    verbs: &[Verb {
        name: "serve",
        about: "Share the images of this machine with others, until Ctrl-C",
        command,
        run,
        on_error: 1,
    }],
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
                .help("Where others reach it; 0.0.0.0 stands for all addresses of this machine"),
            flag("writable", "Let others push, too: whoever reaches it can fill the disk, and move tags"),
        ])
        .after_help(
            "All images that have a name are shared, over plain HTTP and with everybody who can reach the address. What is \
             pushed is called localhost:PORT/… here.\n\nExamples:\n  \
             tinbox registry serve                                this machine only\n  \
             tinbox registry serve --listen 0.0.0.0:5000          the whole room\n  \
             tinbox registry serve --listen :5000 --writable      the whole room, to hand in work, too",
        )
}

/// `ADDRESS:PORT`, `:PORT`, or `ADDRESS` alone.
fn address(text: &str) -> Result<SocketAddr, String> {
    let any =
        || text.strip_prefix(':').and_then(|port| Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port.parse().ok()?))));
    let alone = || text.parse::<IpAddr>().ok().map(|ip| SocketAddr::from((ip, PORT)));
    text.parse()
        .ok()
        .or_else(any)
        .or_else(alone)
        .ok_or_else(|| "it should be ADDRESS:PORT, such as 0.0.0.0:5000".into())
}

fn run(matches: &ArgMatches, stages: &Stages) -> Result<ExitCode> {
    let address = *matches.get_one::<SocketAddr>("listen").context("--listen has a default")?;
    let writable = matches.get_flag("writable");
    let images = State::open()?.images();
    let mut serve = || {
        let server = Server::open(address, &images, writable.then_some(stages.apply_layer))?;
        announce(&server, writable)?;
        server.run();
        Ok(ExitCode::SUCCESS)
    };
    // Only what unpacks gives files away.
    if writable { as_root_of_lent_ids(&mut serve) } else { serve() }
}

/// Says what is shared, and what to type elsewhere.
fn announce(server: &Server, writable: bool) -> Result<()> {
    let address = server.address();
    let images = server.catalog()?.listed();
    let host = host(address);
    let mode = if writable { "to read and to write" } else { "read-only" };
    print(&format!("Sharing {} image(s) on http://{host}, {mode}. Ctrl-C ends it.\n", images.len()))?;
    images.iter().try_for_each(|image| print(&format!("  {image}")))?;
    let example = images.first().map_or("IMAGE", |image| image);
    print(&format!(
        "\nOn {}:\n\n  \
         tinbox pull --tls-verify=false {host}/{example}\n  \
         podman pull --tls-verify=false {host}/{example}\n  \
         docker pull {host}/{example}",
        if address.ip().is_loopback() { "this machine" } else { "another machine" },
    ))?;
    if address.ip().is_loopback() {
        print("\nNo other machine can reach it: --listen 0.0.0.0:5000 shares it with the room.")
    } else {
        print(&format!(
            "\ndocker wants to be told in /etc/docker/daemon.json: {{ \"insecure-registries\": [\"{host}\"] }}"
        ))
    }
}

/// How others reach `address`.
fn host(address: SocketAddr) -> String {
    let unspecified = address.ip().is_unspecified();
    let ip = if unspecified { own_address(address).unwrap_or(address.ip()) } else { address.ip() };
    SocketAddr::new(ip, address.port()).to_string()
}

/// The address that this machine sends from: nothing is sent, but the kernel says which one it would be.
fn own_address(listening: SocketAddr) -> Option<IpAddr> {
    let outside = if listening.is_ipv4() { "192.0.2.1:9" } else { "[2001:db8::1]:9" };
    let socket = UdpSocket::bind(SocketAddr::new(listening.ip(), 0)).ok()?;
    socket.connect(outside).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
