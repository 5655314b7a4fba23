//! The configuration file: what is read, what is written, what is left alone.

use std::os::unix::fs::PermissionsExt;

use super::super::{Credentials, erase, find, store};
use super::ConfigFile;

fn file(content: &str) -> (tempfile::TempDir, ConfigFile) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    if !content.is_empty() {
        std::fs::write(&path, content).unwrap();
    }
    (dir, ConfigFile::at(path))
}

fn password(name: &str, password: &str) -> Credentials {
    Credentials::Password { name: name.into(), password: password.into() }
}

#[test]
fn what_is_stored_is_found_and_erased_again() {
    let (_dir, file) = file("");
    assert_eq!(find(&file, "host:5000").unwrap(), None);
    assert!(store(&file, "host:5000", &password("me", "a:b")).unwrap());
    assert_eq!(find(&file, "host:5000").unwrap(), Some(password("me", "a:b")));
    assert_eq!(find(&file, "host:5001").unwrap(), None);
    assert!(erase(&file, "host:5000").unwrap());
    assert!(!erase(&file, "host:5000").unwrap());
    assert_eq!(find(&file, "host:5000").unwrap(), None);
}

#[test]
fn the_file_is_for_its_owner_and_keeps_what_it_does_not_know() {
    let (dir, file) = file(r#"{"psFormat":"x","auths":{"other":{"auth":"bWU6eA==","email":"e"}},"n":{"a":[1,2]}}"#);
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    store(&file, "docker.io", &password("me", "x")).unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "psFormat": "x",
        "n": { "a": [1, 2] },
        "auths": {
            "other": { "auth": "bWU6eA==", "email": "e" },
            "https://index.docker.io/v1/": { "auth": "bWU6eA==" },
        },
    });
    assert_eq!(value, expected);
    assert!(text.contains("\n\t\"auths\""), "{text}");
    assert_eq!(std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_link_to_the_file_stays_a_link() {
    let (dir, real) = file("{}");
    let link = dir.path().join("link.json");
    std::os::unix::fs::symlink(real.path(), &link).unwrap();
    let linked = ConfigFile::at(link.clone());
    store(&linked, "host", &password("me", "x")).unwrap();
    assert!(link.is_symlink());
    assert_eq!(find(&real, "host").unwrap(), Some(password("me", "x")));
}

#[test]
fn all_of_dockers_ways_to_write_it_are_read() {
    let (_dir, file) = file(
        r#"{"auths":{
            "https://old.example.com/v1/": {"auth":"bWU6eA"},
            "plain": {"username":"me","password":"x"},
            "refresh": {"auth":"bWU6","identitytoken":"t"},
            "direct": {"registrytoken":"t"},
            "empty": {}
        }}"#,
    );
    assert_eq!(find(&file, "old.example.com").unwrap(), Some(password("me", "x")));
    assert_eq!(find(&file, "plain").unwrap(), Some(password("me", "x")));
    assert_eq!(find(&file, "refresh").unwrap(), Some(Credentials::IdentityToken("t".into())));
    assert_eq!(find(&file, "direct").unwrap(), Some(Credentials::RegistryToken("t".into())));
    assert_eq!(find(&file, "empty").unwrap(), None);
}

#[test]
fn a_damaged_file_is_an_error_and_stays_as_it_is() {
    let damaged_entry = r#"{"auths":{"host":{"auth":"!"}}}"#;
    // What is damaged, and whether credentials can still be looked for, and kept.
    for (damaged, found, kept) in
        [("{", false, false), ("[]", false, false), (r#"{"auths":[]}"#, true, false), (damaged_entry, false, true)]
    {
        let (_dir, file) = file(damaged);
        assert_eq!(find(&file, "host").is_ok(), found, "{damaged}");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), damaged);
        assert_eq!(store(&file, "host", &password("me", "x")).is_ok(), kept, "{damaged}");
        if !kept {
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), damaged);
        }
    }
    let (_dir, file) = file(r#"{"credsStore":"../../bin/sh"}"#);
    assert!(find(&file, "host").is_err());
}
