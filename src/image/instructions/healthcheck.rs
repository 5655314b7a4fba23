//! How to see whether a container is well: `HEALTHCHECK [OPTIONS] CMD …`, or `HEALTHCHECK NONE`.

use anyhow::{Context, Result, bail, ensure};
use images::oci::Healthcheck;

use super::{exec_form, shown, split};

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

/// A time as Go writes it (`1m30s`, `500ms`, `1.5h`), in nanoseconds.
fn time(name: &str, text: &str) -> Result<u64> {
    let invalid = || format!("invalid --{name}: {}", shown(text));
    if text == "0" {
        return Ok(0);
    }
    let (mut rest, mut total) = (text, 0.0);
    ensure!(!rest.is_empty(), invalid());
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').with_context(invalid)?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let factor = match &after[..unit] {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => bail!(invalid()),
        };
        total += number.parse::<f64>().ok().with_context(invalid)? * factor;
        rest = &after[unit..];
    }
    ensure!(total == 0.0 || total >= 1e6, "--{name} must be at least 1ms");
    ensure!(total < i64::MAX as f64, invalid());
    Ok(total as u64)
}
