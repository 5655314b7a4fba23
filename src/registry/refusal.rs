//! A response that says no, and why.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::error::Error;
use super::transport::{Response, read_at_most};
use crate::text::printable;

/// What is read of it.
const LARGEST: u64 = 64 << 10;

/// The error that a response stands for.
pub fn error_of(response: Response) -> Error {
    let status = response.status;
    let retry_after = response.header("retry-after").and_then(|value| wait(value, response.header("date")));
    let body = read_at_most(response, LARGEST, "an error").unwrap_or_default();
    let message = serde_json::from_slice(&body).map(|complaint: ErrorBody| complaint.words()).unwrap_or_default();
    Error::Refused { status, message, retry_after }
}

/// How long `Retry-After` asks to wait: seconds, or a date (RFC 9110, section 10.2.3), which is measured from the server's
/// own `Date`, where it says one.
fn wait(retry_after: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = retry_after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(retry_after).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

/// The body of a response that says no (distribution specification, "Error Codes"), or of a token server.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    errors: Vec<Item>,
    #[serde(default)]
    details: String,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl ErrorBody {
    /// `manifest unknown: manifest unknown`, as docker shows it.
    fn words(&self) -> String {
        let shown = |item: &Item| {
            let code = item.code.to_lowercase().replace('_', " ");
            let parts: Vec<&str> = [code.as_str(), &item.message].into_iter().filter(|part| !part.is_empty()).collect();
            parts.join(": ")
        };
        let words: Vec<String> = self.errors.iter().take(3).map(shown).collect();
        printable(if words.is_empty() { self.details.clone() } else { words.join("; ") }.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let (date, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(wait("20", None), Some(Duration::from_secs(20)));
        assert_eq!(wait(later, Some(date)), Some(Duration::from_secs(30)));
        assert_eq!(wait(date, Some(later)), Some(Duration::ZERO));
        assert_eq!(wait(date, None), Some(Duration::ZERO));
        assert_eq!(wait("soon", None), None);
    }
}
