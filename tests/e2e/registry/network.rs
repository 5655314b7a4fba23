//! Connections that break, servers that are busy, and servers that send elsewhere.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::content::{Content, file, noise, range};
use super::http::{Answer, Request, Server};
use super::{User, pull_fails};
use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_download_that_breaks_goes_on", &[], a_download_that_breaks_goes_on),
    ("a_server_without_ranges_begins_anew", &[], a_server_without_ranges_begins_anew),
    ("a_server_that_always_breaks_is_given_up", &[], a_server_that_always_breaks_is_given_up),
    ("another_part_than_asked_for_is_refused", &[], another_part_than_asked_for_is_refused),
    ("a_busy_server_is_asked_again", &[], a_busy_server_is_asked_again),
    ("a_server_that_wants_hours_is_believed", &[], a_server_that_wants_hours_is_believed),
    ("blobs_may_come_from_elsewhere", &[], blobs_may_come_from_elsewhere),
    ("all_of_it_may_be_elsewhere", &[], all_of_it_may_be_elsewhere),
    ("a_blob_that_was_not_taken_is_sent_again", &[], a_blob_that_was_not_taken_is_sent_again),
    ("a_terminal_shows_how_far_it_is", &[], a_terminal_shows_how_far_it_is),
    ("redirects_have_an_end", &[], redirects_have_an_end),
    ("where_nobody_listens_is_named", &[], where_nobody_listens_is_named),
    ("what_is_no_registry_is_named", &[], what_is_no_registry_is_named),
    ("several_layers_are_on_their_way_at_once", &[], several_layers_are_on_their_way_at_once),
];

fn is_layer(content: &Content, request: &Request) -> bool {
    request.path.ends_with(&content.layer(0).to_string())
}

/// An image with a layer that does not fit into what is sent at once.
fn large() -> Content {
    Content::of(&[file("large", &noise(3 << 20))])
}

/// The `Range` headers of those who asked for the layer.
fn ranges(server: &Server, content: &Content) -> Vec<Option<usize>> {
    server.seen().iter().filter(|request| is_layer(content, request)).map(range).collect()
}

fn a_download_that_breaks_goes_on() {
    let content = large();
    let served = content.clone();
    // Each connection gives a million bytes.
    let server = Server::start(move |request| {
        let answer = served.answer(request);
        let cut = (is_layer(&served, request) && answer.body.len() > 1_000_000).then_some(1_000_000);
        Answer { cut, ..answer }
    });
    let user = User::new();
    user.run(&format!("pull {}/app:1", server.address)).ok();
    assert_eq!(ranges(&server, &content), [None, Some(1_000_000), Some(2_000_000), Some(3_000_000)]);
    let unpacked = user.stored("layers")[0].join("tree/large");
    assert!(std::fs::read(unpacked).unwrap() == noise(3 << 20));
}

fn a_server_without_ranges_begins_anew() {
    let content = large();
    let served = content.clone();
    let attempts = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        if !is_layer(&served, request) {
            return served.answer(request);
        }
        let first = attempts.fetch_add(1, Ordering::SeqCst) == 0;
        Answer { cut: first.then_some(2_000_000), ..Answer::ok(served.blobs[&served.layer(0)].clone()) }
    });
    let user = User::new();
    user.run(&format!("pull {}/app:1", server.address)).ok();
    assert_eq!(ranges(&server, &content), [None, Some(2_000_000)]);
    let unpacked = user.stored("layers")[0].join("tree/large");
    assert!(std::fs::read(unpacked).unwrap() == noise(3 << 20));
}

fn a_server_that_always_breaks_is_given_up() {
    let content = large();
    let served = content.clone();
    let server = Server::start(move |request| {
        let answer = served.answer(request);
        let cut = is_layer(&served, request).then_some(10);
        Answer { cut, ..answer }
    });
    let user = User::new();
    let error = pull_fails(&user, &format!("{}/app:1", server.address));
    assert!(error.contains("could not be reached: the connection broke off"), "{error}");
    assert_eq!(ranges(&server, &content).len(), 5);
    user.has_no_image();
}

fn another_part_than_asked_for_is_refused() {
    let content = large();
    let server = Server::start(move |request| match range(request) {
        Some(_) => Answer { status: 206, ..Answer::ok("abcde") }.header("content-range", "bytes 5-9/10"),
        None => Answer { cut: is_layer(&content, request).then_some(2_000_000), ..content.answer(request) },
    });
    let user = User::new();
    let error = pull_fails(&user, &format!("{}/app:1", server.address));
    assert!(error.contains("another part of the blob than it was asked for"), "{error}");
    user.has_no_image();
}

fn a_busy_server_is_asked_again() {
    let content = Content::of(&[file("a", b"1")]);
    let attempts = AtomicUsize::new(0);
    // Every second request comes too soon.
    let server = Server::start(move |request| match attempts.fetch_add(1, Ordering::SeqCst) % 4 {
        0 => Answer::status(429).header("retry-after", "0"),
        2 => Answer::status(503),
        _ => content.answer(request),
    });
    User::new().run(&format!("pull {}/app:1", server.address)).ok();
}

fn a_server_that_wants_hours_is_believed() {
    let content = Content::of(&[file("a", b"1")]);
    let server = Server::start(move |request| match request.path.contains("/manifests/") {
        true => {
            Answer { status: 429, ..Answer::ok(r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"rest\u001b"}]}"#) }
                .header("retry-after", "7200")
        }
        false => content.answer(request),
    });
    let error = pull_fails(&User::new(), &format!("{}/app:1", server.address));
    assert!(error.contains("toomanyrequests: rest?"), "{error}");
    assert_eq!(server.seen().iter().filter(|request| request.path.contains("/manifests/")).count(), 1);
}

fn blobs_may_come_from_elsewhere() {
    let content = Content::of(&[file("a", b"1")]);
    let there = content.clone();
    let elsewhere = Server::start(move |request| there.answer(request));
    let target = elsewhere.address;
    let registry = Server::start(move |request| match request.path.contains("/blobs/") {
        true => Answer::status(307).header("location", format!("http://{target}{}", request.path)),
        false => content.answer(request),
    });
    User::new().run(&format!("pull {}/app:1", registry.address)).ok();
    assert_eq!(elsewhere.seen().len(), 2);
}

fn all_of_it_may_be_elsewhere() {
    let content = Content::of(&[file("a", b"1")]);
    let elsewhere = Server::start(move |request| match request.path.as_str() {
        "/v2/" => Answer::status(401).header("www-authenticate", "Basic realm=\"x\""),
        _ => content.answer(request),
    });
    let target = elsewhere.address;
    let registry = Server::start(move |request| {
        Answer::status(307).header("location", format!("http://{target}{}", request.path))
    });
    User::new().run(&format!("pull {}/app:1", registry.address)).ok();
}

fn a_blob_that_was_not_taken_is_sent_again() {
    let refusals = AtomicUsize::new(2);
    let server = Server::start(move |request| match (request.method.as_str(), request.path.as_str()) {
        (_, "/v2/") => Answer::ok("{}"),
        ("HEAD", _) => Answer::status(404),
        ("POST", "/v2/app/blobs/uploads/") => Answer::status(202).header("location", "/v2/app/session?state=1"),
        ("PUT", path) if path.contains("/session") => {
            let refuse = refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            Answer::status(if refuse { 503 } else { 201 })
        }
        ("PUT", "/v2/app/manifests/1") => Answer::status(201),
        _ => Answer::status(400),
    });
    let (user, name) = (User::new(), format!("{}/app:1", server.address));
    crate::import::import(&user.tinbox, &name, &file("large", &noise(1 << 20)));
    user.run(&format!("push -q {name}")).ok();
    let seen = server.seen();
    let puts: Vec<&Request> = seen.iter().filter(|request| request.method == "PUT").collect();
    // The layer three times, the config, and the manifest when all that it names is there.
    assert_eq!(puts.len(), 5);
    assert!(puts[..4].iter().all(|put| put.path.starts_with("/v2/app/session?state=1&digest=sha256%3A")), "{puts:?}");
    assert!(puts[..3].iter().all(|put| put.path == puts[0].path && put.header("content-length") > Some("1000000")));
    assert_eq!(puts[4].path, "/v2/app/manifests/1");
    assert_eq!(puts[4].header("content-type"), Some(super::content::MANIFEST));
}

/// The second half of the layer is held back until the terminal shows the first.
fn a_terminal_shows_how_far_it_is() {
    let content = large();
    let (shown, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let server = Server::start(move |request| {
        let answer = content.answer(request);
        match range(request) {
            Some(_) => wait.lock().unwrap().recv().map(|()| answer).unwrap_or_default(),
            None => Answer { cut: is_layer(&content, request).then_some(1_500_000), ..answer },
        }
    });
    let user = User::new();
    let mut command = user.command(&format!("pull {}/app:1", server.address));
    command.stdin(std::process::Stdio::inherit()).env("TERM", "xterm");
    let mut session = rexpect::session::spawn_command(command, Some(30_000)).unwrap();
    session.exp_string(": Downloading [").unwrap();
    shown.send(()).unwrap();
    session.exp_string(": Pull complete").unwrap();
    session.exp_string("Status: Downloaded newer image").unwrap();
}

fn redirects_have_an_end() {
    let content = Content::of(&[file("a", b"1")]);
    let server = Server::start(move |request| match request.path.contains("/blobs/") {
        true => Answer::status(302).header("location", format!("{}?again", request.path)),
        false => content.answer(request),
    });
    let error = pull_fails(&User::new(), &format!("{}/app:1", server.address));
    assert!(error.contains("without an end"), "{error}");
    assert!(server.seen().len() < 20);
}

fn where_nobody_listens_is_named() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let user = User::new();
    let error = user.run(&format!("pull -q 127.0.0.1:{port}/app")).fails(1);
    let expected =
        format!("tinbox: 127.0.0.1:{port} could not be reached: connection refused: nothing listens there\n");
    assert_eq!(error, expected);
    let error = user.run("pull -q registry.invalid/app").fails(1);
    assert!(error.starts_with("tinbox: registry.invalid could not be reached: "), "{error}");
    let error = user.run("login -u me -p x registry.invalid").fails(1);
    assert!(error.contains("registry.invalid could not be reached: "), "{error}");
    let error = user.run("search registry.invalid/app").fails(1);
    assert!(error.contains("registry.invalid could not be reached: "), "{error}");
    user.has_no_image();
}

fn what_is_no_registry_is_named() {
    let server = Server::start(|_| Answer::status(404));
    let error = pull_fails(&User::new(), &format!("{}/app", server.address));
    assert!(error.contains(&format!("{} is no registry", server.address)), "{error}");
}

/// The server answers nobody who wants a layer until three do.
fn several_layers_are_on_their_way_at_once() {
    let content = Content::of(&[file("a", b"1"), file("b", b"2"), file("c", b"3"), file("d", b"4")]);
    let layers: Vec<String> = (0..4).map(|at| content.layer(at).to_string()).collect();
    let waiting = (std::sync::Mutex::new(0), std::sync::Condvar::new());
    let server = Server::start(move |request| {
        if layers.iter().any(|layer| request.path.ends_with(layer)) {
            let mut count = waiting.0.lock().unwrap();
            *count += 1;
            waiting.1.notify_all();
            let limit = std::time::Duration::from_secs(30);
            let (_count, timeout) = waiting.1.wait_timeout_while(count, limit, |count| *count < 3).unwrap();
            if timeout.timed_out() {
                return Answer::status(400);
            }
        }
        content.answer(request)
    });
    User::new().run(&format!("pull {}/app:1", server.address)).ok();
}
