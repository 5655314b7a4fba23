//! Instructions that change how an image is started: those of a Dockerfile, one at a time, as `commit -c` and
//! `import -c` take them.
//!
//! Source: <https://docs.docker.com/reference/dockerfile/>.

mod healthcheck;
mod ports;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use images::oci::Config;
use serde_json::json;

use crate::text::printable;

/// Applies `instructions` in order. An entrypoint takes away the command of the image, which was meant for another, but
/// not the one that an instruction before it gave.
pub fn apply_all<'a>(config: &mut Config, instructions: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let mut command = None;
    for instruction in instructions {
        apply(config, instruction)?;
        let (name, _) = split(instruction);
        match (name.to_ascii_uppercase().as_str(), &command) {
            ("CMD", _) => command = Some(config.cmd.clone()),
            ("ENTRYPOINT", Some(given)) => config.cmd.clone_from(given),
            _ => {}
        }
    }
    Ok(())
}

/// Applies one instruction, such as `CMD ["nginx"]`. One that is wrong changes nothing.
pub fn apply(config: &mut Config, instruction: &str) -> Result<()> {
    let (name, rest) = split(instruction);
    ensure!(!name.is_empty(), "file with no instructions");
    let mut changed = config.clone();
    change(&mut changed, &name.to_ascii_uppercase(), rest).with_context(|| format!("-c '{}'", shown(instruction)))?;
    *config = changed;
    Ok(())
}

fn change(config: &mut Config, name: &str, rest: &str) -> Result<()> {
    ensure!(!rest.contains('\n'), "it has several lines: use -c once for each instruction");
    let expand = |config: &Config, word: &str| words::expand(word, &config.env);
    match name {
        "CMD" => config.cmd = command(config, rest),
        "ENTRYPOINT" => {
            config.entrypoint = command(config, rest);
            config.cmd = Vec::new();
        }
        "ENV" => {
            let before = config.env.clone();
            for (key, value) in pairs(name, rest, &before)? {
                let entry = format!("{key}={value}");
                match config.env.iter_mut().find(|known| known.split('=').next() == Some(&key)) {
                    Some(known) => *known = entry,
                    None => config.env.push(entry),
                }
            }
        }
        "LABEL" => config.labels.extend(pairs(name, rest, &config.env)?),
        "EXPOSE" => {
            ensure!(!rest.is_empty(), "EXPOSE requires at least one argument");
            for word in words::split(rest)? {
                let found = ports::parse(&expand(config, &word)?)?;
                config.exposed_ports.extend(found.into_iter().map(|port| (port, json!({}))));
            }
        }
        "VOLUME" => {
            let paths = match exec_form(rest) {
                Some(paths) => paths,
                None => words::split(rest)?,
            };
            ensure!(!paths.is_empty(), "VOLUME requires at least one argument");
            for path in paths {
                let path = expand(config, &path)?;
                ensure!(!path.trim().is_empty(), "VOLUME specified can not be an empty string");
                config.volumes.insert(path, json!({}));
            }
        }
        "USER" => config.user = expand(config, one(name, rest)?)?,
        "WORKDIR" => config.working_dir = workdir(&config.working_dir, &expand(config, one(name, rest)?)?)?,
        "STOPSIGNAL" => config.stop_signal = Some(signal(&expand(config, one(name, rest)?)?)?),
        "HEALTHCHECK" => config.healthcheck = Some(healthcheck::parse(rest)?),
        "ONBUILD" => config.on_build.push(trigger(rest)?),
        _ => bail!(
            "{} is not a valid change command\n  help: these are: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, \
             ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR",
            shown(name)
        ),
    }
    Ok(())
}

/// The name of an instruction, and what follows it.
fn split(instruction: &str) -> (&str, &str) {
    let instruction = instruction.trim();
    let (name, rest) = instruction.split_once(char::is_whitespace).unwrap_or((instruction, ""));
    (name, rest.trim())
}

/// `["a", "b"]`, or words for a shell.
fn command(config: &Config, rest: &str) -> Vec<String> {
    if rest.is_empty() {
        return Vec::new();
    }
    exec_form(rest).unwrap_or_else(|| {
        let usual = ["/bin/sh".to_owned(), "-c".to_owned()];
        let shell = if config.shell.is_empty() { usual.as_slice() } else { &config.shell };
        shell.iter().cloned().chain([rest.to_owned()]).collect()
    })
}

/// A JSON list of texts. What only looks like one is taken as it is, as docker does.
fn exec_form(rest: &str) -> Option<Vec<String>> {
    serde_json::from_str(rest).ok()
}

/// `KEY=VALUE …`, or in the old way `KEY VALUE`.
fn pairs(name: &str, rest: &str, env: &[String]) -> Result<Vec<(String, String)>> {
    ensure!(!rest.is_empty(), "{name} requires at least one argument");
    let found = words::split(rest)?;
    if !found[0].contains('=') {
        let (key, value) =
            rest.split_once(char::is_whitespace).with_context(|| format!("{name} must have two arguments"))?;
        return Ok(vec![(words::expand(key, env)?, words::expand(value.trim(), env)?)]);
    }
    let pair = |word: &String| {
        let missing = || format!("Syntax error - can't find = in \"{}\". Must be of the form: name=value", shown(word));
        let (key, value) = word.split_once('=').with_context(missing)?;
        let key = words::expand(key, env)?;
        ensure!(!key.is_empty(), "{name} names can not be blank");
        Ok((key, words::expand(value, env)?))
    };
    found.iter().map(pair).collect()
}

fn one<'a>(name: &str, rest: &'a str) -> Result<&'a str> {
    ensure!(!rest.is_empty() && words::split(rest)?.len() == 1, "{name} requires exactly one argument");
    Ok(rest)
}

/// `path` from `before` on, without `.` and `..`.
fn workdir(before: &str, path: &str) -> Result<String> {
    ensure!(!path.is_empty(), "WORKDIR requires exactly one argument");
    let mut clean = PathBuf::from("/");
    for component in Path::new("/").join(before).join(path).components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::ParentDir => drop(clean.pop()),
            _ => {}
        }
    }
    Ok(clean.to_string_lossy().into_owned())
}

/// A signal by name, with SIG in front or not, or by number.
fn signal(text: &str) -> Result<String> {
    let name = text.to_ascii_uppercase();
    let named =
        || [name.clone(), format!("SIG{name}")].iter().any(|name| name.parse::<nix::sys::signal::Signal>().is_ok());
    let numbered = || name.parse::<i32>().is_ok_and(|number| (1..=64).contains(&number));
    ensure!(named() || numbered() || is_real_time(&name), "Invalid signal: {}", shown(text));
    Ok(text.to_owned())
}

/// Whether it is one of the kernel's signals for programs' own use, as docker names them: up to `RTMIN+15`, and from
/// `RTMAX-14` on.
fn is_real_time(name: &str) -> bool {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let (end, offset) = name.split_at_checked(5).unwrap_or((name, ""));
    let up_to = |sign: char, most: u8| {
        let number = offset.strip_prefix(sign).filter(|number| !number.starts_with('+'));
        number.and_then(|number| number.parse().ok()).is_some_and(|number: u8| (1..=most).contains(&number))
    };
    match end {
        "RTMIN" => offset.is_empty() || up_to('+', 15),
        "RTMAX" => offset.is_empty() || up_to('-', 14),
        _ => false,
    }
}

/// What a build on top of the image is to do first.
fn trigger(rest: &str) -> Result<String> {
    let (name, _) = split(rest);
    match name.to_ascii_uppercase().as_str() {
        "" => bail!("ONBUILD requires at least one argument"),
        "ONBUILD" => bail!("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        name @ ("FROM" | "MAINTAINER") => bail!("{name} isn't allowed as an ONBUILD trigger"),
        _ => Ok(rest.to_owned()),
    }
}

fn shown(text: &str) -> String {
    printable(text)
}
