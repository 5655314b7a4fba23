//! Who may connect, and how long they may take.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waker, Poll, ready};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, interval, sleep};

use super::Registry;
use super::handle::handle;
use super::peers::{Peer, Peers};

/// As long as somebody may take to send the next bytes of a body, or to take the next bytes of an answer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// As long as the head of a request may take, from the end of the one before.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// No more at a time: others wait until one ends.
const CONNECTIONS: u64 = 1024;
/// An address has at most this part of them; what it opens beyond is closed at once.
const PART: usize = 4;
/// What a connection may take of memory for what comes: also the most that a head may have.
const BUFFER: usize = 64 << 10;
/// How often it is looked who has ended.
const TICK: Duration = Duration::from_secs(1);
/// When no file can be opened any more, a moment later one can.
const PAUSE: Duration = Duration::from_millis(100);

/// Where connections come in.
pub struct Listener {
    listener: TcpListener,
    interrupt: Signal,
    terminate: Signal,
}

impl Listener {
    /// Listens on `address`, and for signals.
    pub async fn open(address: SocketAddr) -> io::Result<Listener> {
        let [interrupt, terminate] = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        let listener = TcpListener::bind(address).await?;
        Ok(Listener { listener, interrupt: interrupt?, terminate: terminate? })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until this process is told to end.
    pub async fn serve(mut self, registry: Arc<Registry>) {
        let most = allowed();
        let (places, peers) = (Arc::new(Semaphore::new(most)), Arc::new(Peers::default()));
        let mut tick = interval(TICK);
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                accepted = accept(&self.listener, &places) => match accepted {
                    Ok((stream, from, place)) => {
                        if let Some(peer) = peers.connect(from, most.div_ceil(PART)) {
                            drop(tokio::spawn(connection(registry.clone(), stream, peer, place)));
                        }
                    }
                    Err(_) => sleep(PAUSE).await,
                },
                _ = tick.tick() => registry.tick(),
            }
        }
    }
}

/// The next connection, as soon as there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, from) = listener.accept().await?;
    Ok((stream, from, place))
}

async fn connection(registry: Arc<Registry>, stream: TcpStream, peer: Peer, place: OwnedSemaphorePermit) {
    // An answer is sent as it is written; small ones are not held back for more.
    let _ = stream.set_nodelay(true);
    let stream = WriteTimeout { stream, sleep: Box::pin(sleep(PATIENCE)), waits: false };
    let client = peer.address();
    let service = service_fn(move |request| handle(registry.clone(), client, request));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(BUFFER);
    // Why somebody left is their business.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
    drop((place, peer));
}

/// How many connections there may be. Each takes a file, and may want one more.
fn allowed() -> usize {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| {
        let wanted = most.min(8 * CONNECTIONS);
        setrlimit(Resource::RLIMIT_NOFILE, wanted, most).map(|()| wanted)
    });
    (raised.unwrap_or(CONNECTIONS) / 4).clamp(1, CONNECTIONS) as usize
}

/// A connection that ends if what is written is not taken.
struct WriteTimeout {
    stream: TcpStream,
    sleep: Pin<Box<Sleep>>,
    /// Whether something waits to be taken.
    waits: bool,
}

impl WriteTimeout {
    /// Passes on how writing went, unless it has gone on for too long.
    fn watch<T>(&mut self, waker: &mut Waker<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.waits = true;
            self.sleep.as_mut().reset(Instant::now() + PATIENCE);
        }
        ready!(self.sleep.as_mut().poll(waker));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(mut self: Pin<&mut Self>, waker: &mut Waker<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(waker, buffer)
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(mut self: Pin<&mut Self>, waker: &mut Waker<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(waker, bytes);
        self.watch(waker, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        waker: &mut Waker<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(waker, bytes);
        self.watch(waker, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(waker)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(waker)
    }
}
