//! Passwords and tokens: kept as Docker keeps them, and told to nobody else.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rexpect::session::{PtySession, spawn_command};

use super::content::{Content, file};
use super::distribution::Distribution;
use super::http::{Answer, Server};
use super::{User, pull_fails};
use crate::Test;
use crate::import::import;
use crate::support::children;
use crate::support::need::Need::{self, OrdinaryUser, Program};

const NEEDS: &[Need] = &[Program("docker-registry"), Program("htpasswd")];

pub const TESTS: &[Test] = &[
    ("a_password_opens_a_registry", NEEDS, a_password_opens_a_registry),
    ("a_wrong_password_is_not_kept", NEEDS, a_wrong_password_is_not_kept),
    ("a_helper_keeps_the_password", NEEDS, a_helper_keeps_the_password),
    ("a_helper_runs_as_the_user", &[OrdinaryUser], a_helper_runs_as_the_user),
    ("a_password_is_asked_for_in_silence", NEEDS, a_password_is_asked_for_in_silence),
    ("a_terminal_shows_again_what_is_typed_after_a_signal", &[], a_terminal_shows_again_what_is_typed),
    ("who_comes_back_from_ctrl_z_is_asked_again", &[], who_comes_back_from_ctrl_z_is_asked_again),
    ("who_is_in_the_background_asks_nothing", &[Program("bash")], who_is_in_the_background_asks_nothing),
    ("ctrl_d_in_the_middle_of_a_line_does_not_end_it", &[], ctrl_d_in_the_middle_of_a_line_does_not_end_it),
    ("a_token_is_for_the_registry_and_the_password_for_its_giver", &[], a_token_is_for_the_registry),
    ("a_token_that_expired_is_renewed", &[], a_token_that_expired_is_renewed),
    ("an_identity_token_is_traded", &[], an_identity_token_is_traded),
    ("nobody_else_learns_the_token", &[], nobody_else_learns_the_token),
    ("an_open_giver_of_tokens_elsewhere_is_refused", &[], an_open_giver_of_tokens_elsewhere_is_refused),
    ("settings_that_are_not_for_us_count_for_nothing", &[OrdinaryUser], settings_that_are_not_for_us),
    ("a_giver_without_measure_is_refused", &[], a_giver_without_measure_is_refused),
];

/// What is in the configuration file.
fn config(user: &User) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(user.settings("config.json")).unwrap()).unwrap()
}

fn log_in(user: &User, registry: &str) {
    let ended = user.run_with(&format!("login -u me --password-stdin {registry}"), "secret\n");
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "Login Succeeded\n"), "{ended:?}");
}

fn a_password_opens_a_registry() {
    let (registry, user) = (Distribution::with_password(), User::new());
    let name = registry.name("app:1");
    import(&user.tinbox, &name, &file("a", b"1"));
    let error = user.run(&format!("push -q {name}")).fails(1);
    assert!(error.contains("push access denied for") && error.contains("tinbox login"), "{error}");
    let ended = user.run_with(&format!("login -u me --password-stdin {}", registry.address), "secret\n");
    assert_eq!((ended.status, ended.stdout.as_str()), (0, "Login Succeeded\n"), "{ended:?}");
    let file = user.settings("config.json");
    let warning = format!("WARNING! Your password will be stored unencrypted in {}.", file.display());
    assert!(ended.stderr.contains(&warning), "{ended:?}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(config(&user)["auths"][&registry.address]["auth"], STANDARD.encode("me:secret"));

    user.run(&format!("push -q {name}")).ok();
    user.run(&format!("pull -q {name}")).ok();
    let again = user.run(&format!("login {}", registry.address)).ok();
    assert_eq!(again, "Authenticating with existing credentials...\nLogin Succeeded\n");
    let out = format!("Removing login credentials for {}\n", registry.address);
    assert_eq!(user.run(&format!("logout {}", registry.address)).ok(), out);
    assert_eq!(config(&user)["auths"], serde_json::json!({}));
    let out = format!("Not logged in to {}\n", registry.address);
    assert_eq!(user.run(&format!("logout {}", registry.address)).ok(), out);
    let error = user.run(&format!("pull -q {name}")).fails(1);
    assert!(error.contains("pull access denied for") && error.contains("may require 'tinbox login'"), "{error}");
}

fn a_wrong_password_is_not_kept() {
    let (registry, user) = (Distribution::with_password(), User::new());
    let ended = user.run(&format!("login -u me -p wrong {}", registry.address));
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stderr.contains("Using --password via the CLI is insecure"), "{ended:?}");
    assert!(ended.stderr.contains("unauthorized") && !ended.stderr.contains("wrong"), "{ended:?}");
    assert!(!user.settings("config.json").exists());
    let error = user.run(&format!("login {}", registry.address)).fails(1);
    assert!(error.contains("Cannot perform an interactive login from a non TTY device"), "{error}");
    let error = user.run(&format!("login --password-stdin {}", registry.address)).fails(1);
    assert!(error.contains("Must provide --username with --password-stdin"), "{error}");
}

fn a_helper_keeps_the_password() {
    let (registry, user) = (Distribution::with_password(), User::new());
    let helper = user.settings("docker-credential-test");
    let script = "#!/bin/sh\nfile=\"${0%/*}/kept\"\ncase $1 in\n\
                  store) cat > \"$file\" ;;\n\
                  get) cat > /dev/null; cat \"$file\" 2>/dev/null || \
                  { echo 'credentials not found in native keychain'; exit 1; } ;;\n\
                  erase) cat > /dev/null; rm \"$file\" ;;\nesac\n";
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(user.settings("config.json"), r#"{"credsStore":"test","other":1}"#).unwrap();
    let path = format!("{}:{}", user.settings("").display(), std::env::var("PATH").unwrap());
    let run = |arguments: &str| super::Ended::of(user.command(arguments).env("PATH", &path).output().unwrap());
    let ended = run(&format!("login -u me -p secret {}", registry.address));
    assert!(ended.status == 0 && !ended.stderr.contains("unencrypted"), "{ended:?}");
    let kept = std::fs::read_to_string(user.settings("kept")).unwrap();
    assert!(kept.contains(&format!("\"ServerURL\":\"{}\"", registry.address)) && kept.contains("secret"), "{kept}");
    let expected = serde_json::json!({ "auths": { &registry.address: {} }, "credsStore": "test", "other": 1 });
    assert_eq!(config(&user), expected);
    let again = run(&format!("login {}", registry.address)).ok();
    assert!(again.ends_with("Login Succeeded\n"), "{again}");
    run(&format!("logout {}", registry.address)).ok();
    assert!(!user.settings("kept").exists());
    // A helper that is missing is named.
    let error = user.run(&format!("login {}", registry.address)).fails(1);
    assert!(error.contains("docker-credential-test get: Docker's configuration names it"), "{error}");
}

/// One whose password is the number of the user that it runs as.
fn a_helper_runs_as_the_user() {
    let content = Content::of(&[file("a", b"1")]);
    let expected = format!("Basic {}", STANDARD.encode(format!("me:{}", nix::unistd::getuid())));
    let said = expected.clone();
    let server = Server::start(move |request| match request.header("authorization") {
        Some(authorization) if authorization == said => content.answer(request),
        _ => Answer::status(401).header("www-authenticate", "Basic realm=\"x\""),
    });
    let user = User::new();
    let helper = user.settings("docker-credential-uid");
    let script = "#!/bin/sh\ncat > /dev/null\nprintf '{\"Username\":\"me\",\"Secret\":\"%s\"}' \"$(id -u)\"\n";
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(user.settings("config.json"), r#"{"credsStore":"uid"}"#).unwrap();
    let path = format!("{}:{}", user.settings("").display(), std::env::var("PATH").unwrap());
    let run = |arguments: &str| super::Ended::of(user.command(arguments).env("PATH", &path).output().unwrap());
    run(&format!("pull -q {}/app:1", server.address)).ok();
    let known = || server.seen().iter().filter(|request| request.header("authorization") == Some(&expected)).count();
    let before = known();
    assert!(before > 0);
    // `run` gets the image in the same way; there is nothing in it that could run.
    run(&format!("run --rm --pull always {}/app:1 /none", server.address)).fails(127);
    assert!(known() > before);
}

fn a_password_is_asked_for_in_silence() {
    let (registry, user) = (Distribution::with_password(), User::new());
    // A terminal as people have it shows what is typed; the one of the session does not.
    let login = user.command(&format!("login {}", registry.address));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "stty echo && exec \"$@\"", "sh"]).arg(login.get_program()).args(login.get_args());
    command.envs(login.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("Username: ").unwrap();
    session.send_line("me").unwrap();
    assert!(session.exp_string("Password: ").unwrap().contains("me"));
    session.send_line("secret").unwrap();
    let shown = session.exp_string("Login Succeeded").unwrap();
    assert!(!shown.contains("secret"), "{shown}");
}

/// A shell whose terminal shows what is typed, and in it a login that asks for a password. Answers with the number of
/// the shell's process, too. With the option `-mc` instead of `-c`, the shell has job control.
fn login_in_a_shell(user: &User, server: &Server, option: &str, afterwards: &str) -> (PtySession, i32) {
    let login = user.command(&format!("login -u me {}", server.address));
    let mut command = std::process::Command::new("sh");
    let script = format!("trap : INT QUIT; stty echo; echo shell $$.; \"$@\"; {afterwards}");
    command.args([option, &script, "sh"]);
    command.arg(login.get_program()).args(login.get_args());
    command.envs(login.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("shell ").unwrap();
    let shell = session.exp_string(".").unwrap().parse().unwrap();
    session.exp_string("Password: ").unwrap();
    (session, shell)
}

/// What the shell says of the login's end and of its terminal.
const TELL: &str = "echo status $?.; stty -a | grep -o '[-]*echo\\b'";

#[track_caller]
fn ends_and_shows(session: &mut PtySession, status: i32) {
    session.exp_string(&format!("status {status}.")).unwrap();
    assert_eq!(session.exp_regex("-?echo").unwrap().1, "echo");
}

fn a_terminal_shows_again_what_is_typed() {
    let (server, user) = (Server::start(|_| Answer::ok("{}")), User::new());
    for (key, status) in [('c', 130), ('\\', 131)] {
        let (mut session, _) = login_in_a_shell(&user, &server, "-c", TELL);
        session.send_control(key).unwrap();
        ends_and_shows(&mut session, status);
    }
    for (signal, status) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let (mut session, shell) = login_in_a_shell(&user, &server, "-c", TELL);
        let login = children(Pid::from_raw(shell))[0];
        nix::sys::signal::kill(login, signal).unwrap();
        ends_and_shows(&mut session, status);
    }
}

fn who_comes_back_from_ctrl_z_is_asked_again() {
    let (server, user) = (Server::start(|_| Answer::ok("{}")), User::new());
    let (mut session, _) = login_in_a_shell(&user, &server, "-mc", &format!("{TELL}; fg; {TELL}"));
    session.send_control('z').unwrap();
    ends_and_shows(&mut session, 148);
    session.exp_string("Password: ").unwrap();
    session.send_line("secret").unwrap();
    let shown = session.exp_string("Login Succeeded").unwrap();
    assert!(!shown.contains("secret"), "{shown}");
    ends_and_shows(&mut session, 0);
}

/// The terminal is set as a shell's command line wants it, until the shell has the login come to the foreground.
fn who_is_in_the_background_asks_nothing() {
    let (server, user) = (Server::start(|_| Answer::ok("{}")), User::new());
    let login = user.command(&format!("login -u me {}", server.address));
    let mut command = std::process::Command::new("bash");
    // With job control, `wait` returns when a job stops.
    let script = format!(
        "stty -icanon -icrnl -echo; \"$@\" & wait $!; jobs; echo asks nothing.; stty icanon icrnl echo; fg; {TELL}"
    );
    command.args(["-mc", &script, "bash"]).arg(login.get_program()).args(login.get_args());
    command.envs(login.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    let before = session.exp_string("asks nothing.").unwrap();
    assert!(before.contains("Stopped") && !before.contains("Password: "), "{before}");
    session.exp_string("Password: ").unwrap();
    session.send("secret\r").unwrap();
    session.flush().unwrap();
    session.exp_string("Login Succeeded").unwrap();
    ends_and_shows(&mut session, 0);
}

fn ctrl_d_in_the_middle_of_a_line_does_not_end_it() {
    let expected = format!("Basic {}", STANDARD.encode("me:secret"));
    let server = Server::start(move |request| match request.header("authorization") {
        Some(authorization) if authorization == expected => Answer::ok("{}"),
        _ => Answer::status(401).header("www-authenticate", "Basic realm=\"x\""),
    });
    let user = User::new();
    let (mut session, _) = login_in_a_shell(&user, &server, "-c", TELL);
    session.send("sec\u{4}ret\r").unwrap();
    session.flush().unwrap();
    session.exp_string("Login Succeeded").unwrap();
    ends_and_shows(&mut session, 0);
    // Nor does it keep Ctrl-C from being heard.
    let (mut session, shell) = login_in_a_shell(&user, &server, "-c", TELL);
    let login = children(Pid::from_raw(shell))[0];
    let before = bytes_read(login);
    session.send("sec\u{4}").unwrap();
    session.flush().unwrap();
    while bytes_read(login) < before + 3 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    session.send_control('c').unwrap();
    ends_and_shows(&mut session, 130);
}

/// How many bytes a process has read so far, of whatever.
fn bytes_read(process: Pid) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

/// A registry that wants tokens, and who gives them: name, password and what the token is.
fn guarded(content: Content, token: &'static str) -> (Server, Server) {
    let giver = Server::start(move |request| {
        let known = request.header("authorization") == Some(&format!("Basic {}", STANDARD.encode("me:secret")));
        match known && request.path.starts_with("/token?") {
            true => Answer::ok(format!("{{\"token\":\"{token}\"}}")),
            false => Answer::status(401),
        }
    });
    let realm = format!("http://{}/token", giver.address);
    let registry = Server::start(move |request| match request.header("authorization") {
        Some(authorization) if authorization == format!("Bearer {token}") => content.answer(request),
        _ => challenge(&realm),
    });
    (registry, giver)
}

fn challenge(realm: &str) -> Answer {
    Answer::status(401).header("www-authenticate", format!("Bearer realm=\"{realm}\",service=\"the registry\""))
}

fn keep(user: &User, registry: &Server) {
    let entry = serde_json::json!({ "auth": STANDARD.encode("me:secret") });
    let config = serde_json::json!({ "auths": { registry.address.to_string(): entry } });
    std::fs::write(user.settings("config.json"), config.to_string()).unwrap();
}

fn a_token_is_for_the_registry() {
    let (registry, giver) = guarded(Content::of(&[file("a", b"1")]), "good-token");
    let user = User::new();
    let error = pull_fails(&user, &format!("{}/app:1", registry.address));
    assert!(error.contains("pull access denied"), "{error}");
    keep(&user, &registry);
    user.run(&format!("pull -q {}/app:1", registry.address)).ok();
    let seen = giver.seen();
    let asked = &seen.last().unwrap().path;
    let expected = "/token?service=the%20registry&scope=repository%3Aapp%3Apull&account=me";
    assert_eq!(asked, expected);
    // One token is enough for all of it, and the password stays away from the registry.
    assert_eq!(seen.iter().filter(|request| request.header("authorization").is_some()).count(), 1);
    for request in registry.seen() {
        assert!(request.header("authorization").is_none_or(|said| said == "Bearer good-token"), "{request:?}");
    }
    log_in(&user, &registry.address.to_string());
}

fn a_token_that_expired_is_renewed() {
    let content = Content::of(&[file("a", b"1")]);
    let given = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = given.clone();
    let giver = Server::start(move |_| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        Answer::ok(format!("{{\"access_token\":\"t{number}\"}}"))
    });
    let realm = format!("http://{}/", giver.address);
    // Blobs need the second token.
    let registry = Server::start(move |request| match request.header("authorization") {
        Some("Bearer t2") => content.answer(request),
        Some("Bearer t1") if request.path.contains("/manifests/") => content.answer(request),
        _ => challenge(&realm),
    });
    User::new().run(&format!("pull -q {}/app:1", registry.address)).ok();
}

fn an_identity_token_is_traded() {
    let content = Content::of(&[file("a", b"1")]);
    let giver = Server::start(|request| match request.method.as_str() {
        "POST" => Answer::ok(r#"{"access_token":"good"}"#),
        _ => Answer::status(400),
    });
    let realm = format!("http://{}/", giver.address);
    let registry = Server::start(move |request| match request.header("authorization") {
        Some("Bearer good") => content.answer(request),
        _ => challenge(&realm),
    });
    let user = User::new();
    let auths = serde_json::json!({ "auths": { registry.address.to_string(): { "identitytoken": "refresh" } } });
    std::fs::write(user.settings("config.json"), auths.to_string()).unwrap();
    user.run(&format!("pull -q {}/app:1", registry.address)).ok();
    assert!(giver.seen().iter().all(|request| request.header("authorization").is_none()));
}

fn nobody_else_learns_the_token() {
    let content = Content::of(&[file("a", b"1")]);
    let there = content.clone();
    let elsewhere = Server::start(move |request| there.answer(request));
    let target = elsewhere.address;
    // Basic, which is sent with every request to the registry itself.
    let registry = Server::start(move |request| {
        if request.header("authorization").is_none() {
            return Answer::status(401).header("www-authenticate", "Basic realm=\"x\"");
        }
        match request.path.contains("/blobs/") {
            true => Answer::status(307).header("location", format!("http://{target}{}", request.path)),
            false => content.answer(request),
        }
    });
    let user = User::new();
    keep(&user, &registry);
    user.run(&format!("pull -q {}/app:1", registry.address)).ok();
    assert_eq!(elsewhere.seen().len(), 2);
    for request in elsewhere.seen() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }
    // Nor does one that asks for it.
    let curious = Server::start(|_| Answer::status(401).header("www-authenticate", "Basic realm=\"x\""));
    let target = curious.address;
    let content = Content::of(&[file("b", b"2")]);
    let registry = Server::start(move |request| match request.path.contains("/blobs/") {
        true => Answer::status(307).header("location", format!("http://{target}{}", request.path)),
        false => content.answer(request),
    });
    keep(&user, &registry);
    pull_fails(&user, &format!("{}/app:1", registry.address));
    assert_eq!(curious.seen().len(), 1);
    assert_eq!(curious.seen()[0].header("authorization"), None);
}

fn an_open_giver_of_tokens_elsewhere_is_refused() {
    let giver = Server::start(|_| Answer::ok(r#"{"token":"x"}"#));
    let realm = format!("http://localhost:{}/token", giver.address.port());
    let registry = Server::start(move |_| challenge(&realm));
    let user = User::new();
    keep(&user, &registry);
    let error = pull_fails(&user, &format!("{}/app:1", registry.address));
    assert!(error.contains("without TLS, it would not stay secret"), "{error}");
    assert_eq!(giver.seen().len(), 0);
}

fn a_giver_without_measure_is_refused() {
    for (answer, words) in [
        ("x".repeat(300 << 10), "more than the"),
        (format!("{{\"token\":\"{}\"}}", "x".repeat(100 << 10)), "its token is none"),
        ("{\"token\":\"a\\nb: c\"}".to_owned(), "its token is none"),
        ("{}".to_owned(), "its token is none"),
        ("no".to_owned(), "holds no token"),
    ] {
        let giver = Server::start(move |_| Answer::ok(answer.clone()));
        let realm = format!("http://{}/token", giver.address);
        let registry = Server::start(move |_| challenge(&realm));
        let error = pull_fails(&User::new(), &format!("{}/app:1", registry.address));
        assert!(error.contains(words), "{words}: {error}");
    }
}

fn settings_that_are_not_for_us() {
    let content = Content::of(&[file("a", b"1")]);
    let server = Server::start(move |request| content.answer(request));
    let user = User::new();
    let closed =
        |path: &std::path::Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
    std::fs::write(user.settings("docker/daemon.json"), "{}").unwrap();
    closed(&user.settings("docker/daemon.json"));
    std::fs::create_dir(user.settings("docker/certs.d")).unwrap();
    closed(&user.settings("docker/certs.d"));
    user.run(&format!("pull -q {}/app:1", server.address)).ok();
    // One's own configuration is another matter.
    std::fs::write(user.settings("config.json"), "{}").unwrap();
    closed(&user.settings("config.json"));
    let error = user.run(&format!("login {}", server.address)).fails(1);
    assert!(error.contains("config.json: Permission denied"), "{error}");
}
