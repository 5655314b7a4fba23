//! How to see whether a container is well: `HEALTHCHECK [OPTIONS] CMD …`, or `HEALTHCHECK NONE`.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use images::oci::Healthcheck;

use super::{exec_form, shown, split};
use crate::duration::go_duration;

/// What `HEALTHCHECK` is followed by.
pub fn parse(mut rest: &str) -> Result<Healthcheck> {
    let mut check = Healthcheck::default();
    while let Some(option) = rest.strip_prefix("--") {
        let (option, after) = split(option);
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "interval" => check.interval = time(name, value)?,
            "timeout" => check.timeout = time(name, value)?,
            "start-period" => check.start_period = time(name, value)?,
            "retries" => {
                check.retries = value.parse().ok().with_context(|| format!("invalid --retries: {}", shown(value)))?;
                ensure!(check.retries > 0, "--retries must be at least 1 (not 0)");
            }
            _ => bail!("Unknown flag: {}", shown(name)),
        }
        rest = after;
    }
    let (kind, command) = split(rest);
    check.test = match kind.to_ascii_uppercase().as_str() {
        "NONE" => {
            ensure!(command.is_empty(), "HEALTHCHECK NONE takes no arguments");
            vec!["NONE".into()]
        }
        "CMD" => {
            let words = exec_form(command);
            ensure!(
                !command.is_empty() && words.as_ref().is_none_or(|words| !words.is_empty()),
                "Missing command after HEALTHCHECK CMD"
            );
            match words {
                Some(words) => ["CMD".to_owned()].into_iter().chain(words).collect(),
                None => vec!["CMD-SHELL".into(), command.into()],
            }
        }
        "" => bail!("HEALTHCHECK requires at least one argument"),
        other => bail!("Unknown type \"{}\" in HEALTHCHECK (try CMD)", shown(other)),
    };
    Ok(check)
}

/// A time, in nanoseconds.
fn time(name: &str, text: &str) -> Result<u64> {
    let time = go_duration(text).with_context(|| format!("invalid --{name}: {}", shown(text)))?;
    ensure!(time.is_zero() || time >= Duration::from_millis(1), "--{name} must be at least 1ms");
    Ok(time.as_nanos() as u64)
}
