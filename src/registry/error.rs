//! What can go wrong between here and a registry.

use std::time::Duration;

/// An error of a registry, or of the way to it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There was no connection, or it broke: nothing is known about what was asked for.
    #[error("{host} could not be reached: {cause}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// In plain words.
        cause: String,
        /// What kind of failure it was.
        kind: FailureKind,
    },
    /// There was somebody, but it is not sure who.
    #[error("{host} cannot be trusted: {cause}")]
    Untrusted {
        /// Host and port.
        host: String,
        /// In plain words.
        cause: String,
    },
    /// The registry answered, and said no.
    #[error("{}", said(*.status, .message))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the registry said about it, fit to be printed; may be empty.
        message: String,
        /// How long it wants to be left alone (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// What came is not what it should be.
    #[error("{0}")]
    Wrong(String),
    /// The work was given up, because another part of it failed.
    #[error("given up")]
    Stopped,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing listens there.
    Refused,
    /// The connection came about, and broke.
    Broken,
    /// Nobody answered in time.
    TimedOut,
    /// No network, no way there, or no name server that answers.
    NoNetwork,
    /// Somebody answered, but not with TLS.
    NotTls,
    /// It will not be otherwise next time: there is no such host, for example.
    Lasting,
}

/// The result of talking to a registry.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether the same request may succeed if it is sent again.
    pub fn is_passing(&self) -> bool {
        match self {
            Error::Unreachable { kind, .. } => !matches!(kind, FailureKind::NotTls | FailureKind::Lasting),
            Error::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            Error::Untrusted { .. } | Error::Wrong(_) | Error::Stopped => false,
        }
    }

    /// What kind of failure it was, if there was no answer.
    pub fn kind(&self) -> Option<FailureKind> {
        match self {
            Error::Unreachable { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Whether this failed because a registry could not be reached, so that what needs no network may still work.
pub fn could_not_be_reached(error: &anyhow::Error) -> bool {
    matches!(find(error), Some(Error::Unreachable { .. }))
}

/// The error of a registry that is behind another one, perhaps inside an error of reading.
pub fn find(error: &anyhow::Error) -> Option<&Error> {
    error.chain().find_map(|cause| {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause.downcast_ref().or(inner.and_then(|inner| inner.downcast_ref()))
    })
}

fn said(status: u16, message: &str) -> String {
    let meaning = match status {
        401 => "unauthorized: authentication required",
        403 => "denied: requested access to the resource is denied",
        404 => "not found",
        429 => "toomanyrequests: the registry asks for patience",
        500..=599 => "the registry has a problem of its own",
        _ => "the registry refused",
    };
    if message.is_empty() { format!("{meaning} (status {status})") } else { message.to_owned() }
}
