//! How a container is started: what its image says, and over it what was asked for.

use anyhow::{Result, ensure};
use images::oci::Config;

use crate::container::options::Options;

/// The config of a container of an image with the config `image`. It is what `inspect` shows and `commit` passes on.
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
    Ok(config)
}

/// The command of a container: the entrypoint, then its arguments.
pub fn command(config: &Config) -> Result<Vec<String>> {
    let command: Vec<String> = config.entrypoint.iter().chain(&config.cmd).cloned().collect();
    ensure!(!command.is_empty(), "no command specified, and the image has none: add one after the image's name");
    ensure!(!command[0].is_empty(), "the command is an empty word");
    Ok(command)
}

/// Each list overrides those before it, by key. In `options`, a key without a value is the caller's variable, or none. An
/// image has no say about the caller's variables: what it has without a value is left out.
pub fn environment(usual: Vec<String>, image: &[String], options: &[String]) -> Result<Vec<String>> {
    let mut variables = usual;
    for entry in image.iter().filter(|entry| !key(entry).is_empty() && entry.contains('=')) {
        set(&mut variables, entry.clone());
    }
    for entry in options {
        ensure!(!key(entry).is_empty(), "invalid environment variable: {entry}");
        match (entry.contains('='), std::env::var(entry)) {
            (true, _) => set(&mut variables, entry.clone()),
            (false, Ok(mine)) => set(&mut variables, format!("{entry}={mine}")),
            (false, Err(_)) => variables.retain(|known| key(known) != entry),
        }
    }
    Ok(variables)
}

fn set(variables: &mut Vec<String>, entry: String) {
    variables.retain(|known| key(known) != key(&entry));
    variables.push(entry);
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
    fn a_variable_without_a_name_is_refused() {
        assert_eq!(
            environment(vec![], &[], &owned(&["=x"])).unwrap_err().to_string(),
            "invalid environment variable: =x"
        );
    }
}
