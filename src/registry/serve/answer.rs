//! Answers.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use images::Digest;
use serde::Serialize;

use super::pulls::Delivery;
use crate::say::say;

/// How much of a file is read at a time. Roughly the memory that one client costs.
const PIECE: u64 = 32 << 10;

/// Whoever is refused because others are busy may try again after so many seconds.
const RETRY_AFTER: &str = "5";

/// An answer.
pub type Answer = Response<Content>;

/// What an answer brings.
#[derive(Debug)]
pub enum Content {
    /// Something small.
    Bytes(Bytes),
    /// A part of a file, read as it is sent.
    File {
        /// The file.
        file: Arc<File>,
        /// Where the rest of the part begins.
        at: u64,
        /// How long it is.
        left: u64,
        /// Where it is told how much was sent.
        delivery: Option<Delivery>,
    },
}

impl Content {
    /// The part of `file` that begins at `at` and has `left` bytes.
    pub fn file(file: Arc<File>, at: u64, left: u64) -> Content {
        Content::File { file, at, left, delivery: None }
    }
}

/// An empty answer.
pub fn empty(status: StatusCode) -> Answer {
    with(status, Content::Bytes(Bytes::new()))
}

/// An answer with this content.
pub fn with(status: StatusCode, content: Content) -> Answer {
    let length = content.size_hint().exact().unwrap_or_default();
    let mut answer = Response::new(content);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    answer.headers_mut().insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    answer
}

/// An answer in JSON.
pub fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let mut answer = with(status, Content::Bytes(bytes.into()));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Says that something was taken in, and where it is.
pub fn created(name: &str, kind: &str, digest: &Digest) -> Answer {
    let mut answer = empty(StatusCode::CREATED);
    header(&mut answer, "location", &format!("/v2/{name}/{kind}/{digest}"));
    header(&mut answer, "docker-content-digest", &digest.to_string());
    answer
}

/// Adds a header. What cannot be one is left out.
pub fn header(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// A request to which the answer is no.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    code: &'static str,
    message: String,
}

/// The result of a request.
pub type Result<T> = std::result::Result<T, Refusal>;

impl Refusal {
    /// With one of the codes that the specification lists under "Error Codes".
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into() }
    }

    /// There is no such thing.
    pub fn unknown(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, code, message)
    }

    /// The request makes no sense.
    pub fn bad(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Somebody else has to end first.
    pub fn busy(message: &str) -> Refusal {
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
    }

    /// It is not done here.
    pub fn unsupported(message: &str) -> Refusal {
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message)
    }

    /// As an answer.
    pub fn answer(&self) -> Answer {
        let mut answer = json(
            self.status,
            &serde_json::json!({ "errors": [{ "code": self.code, "message": self.message, "detail": null }] }),
        );
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            header(&mut answer, "retry-after", RETRY_AFTER);
        }
        answer
    }
}

/// What goes wrong on this side is told on this side alone.
impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Refusal {
        say!("tinbox: {error:#}");
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "UNKNOWN",
            "the registry has a problem, which it told its owner",
        )
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    /// Reads from files without waiting for another thread: a piece is small, and mostly in memory already.
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = match self.get_mut() {
            Content::Bytes(bytes) if bytes.is_empty() => None,
            Content::Bytes(bytes) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            Content::File { left: 0, .. } => None,
            Content::File { file, at, left, delivery } => {
                let mut piece = vec![0; PIECE.min(*left) as usize];
                Some(file.read_exact_at(&mut piece, *at).map(|()| {
                    *at += piece.len() as u64;
                    *left -= piece.len() as u64;
                    if let Some(delivery) = delivery {
                        delivery.sent(piece.len(), *left == 0);
                    }
                    Frame::data(piece.into())
                }))
            }
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File { left, .. } => *left,
        })
    }
}
