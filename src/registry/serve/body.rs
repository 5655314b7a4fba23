//! Reading what a client sends.
//!
//! What is held in memory is bounded for each connection, and by the number of connections for all of them.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Body;
use images::store::DOCUMENT_MAX;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::answer::{Refusal, Result};
use super::connections::PATIENCE;

/// As much is collected before another thread writes it: more than a single read from the network brings.
const PIECE: usize = 64 << 10;
/// As long as a piece of a manifest may take, which is nearly always all of it.
const MANIFEST_PATIENCE: Duration = Duration::from_secs(10);

/// As long as somebody may send nothing of what is thrown away.
const DISCARD_PATIENCE: Duration = Duration::from_secs(5);

/// What comes after a piece of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// More.
    NotYet,
    /// Nothing: that was all.
    Here,
    /// Nothing: the connection broke, or the client takes too long.
    Broken,
}

/// The next bytes. They are copied: a client that sends one at a time would keep a whole buffer for each.
pub async fn next_piece<B: Body + Unpin>(body: &mut B) -> (Vec<u8>, End)
where
    B::Data: AsRef<[u8]>,
{
    let mut piece = Vec::new();
    while piece.len() < PIECE {
        let next = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
        match timeout(PATIENCE, next).await {
            Ok(None) => return (piece, End::Here),
            Ok(Some(Err(_))) | Err(_) => return (piece, End::Broken),
            Ok(Some(Ok(frame))) => {
                // Trailers say nothing here.
                if let Ok(bytes) = frame.into_data() {
                    piece.extend_from_slice(bytes.as_ref());
                }
            }
        }
    }
    (piece, End::NotYet)
}

/// Reads what is left, and throws it away: whoever is still sending when the connection ends hears no answer.
pub async fn discard<B: Body + Unpin>(body: &mut B) {
    let all = async {
        loop {
            let next = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
            if !matches!(timeout(DISCARD_PATIENCE, next).await, Ok(Some(Ok(_)))) {
                return;
            }
        }
    };
    let _ = timeout(PATIENCE, all).await;
}

/// A whole manifest, and leave to hold it in memory, if it is so large that this takes leave: one of `large`.
///
/// The bytes are read before anything is waited for, so whoever sends nothing keeps nothing from the others.
pub async fn manifest<B: Body + Unpin>(
    mut body: B,
    large: &Arc<Semaphore>,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>)>
where
    B::Data: AsRef<[u8]>,
{
    let late = |_| Refusal::bad("MANIFEST_INVALID", "it took too long to come");
    let (mut bytes, mut end) = timeout(MANIFEST_PATIENCE, next_piece(&mut body)).await.map_err(late)?;
    let mut leave = None;
    while end == End::NotYet {
        if leave.is_none() {
            let busy = || Refusal::busy("others are sending large manifests: try again");
            leave = Some(large.clone().try_acquire_owned().map_err(|_| busy())?);
        }
        let (piece, after) = timeout(MANIFEST_PATIENCE, next_piece(&mut body)).await.map_err(late)?;
        bytes.extend_from_slice(&piece);
        end = after;
        if bytes.len() as u64 > DOCUMENT_MAX {
            let message = format!("{DOCUMENT_MAX} bytes are the most that a manifest may have");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", message));
        }
    }
    match end {
        End::Broken => Err(Refusal::bad("MANIFEST_INVALID", "the connection broke")),
        _ => Ok((bytes, leave)),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::{Context, Poll};

    use hyper::body::{Bytes, Frame};

    use super::*;

    /// One byte after the other, each of them in a buffer of its own that is much larger.
    struct Dribble {
        left: usize,
        held: Vec<Bytes>,
    }

    impl Body for Dribble {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            self.left -= 1;
            let buffer = Bytes::from(vec![b'x'; 100]);
            self.held.push(buffer.clone());
            Poll::Ready(Some(Ok(Frame::data(buffer.slice(0..1)))))
        }
    }

    #[test]
    fn small_chunks_keep_no_buffers() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut body = Dribble { left: PIECE + 5, held: Vec::new() };
        let (piece, end) = runtime.block_on(next_piece(&mut body));
        assert_eq!((piece.len(), end), (PIECE, End::NotYet));
        assert!(body.held.iter().all(Bytes::is_unique), "a buffer is still held");
        let (piece, end) = runtime.block_on(next_piece(&mut body));
        assert_eq!((piece.len(), end), (5, End::Here));
    }

    #[test]
    fn only_large_manifests_take_leave() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let read = |size: usize, large: usize| {
            let body = Dribble { left: size, held: Vec::new() };
            runtime
                .block_on(manifest(body, &Arc::new(Semaphore::new(large))))
                .map(|(bytes, leave)| (bytes.len(), leave.is_some()))
        };
        assert_eq!(read(PIECE - 1, 0).unwrap(), (PIECE - 1, false));
        assert_eq!(read(2 * PIECE, 0).unwrap_err().status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(read(2 * PIECE, 1).unwrap(), (2 * PIECE, true));
    }
}
