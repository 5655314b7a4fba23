//! Layers on their way: connections that break, and servers that are away for a while.

use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::content::{Content, file, noise, range};
use super::http::{Answer, Request, Server};
use super::{User, pull_fails};
use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_download_that_breaks_goes_on", &[], a_download_that_breaks_goes_on),
    ("a_server_without_ranges_begins_anew", &[], a_server_without_ranges_begins_anew),
    ("a_server_that_always_breaks_is_given_up", &[], a_server_that_always_breaks_is_given_up),
    ("a_server_with_odd_ranges_begins_anew", &[], a_server_with_odd_ranges_begins_anew),
    ("a_rest_that_is_spoiled_is_refused", &[], a_rest_that_is_spoiled_is_refused),
    ("a_download_that_breaks_often_comes_through", &[], a_download_that_breaks_often_comes_through),
    ("a_server_may_be_started_again", &[], a_server_may_be_started_again),
    ("a_terminal_shows_how_far_it_is", &[], a_terminal_shows_how_far_it_is),
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

/// It does not know ranges, or says so in another way, or sends another part: the whole blob is asked for once more.
fn a_server_with_odd_ranges_begins_anew() {
    let content = large();
    let whole = content.blobs[&content.layer(0)].clone();
    let length = whole.len();
    let from_the_beginning = Answer { status: 206, ..Answer::ok(whole) };
    let from_the_beginning = from_the_beginning.header("content-range", format!("bytes 0-{}/{length}", length - 1));
    let another_part = Answer { status: 206, ..Answer::ok("abcde") }.header("content-range", "bytes 5-9/10");
    for odd in [from_the_beginning, another_part, Answer::status(416)] {
        let (served, attempts) = (content.clone(), AtomicUsize::new(0));
        let server = Server::start(move |request| match range(request) {
            Some(_) => odd.clone(),
            None if is_layer(&served, request) => {
                let first = attempts.fetch_add(1, Ordering::SeqCst) == 0;
                Answer { cut: first.then_some(2_000_000), ..served.answer(request) }
            }
            None => served.answer(request),
        });
        let user = User::new();
        user.run(&format!("pull {}/app:1", server.address)).ok();
        assert_eq!(ranges(&server, &content), [None, Some(2_000_000), None]);
        let unpacked = user.stored("layers")[0].join("tree/large");
        assert!(std::fs::read(unpacked).unwrap() == noise(3 << 20));
    }
}

/// The rest is not the one of this blob, though the server says so.
fn a_rest_that_is_spoiled_is_refused() {
    let content = large();
    let server = Server::start(move |request| {
        let mut answer = content.answer(request);
        match range(request) {
            Some(_) => answer.body.iter_mut().for_each(|byte| *byte ^= 0x55),
            None => answer.cut = is_layer(&content, request).then_some(2_000_000),
        }
        answer
    });
    let user = User::new();
    let error = pull_fails(&user, &format!("{}/app:1", server.address));
    assert!(error.contains("layer"), "{error}");
    user.has_no_image();
}

/// More often than a server may fail without getting any further.
fn a_download_that_breaks_often_comes_through() {
    let content = Content::of(&[file("large", &noise(1 << 20))]);
    let served = content.clone();
    let server = Server::start(move |request| {
        let answer = served.answer(request);
        let cut = (is_layer(&served, request) && answer.body.len() > 130_000).then_some(130_000);
        Answer { cut, ..answer }
    });
    User::new().run(&format!("pull {}/app:1", server.address)).ok();
    assert_eq!(ranges(&server, &content).len(), 9);
}

/// It goes away in the middle of a layer, and comes back when that was told.
fn a_server_may_be_started_again() {
    let content = large();
    // An address of its own, so that nobody else takes the port meanwhile.
    let address = std::net::SocketAddr::from(([127, 77, 0, 1], 0));
    let (served, layer) = (content.clone(), content.layer(0).to_string());
    let (gone, wait) = std::sync::mpsc::channel();
    let server = Server::start_at(address, move |request| {
        let cut = request.path.ends_with(&layer).then_some(1_000_000);
        if cut.is_some() {
            let _ = gone.send(());
        }
        Answer { cut, ..served.answer(request) }
    });
    let address = server.address;
    let user = User::new();
    let mut command = user.command(&format!("pull {address}/app:1"));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    wait.recv().unwrap();
    drop(server);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.find(|line| line.contains("waiting")).unwrap();
    assert!(told.contains(&format!(": waiting for {address}: connection refused: nothing listens there, attempt ")));
    let _server = Server::start_at(address, move |request| content.answer(request));
    assert!(lines.any(|line| line.contains("Status: Downloaded newer image")));
    assert!(child.wait().unwrap().success());
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
