//! TLS: a registry is who it says it is, or it is not spoken to.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::User;
use super::distribution::Distribution;
use crate::Test;
use crate::import::import;
use crate::support::need::Need::{self, Program};

const NEEDS: &[Need] = &[Program("docker-registry"), Program("openssl")];

pub const TESTS: &[Test] = &[
    ("an_unknown_authority_is_not_believed", NEEDS, an_unknown_authority_is_not_believed),
    ("an_authority_is_believed_for_its_registry", NEEDS, an_authority_is_believed_for_its_registry),
    ("tls_verify_false_and_insecure_registries_do_without", NEEDS, verification_can_be_done_without),
    ("a_certificate_for_another_name_is_refused", NEEDS, a_certificate_for_another_name_is_refused),
    ("a_certificate_of_ones_own_is_shown", NEEDS, a_certificate_of_ones_own_is_shown),
    ("what_is_no_certificate_is_named", NEEDS, what_is_no_certificate_is_named),
];

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An authority `ca`, and a certificate `NAME` that it signed, in a directory.
fn certificates(dir: &Path, name: &str, alternative: &str) {
    let at = |file: &str| dir.join(file).display().to_string();
    let (ca, ca_key, key, request, certificate) =
        (at("ca.crt"), at("ca.key"), at(&format!("{name}.key")), at("request"), at(&format!("{name}.cert")));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    if !dir.join("ca.crt").exists() {
        openssl(
            &[&["req", "-x509", "-days", "9", "-subj", "/CN=ours", "-keyout", &ca_key, "-out", &ca][..], &curve]
                .concat(),
        );
    }
    openssl(&[&["req", "-subj", "/CN=x", "-keyout", &key, "-out", &request][..], &curve].concat());
    std::fs::write(dir.join("extensions"), format!("subjectAltName={alternative}")).unwrap();
    openssl(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &ca,
        "-CAkey",
        &ca_key,
        "-CAcreateserial",
        "-days",
        "9",
        "-out",
        &certificate,
        "-extfile",
        &at("extensions"),
    ]);
}

/// A registry with a certificate of an authority of its own.
fn registry(alternative: &str, more: &str) -> Distribution {
    Distribution::start(|dir| {
        certificates(dir, "server", alternative);
        let at = |file: &str| dir.join(file).display().to_string();
        let more = more.replace("CA", &at("ca.crt"));
        format!(
            "http: {{addr: '127.0.0.1:0', tls: {{certificate: {}, key: {}{more}}}}}\n",
            at("server.cert"),
            at("server.key")
        )
    })
}

/// Where the user's certificates for this registry are.
fn place(user: &User, registry: &Distribution) -> PathBuf {
    let dir = user.settings("docker/certs.d").join(&registry.address);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Tries to push an image.
fn push(user: &User, registry: &Distribution, options: &str) -> crate::support::Ended {
    let name = registry.name("app:1");
    import(&user.tinbox, &name, &super::content::file("a", b"1"));
    user.run(&format!("push -q {options} {name}"))
}

fn an_unknown_authority_is_not_believed() {
    let (registry, user) = (registry("IP:127.0.0.1", ""), User::new());
    let error = push(&user, &registry, "").fails(1);
    let expected =
        format!("tinbox: {} cannot be trusted: its certificate is signed by an unknown authority", registry.address);
    assert!(error.starts_with(&expected) && error.contains("--tls-verify=false"), "{error}");
}

fn an_authority_is_believed_for_its_registry() {
    let (registry, user) = (registry("IP:127.0.0.1", ""), User::new());
    std::fs::copy(registry.path("ca.crt"), place(&user, &registry).join("ca.crt")).unwrap();
    push(&user, &registry, "").ok();
    assert_eq!(user.run(&format!("pull -q {}", registry.name("app:1"))).ok(), registry.name("app:1\n"));
    let other = User::new();
    let mut command = other.command(&format!("pull -q {}", registry.name("app:1")));
    let ended = command.env("SSL_CERT_FILE", registry.path("ca.crt")).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

fn verification_can_be_done_without() {
    let (registry, user) = (registry("IP:127.0.0.1", ""), User::new());
    push(&user, &registry, "--tls-verify=false").ok();
    user.run(&format!("pull -q --tls-verify=false {}", registry.name("app:1"))).ok();
    user.run(&format!("pull -q --tls-verify=true {}", registry.name("app:1"))).fails(1);
    let settings = serde_json::json!({ "insecure-registries": ["10.0.0.0/8", registry.address] });
    std::fs::write(user.settings("docker/daemon.json"), settings.to_string()).unwrap();
    user.run(&format!("pull -q {}", registry.name("app:1"))).ok();
    std::fs::write(user.settings("docker/daemon.json"), "{").unwrap();
    let error = user.run(&format!("pull -q {}", registry.name("app:1"))).fails(1);
    assert!(error.contains("daemon.json"), "{error}");
}

fn a_certificate_for_another_name_is_refused() {
    let (registry, user) = (registry("DNS:elsewhere.example.com", ""), User::new());
    std::fs::copy(registry.path("ca.crt"), place(&user, &registry).join("ca.crt")).unwrap();
    let error = push(&user, &registry, "").fails(1);
    assert!(error.contains("its certificate is for another name"), "{error}");
}

fn a_certificate_of_ones_own_is_shown() {
    let (registry, user) = (registry("IP:127.0.0.1", ", clientcas: [CA]"), User::new());
    let place = place(&user, &registry);
    std::fs::copy(registry.path("ca.crt"), place.join("ca.crt")).unwrap();
    let error = push(&user, &registry, "").fails(1);
    assert!(error.contains(&registry.address), "{error}");
    certificates(&registry.path(""), "client", "DNS:client");
    std::fs::copy(registry.path("client.cert"), place.join("client.cert")).unwrap();
    let error = push(&user, &registry, "").fails(1);
    assert!(error.contains("a certificate of one's own needs its key beside it"), "{error}");
    std::fs::copy(registry.path("client.key"), place.join("client.key")).unwrap();
    push(&user, &registry, "").ok();
    // A key that belongs to another certificate.
    std::fs::copy(registry.path("server.key"), place.join("client.key")).unwrap();
    let error = push(&user, &registry, "").fails(1);
    assert!(error.contains("client.cert") && error.contains("client.key"), "{error}");
}

fn what_is_no_certificate_is_named() {
    let (registry, user) = (registry("IP:127.0.0.1", ""), User::new());
    std::fs::write(place(&user, &registry).join("ca.crt"), "none").unwrap();
    let error = push(&user, &registry, "").fails(1);
    assert!(error.contains("ca.crt: no certificate in PEM form in it"), "{error}");
}
