//! What it says, how it ends, and who can keep it from others.

use std::io::{Read, Write};
use std::net::TcpStream;

use nix::sys::signal::Signal;

use super::client::Request;
use super::{Classroom, import};
use crate::Test;
use crate::support::Tinbox;

pub const TESTS: &[Test] = &[
    ("it_says_what_to_type_elsewhere", &[], it_says_what_to_type_elsewhere),
    ("a_signal_ends_it_at_once", &[], a_signal_ends_it_at_once),
    ("slow_clients_do_not_keep_it_from_others", &[], slow_clients_do_not_keep_it_from_others),
    ("what_is_not_http_is_refused", &[], what_is_not_http_is_refused),
    ("an_address_that_is_taken_is_refused", &[], an_address_that_is_taken_is_refused),
];

fn it_says_what_to_type_elsewhere() {
    let mut room = Classroom::new(&[]);
    room.signal(Signal::SIGTERM);
    let mut said = String::new();
    room.stdout.read_to_string(&mut said).unwrap();
    let address = &room.address;
    for words in [
        "  app:1\n".to_owned(),
        format!("  tinbox pull --tls-verify=false {address}/app:1\n"),
        format!("  podman pull --tls-verify=false {address}/app:1\n"),
        format!("  docker pull {address}/app:1\n"),
        "No other machine can reach it".to_owned(),
    ] {
        assert!(said.contains(&words), "{words}: {said}");
    }
}

fn a_signal_ends_it_at_once() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // As an ordinary user with lent ids, one process waits for another that serves.
        for options in [&[][..], &["--writable"]] {
            let mut room = Classroom::new(options);
            let waiting = TcpStream::connect(&room.address).unwrap();
            if !options.is_empty() {
                let location =
                    room.send(Request::new("POST", "/v2/a/blobs/uploads/")).is(202).header("location").to_owned();
                room.send(Request::new("PATCH", &location).body(b"the beginning")).is(202);
            }
            room.signal(signal);
            let status = room.server.wait().unwrap();
            drop(waiting);
            if nix::unistd::geteuid().is_root() || options.is_empty() {
                assert_eq!(status.code(), Some(0), "{signal} {options:?}");
                assert!(room.stored("tmp").is_empty());
            }
            // Whatever is left, the next one sweeps up.
            import(&room.tinbox, "next:1", &super::hello());
            assert!(room.stored("tmp").is_empty());
        }
    }
}

fn slow_clients_do_not_keep_it_from_others() {
    let room = Classroom::new(&["--writable"]);
    let mut slow = Vec::new();
    let location = room.send(Request::new("POST", "/v2/a/blobs/uploads/")).is(202).header("location").to_owned();
    for n in 0..200 {
        let mut stream = TcpStream::connect(&room.address).unwrap();
        let words = match n % 4 {
            0 => String::new(),
            1 => "GET /v2/ HT".to_owned(),
            2 => "GET /v2/app/tags/list HTTP/1.1\r\nhost:".to_owned(),
            _ => format!("PATCH {location} HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab"),
        };
        stream.write_all(words.as_bytes()).unwrap();
        slow.push(stream);
    }
    room.get("/v2/app/manifests/1").is(200);
    drop(slow);
}

fn what_is_not_http_is_refused() {
    let room = Classroom::new(&[]);
    let long = format!("GET /v2/ HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    for words in ["\x16\x03\x01 hello, TLS\r\n\r\n", "NONSENSE\r\n\r\n", &long] {
        let mut stream = TcpStream::connect(&room.address).unwrap();
        let _ = stream.write_all(words.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    room.get("/v2/").is(200);
}

fn an_address_that_is_taken_is_refused() {
    let room = Classroom::new(&[]);
    let other = Tinbox::without_images();
    let error = other.tinbox(&format!("registry serve --listen {}", room.address)).fails(1);
    assert!(error.contains("listen on 127.0.0.1:") && error.contains("in use"), "{error}");
    let error = other.tinbox("registry serve --listen nowhere").fails(125);
    assert!(error.contains("it should be ADDRESS:PORT"), "{error}");
}
