//! Servers that are busy, and servers that send elsewhere.

use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::content::{Content, file, noise};
use super::http::{Answer, Request, Server};
use super::{User, pull_fails};
use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_long_wait_is_told", &[], a_long_wait_is_told),
    ("a_busy_server_is_asked_again", &[], a_busy_server_is_asked_again),
    ("a_server_that_wants_hours_is_believed", &[], a_server_that_wants_hours_is_believed),
    ("blobs_may_come_from_elsewhere", &[], blobs_may_come_from_elsewhere),
    ("all_of_it_may_be_elsewhere", &[], all_of_it_may_be_elsewhere),
    ("a_blob_that_was_not_taken_is_sent_again", &[], a_blob_that_was_not_taken_is_sent_again),
    ("who_refuses_in_the_middle_of_a_blob_is_heard", &[], who_refuses_in_the_middle_of_a_blob_is_heard),
    ("redirects_have_an_end", &[], redirects_have_an_end),
];

fn a_long_wait_is_told() {
    let server = Server::start(|_| Answer::status(429).header("retry-after", "50"));
    let mut command = User::new().command(&format!("pull {}/app:1", server.address));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.find(|line| line.contains("waiting")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told, "waiting 50 s: the registry asks for patience (429), attempt 2 of 5");
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

fn who_refuses_in_the_middle_of_a_blob_is_heard() {
    let server = Server::start(|request| match (request.method.as_str(), request.path.as_str()) {
        (_, "/v2/") => Answer::ok("{}"),
        ("HEAD", _) => Answer::status(404),
        ("POST", _) => Answer::status(202).header("location", "/v2/app/session"),
        _ => {
            let full = r#"{"errors":[{"code":"DENIED","message":"the disk is full"}]}"#;
            Answer { status: 507, early: true, ..Answer::ok(full) }
        }
    });
    let (user, name) = (User::new(), format!("{}/app:1", server.address));
    // More than the connection takes by itself.
    crate::import::import(&user.tinbox, &name, &file("large", &noise(24 << 20)));
    let error = user.run(&format!("push -q {name}")).fails(1);
    assert!(error.contains("denied: the disk is full"), "{error}");
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
