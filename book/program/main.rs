//! `book`: builds the book of the course, checks it, and serves it.
//!
//! mdBook turns pages into HTML. What is added here is what keeps the book true: code, transcripts, tasks and
//! figures are put into the pages from where they really are ([`mod@include`]), whatever leads nowhere fails the build
//! ([`check`]), and a small server shows the result and builds it anew when something changes ([`serve`]).

mod building;
mod check;
mod course;
mod include;
mod problem;
mod serve;
mod warnings;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command, value_parser};

use course::Course;

fn main() -> ExitCode {
    let course = Course::here();
    match run(&course, &command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("book: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let listen = Arg::new("listen")
        .long("listen")
        .value_name("ADDRESS")
        .help("The address of this machine to serve it at; 0.0.0.0 shows it to the room")
        .default_value("127.0.0.1")
        .value_parser(value_parser!(IpAddr));
    let port = Arg::new("port")
        .long("port")
        .value_name("PORT")
        .help("The port; 0 takes one that is free")
        .default_value("3000")
        .value_parser(value_parser!(u16));
    let place = [listen, port];
    Command::new("book")
        .bin_name("cargo workshop book")
        .about("Read the book: builds it, serves it to your browser, and again whenever something changes")
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .args(place.clone())
        .subcommand(Command::new("serve").about("The same, by its name").args(place))
        .subcommand(
            Command::new("build").about("Write the book as HTML files").arg(
                Arg::new("dest")
                    .long("dest")
                    .value_name("DIR")
                    .help("Where to: a new directory, an empty one, or one that holds a book [default: book/html]")
                    .value_parser(value_parser!(PathBuf)),
            ),
        )
        .subcommand(Command::new("check").about("Build the book without keeping it, and look for what is not used"))
}

fn run(course: &Course, arguments: &ArgMatches) -> Result<()> {
    match arguments.subcommand() {
        None => serve::serve(course, address(arguments)?),
        Some(("serve", arguments)) => serve::serve(course, address(arguments)?),
        Some(("build", arguments)) => {
            let dest = arguments.get_one::<PathBuf>("dest").cloned().unwrap_or_else(|| course.html());
            building::build_into(course, &dest)?;
            println!("The book is in {}: open {}", dest.display(), dest.join("index.html").display());
            Ok(())
        }
        Some(("check", _)) => {
            let pages = check::whole(course)?;
            println!("The book is sound: {pages} pages, every link, anchor, transcript and figure in its place.");
            Ok(())
        }
        Some((other, _)) => unreachable!("clap knows no {other}"),
    }
}

fn address(arguments: &ArgMatches) -> Result<SocketAddr> {
    let ip: IpAddr = *arguments.get_one("listen").context("the address is missing")?;
    let port: u16 = *arguments.get_one("port").context("the port is missing")?;
    Ok(SocketAddr::new(ip, port))
}
