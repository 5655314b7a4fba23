//! An answer that says no, and why.

use std::time::Duration;

use serde::Deserialize;

use super::error::Error;
use super::transport::{Response, read_at_most};
use crate::text::printable;

/// What is read of it.
const LARGEST: u64 = 64 << 10;

/// The error that an answer stands for.
pub fn refusal(response: Response) -> Error {
    let status = response.status;
    let patience = response.header("retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let body = read_at_most(response, LARGEST, "an error").unwrap_or_default();
    let message = serde_json::from_slice(&body).map(|complaint: ErrorBody| complaint.words()).unwrap_or_default();
    Error::Refused { status, message, patience }
}

/// The body of an answer that says no (distribution specification, "Error Codes"), or of a server of tokens.
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
