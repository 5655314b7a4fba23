//! What it says, how it ends, and who can keep it from others.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::client::{Request, connect_from};
use super::writing::Image;
use super::{Classroom, import};
use crate::Test;
use crate::support::need::Need::{Program, Unshare};
use crate::support::{TINBOX, Tinbox};

pub const TESTS: &[Test] = &[
    ("it_says_what_to_type_elsewhere", &[], it_says_what_to_type_elsewhere),
    ("a_signal_ends_it_at_once", &[], a_signal_ends_it_at_once),
    ("slow_clients_do_not_keep_it_from_others", &[], slow_clients_do_not_keep_it_from_others),
    ("a_real_address_is_printed", &[Unshare, Program("ip")], a_real_address_is_printed),
    ("it_says_who_has_which_image", &[], it_says_who_has_which_image),
    ("one_address_does_not_take_all_connections", &[], one_address_does_not_take_all_connections),
    (
        "uploads_that_are_only_begun_do_not_keep_others_from_pushing",
        &[],
        uploads_that_are_only_begun_do_not_keep_others_from_pushing,
    ),
    ("what_is_not_http_is_refused", &[], what_is_not_http_is_refused),
    ("an_address_that_is_taken_is_refused", &[], an_address_that_is_taken_is_refused),
];

fn it_says_what_to_type_elsewhere() {
    let mut room = Classroom::new(&[]);
    let said = room.end();
    let address = &room.address;
    for words in [
        "Sharing 1 image, read-only, until Ctrl-C: app:1\n".to_owned(),
        format!("  tinbox pull {address}/app:1\n"),
        format!("  podman pull --tls-verify=false {address}/app:1\n"),
        format!("  docker pull {address}/app:1\n"),
        "No other machine can reach it".to_owned(),
    ] {
        assert!(said.contains(&words), "{words}: {said}");
    }
    let mut room = Classroom::new(&["--quiet"]);
    assert_eq!(room.end(), format!("Sharing 1 image on http://{}, read-only\n", room.address));
    let mut room = Classroom::of(Tinbox::without_images(), &[]);
    assert!(room.end().contains("nothing to share yet: `tinbox pull` or `tinbox load` an image first"));
}

/// In a network of its own, with two addresses in it.
fn a_real_address_is_printed() {
    let tinbox = Tinbox::without_images();
    import(&tinbox, "app:1", &super::hello());
    for (listen, extra) in [("0.0.0.0:0", ""), ("[::]:0", "ip addr add fd77::10/64 dev lo nodad;")] {
        let script = format!(
            "ip link set lo up; ip addr add 10.77.0.1/24 dev lo; ip addr add 10.78.0.1/16 dev lo; {extra} \
             exec \"$0\" registry serve --listen {listen}"
        );
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-ec", &script, TINBOX]);
        command.env("TINBOX_ROOT", tinbox.path("")).env("NO_COLOR", "1").stdin(Stdio::null());
        let mut room = Classroom::started(Tinbox::without_images(), command);
        let said = room.end();
        let port = room.port();
        for words in [
            format!("  http://10.77.0.1:{port}  (lo)\n  http://10.78.0.1:{port}  (lo)\n"),
            format!("tinbox pull --tls-verify=false 10.77.0.1:{port}/app:1\n"),
            "{\"insecure-registries\": [\"10.77.0.0/24\"]}".to_owned(),
        ] {
            assert!(said.contains(&words), "{words}: {said}");
        }
        for wrong in ["0.0.0.0:", "[::]", "127.0.0.1", "fd77"] {
            assert!(!said.contains(wrong), "{wrong}: {said}");
        }
    }
}

fn it_says_who_has_which_image() {
    let tinbox = Tinbox::without_images();
    import(&tinbox, "app:1", &super::hello());
    let mut command = tinbox.command(["registry", "serve", "--listen", "127.0.0.1:0", "--writable"]);
    command.stderr(Stdio::piped());
    let mut room = Classroom::started(tinbox, command);
    let mut stderr = BufReader::new(room.server.stderr.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        line
    };
    Image::new().push(&room, "alice/app", "2").is(201);
    assert_eq!(line(), "127.0.0.1 pushed alice/app:2\n");
    let manifest = room.get("/v2/app/manifests/1").json();
    let mut size = 0;
    for blob in [&manifest["config"], &manifest["layers"][0]] {
        let path = format!("/v2/app/blobs/{}", blob["digest"].as_str().unwrap());
        size += room.get(&path).is(200).body.len();
    }
    assert_eq!(line(), format!("127.0.0.1 has app:1 ({size}B)\n"));
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

/// One address has a quarter of all connections, and those are refused at once that come beyond.
fn one_address_does_not_take_all_connections() {
    let tinbox = Tinbox::without_images();
    import(&tinbox, "app:1", &super::hello());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 256; exec \"$0\" registry serve --listen 127.0.0.1:0", TINBOX]);
    command.env("TINBOX_ROOT", tinbox.path("")).env("NO_COLOR", "1").stdin(Stdio::null());
    let room = Classroom::started(tinbox, command);
    let half = || {
        let mut stream = TcpStream::connect(&room.address).unwrap();
        let _ = stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost:");
        stream
    };
    let held: Vec<TcpStream> = (0..256 / 4 / 4).map(|_| half()).collect();
    let mut beyond = half();
    beyond.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    match beyond.read(&mut [0]) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    let elsewhere = connect_from(Ipv4Addr::new(127, 0, 0, 2), &room.address);
    Request::new("GET", "/v2/app/manifests/1").over(elsewhere, &room.address).is(200);
    drop(held);
}

/// A client that begins more uploads than there may be is its own problem.
fn uploads_that_are_only_begun_do_not_keep_others_from_pushing() {
    let room = Classroom::new(&["--writable"]);
    for _ in 0..600 {
        room.send(Request::new("POST", "/v2/a/blobs/uploads/")).is(202);
    }
    let slow = |_| {
        let mut stream = TcpStream::connect(&room.address).unwrap();
        stream.write_all(b"PUT /v2/a/manifests/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n").unwrap();
        stream
    };
    let slow: Vec<TcpStream> = (0..8).map(slow).collect();
    Image::new().push(&room, "alice/app", "1").is(201);
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
    assert!(error.contains("help: another program listens there: take another port"), "{error}");
    let error = other.tinbox("registry serve --listen 192.0.2.1:0").fails(1);
    assert!(
        error.contains("help: this machine has no such address: it has ") && error.contains("127.0.0.1"),
        "{error}"
    );
    let error = other.tinbox("registry serve --listen nowhere").fails(125);
    assert!(error.contains("it should be ADDRESS:PORT"), "{error}");
    let error = other.tinbox("registry serve --listen fd77::10:5000").fails(125);
    assert!(error.contains("in brackets"), "{error}");
}
