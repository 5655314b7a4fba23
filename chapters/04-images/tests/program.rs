//! `ch04-images` on layers as files: what needs no container.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `ch04-images WORDS` in `dir`: its status, and what it said on both streams.
fn ch04(dir: &Path, words: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ch04-images"));
    let output = command.args(words.split_whitespace()).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[track_caller]
fn ok(dir: &Path, words: &str) -> String {
    let (status, said) = ch04(dir, words);
    assert_eq!(status, 0, "{words}: {said}");
    said
}

/// A directory `upper` with a file in it, twice by name.
fn upper() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("upper/etc")).unwrap();
    fs::write(dir.path().join("upper/etc/motd"), "welcome").unwrap();
    fs::hard_link(dir.path().join("upper/etc/motd"), dir.path().join("upper/etc/same")).unwrap();
    dir
}

#[test]
fn compression_changes_the_digest_and_not_the_diff_id() {
    let dir = upper();
    let plain = ok(dir.path(), "pack upper plain.tar");
    let packed = ok(dir.path(), "pack upper packed.tar.gz");
    let line = |text: &str, n: usize| text.lines().nth(n).unwrap().split_whitespace().last().unwrap().to_owned();
    assert_eq!(line(&plain, 0), line(&plain, 1));
    assert_eq!(line(&packed, 1), line(&plain, 1));
    assert_ne!(line(&packed, 0), line(&plain, 0));

    let ids = ok(dir.path(), "ids packed.tar.gz plain.tar");
    let chain: Vec<&str> = ids.lines().filter(|line| line.contains("chain id")).collect();
    assert!(chain[0].ends_with(&line(&plain, 1)) && chain[1] != chain[0], "{ids}");
}

#[test]
fn what_was_packed_is_laid_out_again() {
    let dir = upper();
    ok(dir.path(), "pack upper layer.tar.gz");
    ok(dir.path(), "apply layer.tar.gz laid");
    assert_eq!(ok(dir.path(), "show laid"), ok(dir.path(), "show upper"));
    assert_eq!(fs::read_to_string(dir.path().join("laid/etc/same")).unwrap(), "welcome");
}

/// A layer whose only member is a hard link to `etc/motd`.
fn layer_with_a_link(file: &Path) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Link);
    header.set_mode(0o644);
    header.set_size(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let mut layer = tar::Builder::new(fs::File::create(file).unwrap());
    layer.append_link(&mut header, "link", "etc/motd").unwrap();
    layer.finish().unwrap();
}

#[test]
fn a_hard_link_may_lead_to_a_layer_below_and_nowhere_else() {
    let dir = upper();
    layer_with_a_link(&dir.path().join("link.tar"));
    ok(dir.path(), "apply link.tar laid --on upper");
    assert_eq!(fs::read_to_string(dir.path().join("laid/link")).unwrap(), "welcome");
    let (status, said) = ch04(dir.path(), "apply link.tar alone");
    assert!(status == 125 && said.contains("not there"), "{said}");
    assert!(!dir.path().join("alone").exists(), "nothing half done is left");
}

#[test]
fn what_is_there_is_left_alone() {
    let dir = upper();
    fs::write(dir.path().join("layer.tar"), "precious").unwrap();
    let (status, said) = ch04(dir.path(), "pack upper layer.tar");
    assert!(status == 125 && said.contains("make layer.tar: File exists"), "{said}");
    assert_eq!(fs::read_to_string(dir.path().join("layer.tar")).unwrap(), "precious");
    let (status, said) = ch04(dir.path(), "apply layer.tar upper");
    assert!(status == 125 && said.contains("make upper: File exists"), "{said}");
    assert!(dir.path().join("upper/etc/motd").exists());
}

#[test]
fn what_is_no_layer_is_refused_by_name() {
    let dir = upper();
    fs::write(dir.path().join("text"), "no archive at all").unwrap();
    for words in ["apply text laid", "apply missing laid", "ids missing", "show missing", "pack missing layer.tar"] {
        let (status, said) = ch04(dir.path(), words);
        assert!(status == 125 && said.starts_with("ch04-images: "), "{words}: {said}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing came to be");
}
