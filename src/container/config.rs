//! How a container is started: what its image says, and over it what was asked for.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use images::oci::Config;

use crate::container::options::Options;

/// What execve(2) takes as one argument or variable, in bytes, with the zero at its end: `MAX_ARG_STRLEN`.
const LONGEST_STRING: usize = 128 << 10;

/// What it takes of all of them, in bytes: a quarter of the stack, which is usually 8 MiB; less what a container gets
/// besides, such as `PATH` and `HOME`.
const LONGEST_LIST: usize = (2 << 20) - (16 << 10);

/// The config of a container of an image with the config `image`. It is what `inspect` shows and `commit` passes on.
///
/// Errors: an option that cannot be, or a command and variables that are more than the kernel takes.
pub fn effective(image: &Config, options: &Options) -> Result<Config> {
    let mut config = image.clone();
    config.env = environment(Vec::new(), &image.env, &options.env)?;
    if let Some(entrypoint) = &options.entrypoint {
        // What the image would have passed to its own entrypoint means nothing to another.
        config.cmd = Vec::new();
        config.entrypoint = Some(entrypoint.clone()).filter(|word| !word.is_empty()).into_iter().collect();
    }
    if !options.command.is_empty() {
        config.cmd = options.command.clone();
    }
    for label in &options.labels {
        let (key, value) = label.split_once('=').unwrap_or((label, ""));
        ensure!(!key.is_empty(), "invalid label: {label}");
        config.labels.insert(key.to_owned(), value.to_owned());
    }
    config.working_dir = options.workdir.clone().unwrap_or(config.working_dir);
    config.user = options.user.clone().unwrap_or(config.user);
    config.stop_signal = options.stop_signal.clone().or(config.stop_signal);
    check_size(&config)?;
    Ok(config)
}

/// The command of a container: the entrypoint, then its arguments.
pub fn command(config: &Config) -> Result<Vec<String>> {
    let command: Vec<String> = config.entrypoint.iter().chain(&config.cmd).cloned().collect();
    ensure!(!command.is_empty(), "no command specified, and the image has none: add one after the image's name");
    ensure!(!command[0].is_empty(), "the command is an empty word");
    Ok(command)
}

/// Each list overrides those before it, by key, and a variable stands where it was set last. In `options`, a key without a
/// value is the caller's variable, or none. An image has no say about the caller's variables: what it has without a value
/// is left out.
pub fn environment(usual: Vec<String>, image: &[String], options: &[String]) -> Result<Vec<String>> {
    let mut entries = usual;
    entries.extend(image.iter().filter(|entry| !key(entry).is_empty() && entry.contains('=')).cloned());
    for entry in options {
        ensure!(!key(entry).is_empty(), "invalid environment variable: {entry}");
        entries.push(match (entry.contains('='), std::env::var(entry)) {
            (false, Ok(mine)) => format!("{entry}={mine}"),
            // Of a variable that the caller does not have, the key alone is left: it takes earlier ones away.
            _ => entry.clone(),
        });
    }
    let mut seen = BTreeSet::new();
    let mut last: Vec<&String> = entries.iter().rev().filter(|entry| seen.insert(key(entry))).collect();
    last.reverse();
    Ok(last.into_iter().filter(|entry| entry.contains('=')).cloned().collect())
}

/// Refuses what execve(2) would: too long a command, or too many variables.
fn check_size(config: &Config) -> Result<()> {
    let words = || config.entrypoint.iter().chain(&config.cmd).chain(&config.env);
    for word in words() {
        ensure!(
            word.len() < LONGEST_STRING,
            "argument list too long: {} has {} bytes, and the kernel takes {} at most",
            images::shown(word.as_bytes()),
            word.len(),
            LONGEST_STRING - 1
        );
    }
    // Each comes with a zero byte at its end, and with a pointer to it.
    let all: usize = words().map(|word| word.len() + 1 + size_of::<usize>()).sum();
    ensure!(
        all <= LONGEST_LIST,
        "argument list too long: the command and its environment variables take {all} bytes, and the kernel takes \
         {LONGEST_LIST} at most"
    );
    Ok(())
}

fn key(entry: &str) -> &str {
    entry.split('=').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn another_entrypoint_does_not_get_the_images_arguments() {
        let image = Config { entrypoint: owned(&["/init"]), cmd: owned(&["serve"]), ..Config::default() };
        let with = |entrypoint: Option<&str>, command: &[&str]| {
            let entrypoint = entrypoint.map(str::to_owned);
            let options = Options { entrypoint, command: owned(command), ..Options::default() };
            effective(&image, &options).and_then(|config| super::command(&config))
        };
        assert_eq!(with(None, &[]).unwrap(), ["/init", "serve"]);
        assert_eq!(with(None, &["once"]).unwrap(), ["/init", "once"]);
        assert_eq!(with(Some("sh"), &[]).unwrap(), ["sh"]);
        assert_eq!(with(Some("sh"), &["-c", "x"]).unwrap(), ["sh", "-c", "x"]);
        assert_eq!(with(Some(""), &["ls"]).unwrap(), ["ls"]);
        assert!(with(Some(""), &[]).is_err());
    }

    #[test]
    fn later_variables_win_and_keep_their_keys_unique() {
        let env = environment(owned(&["PATH=/bin", "A=1"]), &owned(&["A=2"]), &owned(&["B=", "PATH=/x"])).unwrap();
        assert_eq!(env, ["A=2", "B=", "PATH=/x"]);
    }

    #[test]
    fn a_key_alone_passes_on_the_callers_variable_or_removes_it() {
        let home = std::env::var("PATH").unwrap();
        let env = environment(owned(&["PATH=/none", "GONE=1"]), &[], &owned(&["PATH", "GONE"])).unwrap();
        assert_eq!(env, [format!("PATH={home}")]);
    }

    #[test]
    fn an_image_has_no_say_about_the_callers_variables() {
        let env = environment(owned(&["PATH=/bin"]), &owned(&["HOME", "PATH", "=x", "A=1"]), &[]).unwrap();
        assert_eq!(env, ["PATH=/bin", "A=1"]);
    }

    #[test]
    fn what_execve_would_not_take_is_refused() {
        let with = |env: Vec<String>| effective(&Config { env, ..Config::default() }, &Options::default());
        // As many as there may be are no work.
        assert_eq!(with((0..80_000).map(|n| format!("{n}=v")).collect()).unwrap().env.len(), 80_000);
        let error = with((0..200_000).map(|n| format!("{n}=v")).collect()).unwrap_err().to_string();
        assert!(error.starts_with("argument list too long: the command and its environment variables"), "{error}");
        let error = with(vec![format!("A={}", "x".repeat(128 << 10))]).unwrap_err().to_string();
        assert!(error.ends_with("has 131074 bytes, and the kernel takes 131071 at most"), "{error}");
        assert!(error.len() < 400);
        assert!(with(vec![format!("A={}", "x".repeat((128 << 10) - 3))]).is_ok());
        let cmd = vec!["x".repeat(1 << 20); 3];
        assert!(effective(&Config { cmd, ..Config::default() }, &Options::default()).is_err());
    }

    #[test]
    fn a_variable_without_a_name_is_refused() {
        assert_eq!(
            environment(vec![], &[], &owned(&["=x"])).unwrap_err().to_string(),
            "invalid environment variable: =x"
        );
    }
}
