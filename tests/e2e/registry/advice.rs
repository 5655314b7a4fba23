//! What is said to somebody who is about to be stuck.

use std::net::TcpListener;

use super::content::{Content, file};
use super::http::{Answer, Server};
use super::{User, pull_fails};
use crate::Test;
use crate::support::Ended;
use crate::support::need::Need::Address;
use crate::support::need::own_address;

pub const TESTS: &[Test] = &[
    ("where_nobody_listens_is_named", &[], where_nobody_listens_is_named),
    ("what_is_no_registry_is_named", &[], what_is_no_registry_is_named),
    ("a_proxy_that_fails_is_named", &[], a_proxy_that_fails_is_named),
    ("a_name_that_is_read_aloud_is_understood", &[], a_name_that_is_read_aloud_is_understood),
    ("what_is_risked_without_tls_is_told", &[Address], what_is_risked_without_tls_is_told),
    ("who_is_refused_by_name_is_not_sent_to_log_in", &[], who_is_refused_by_name_is_not_sent_to_log_in),
    ("a_search_says_how_many_more_there_are", &[], a_search_says_how_many_more_there_are),
];

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

fn a_proxy_that_fails_is_named() {
    let user = User::new();
    for (variable, value, name) in [
        ("HTTPS_PROXY", "http://me:secret@proxy.invalid:3128", "the proxy proxy.invalid:3128 (HTTPS_PROXY)"),
        ("all_proxy", "proxy.invalid:3128", "the proxy proxy.invalid:3128 (all_proxy)"),
    ] {
        let mut command = user.command("pull -q 192.0.2.10:5000/app");
        let error = Ended::of(command.env(variable, value).output().unwrap()).fails(1);
        assert!(error.starts_with(&format!("tinbox: {name} could not be reached: ")), "{error}");
        assert!(error.ends_with("\n  help: NO_PROXY=192.0.2.10 goes without it\n"), "{error}");
    }
    let mut command = user.command("pull -q registry.invalid/app");
    command.env("HTTPS_PROXY", "http://proxy.invalid:3128").env("NO_PROXY", "10.0.0.0/8,.invalid");
    let error = Ended::of(command.output().unwrap()).fails(1);
    assert!(error.starts_with("tinbox: registry.invalid could not be reached: "), "{error}");
    let mut command = user.command("pull -q registry.invalid/app");
    let error = Ended::of(command.env("HTTPS_PROXY", "\u{1b}secret").output().unwrap()).fails(1);
    assert_eq!(error, "tinbox: HTTPS_PROXY should be the URL of a proxy, and is not\n");
}

/// Who reads an address from the board types it as it stands there.
fn a_name_that_is_read_aloud_is_understood() {
    let user = User::new();
    let error = user.run("pull http://10.77.0.10:5000/base").fails(1);
    assert!(error.ends_with("\n  help: without http://: 10.77.0.10:5000/base\n"), "{error}");
    let error = user.run("pull 10.77.0.10:5000").fails(1);
    assert_eq!(error, "tinbox: 10.77.0.10:5000 is a registry: which image? (10.77.0.10:5000/NAME)\n");
    let error = user.run("search 10.77.0.10:5000").fails(1);
    assert!(error.starts_with("tinbox: 10.77.0.10:5000 is a registry: which images? ("), "{error}");
    let error = user.run("pull --platform foo 127.0.0.1:1/app").fails(1);
    assert_eq!(error, "tinbox: \"foo\": unknown operating system or architecture\n");
    let error = user.run("pull -q --platform= 127.0.0.1:1/app").fails(1);
    assert!(error.contains("could not be reached"), "{error}");
}

/// Without TLS at an address of its own, where somebody may be in between.
fn what_is_risked_without_tls_is_told() {
    let content = Content::of(&[file("a", b"1")]);
    let address = std::net::SocketAddr::new(own_address().unwrap(), 0);
    let server = Server::start_at(address, move |request| match request.header("authorization") {
        Some(_) => content.answer(request),
        None => Answer::status(401).header("www-authenticate", "Basic realm=\"x\""),
    });
    let (user, address) = (User::new(), server.address);
    let error = user.run(&format!("pull -q {address}/app:1")).fails(1);
    assert!(error.starts_with(&format!("tinbox: {address} could not be reached: ")), "{error}");
    for words in
        ["--tls-verify=false", &format!("{{\"insecure-registries\": [\"{address}\"]}}"), "change what a tag means"]
    {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert_eq!(server.seen().len(), 0);
    let warning = format!("warning: the password goes to {address} without TLS: anybody in between can read it");
    let ended = user.run(&format!("login -u me -p x --tls-verify=false {address}"));
    assert!(ended.status == 0 && ended.stderr.matches(&warning).count() == 1, "{ended:?}");
    let ended = user.run(&format!("pull -q --tls-verify=false {address}/app:1"));
    assert!(ended.status == 0 && ended.stderr.matches(&warning).count() == 1, "{ended:?}");
}

fn who_is_refused_by_name_is_not_sent_to_log_in() {
    let server = Server::start(|request| match request.path.as_str() {
        "/v2/" => Answer::ok("{}"),
        _ => Answer::status(403),
    });
    let (user, name) = (User::new(), format!("{}/app:1", server.address));
    crate::import::import(&user.tinbox, &name, &file("a", b"1"));
    let error = user.run(&format!("push -q {name}")).fails(1);
    assert!(error.contains("push access denied for") && !error.contains("login"), "{error}");
}

fn a_search_says_how_many_more_there_are() {
    let server = Server::start(|request| match request.path.split('?').next() {
        Some("/v2/") => Answer::ok("{}"),
        Some("/v2/_catalog") => {
            let names: Vec<String> = (0..30).map(|number| format!("app{number}")).collect();
            Answer::ok(serde_json::json!({ "repositories": names }).to_string())
        }
        _ => Answer::status(404),
    });
    let user = User::new();
    let ended = user.run(&format!("search {}/app", server.address));
    assert_eq!(
        (ended.status, ended.stdout.lines().count(), ended.stderr.as_str()),
        (0, 26, "… and 5 more (--limit)\n")
    );
    user.run(&format!("search --limit 30 {}/app", server.address)).ok();
}
