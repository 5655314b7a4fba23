//! Ports that an image says it listens on: `80`, `53/udp`, `8000-8010/tcp`.

use anyhow::{Context, Result, ensure};

use crate::text::printable;

/// Each port that `text` means, as a config has them: `80/tcp`.
pub fn parse(text: &str) -> Result<Vec<String>> {
    let invalid = || format!("invalid containerPort: {}", printable(text));
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    ensure!(matches!(protocol.as_str(), "tcp" | "udp" | "sctp"), "Invalid proto: {}", printable(&protocol));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let port = |text: &str| text.parse::<u16>().ok().with_context(invalid);
    let (first, last) = (port(first)?, port(last)?);
    ensure!(first <= last, invalid());
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}
