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

/// Each list overrides those before it, by key. A key without a value is the caller's variable, or none.
pub fn environment(usual: Vec<String>, image: &[String], options: &[String]) -> Result<Vec<String>> {
    let mut variables = usual;
    for entry in image.iter().chain(options) {
        let key = entry.split('=').next().unwrap_or_default();
        ensure!(!key.is_empty(), "invalid environment variable: {entry}");
        variables.retain(|known| known.split('=').next() != Some(key));
        match (entry.contains('='), std::env::var(key)) {
            (true, _) => variables.push(entry.clone()),
            (false, Ok(mine)) => variables.push(format!("{key}={mine}")),
            (false, Err(_)) => {}
        }
    }
    Ok(variables)
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
    fn a_variable_without_a_name_is_refused() {
        assert_eq!(
            environment(vec![], &[], &owned(&["=x"])).unwrap_err().to_string(),
            "invalid environment variable: =x"
        );
    }
}
