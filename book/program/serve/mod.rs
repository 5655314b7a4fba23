//! The book in a browser: built, served to this machine (or to the room, if asked), and built again whenever something
//! changes.
//!
//! The server is the least that a browser needs: GET and HEAD, files below one directory, one thread for each
//! connection. A page that it sends listens for the next build and then loads itself again.

mod files;
mod http;
#[cfg(test)]
mod tests;
mod watch;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::building;
use crate::course::Course;
use http::{Reply, Request, Status};

/// Where a page listens for the next build.
const CHANGES: &str = "/-/changes";

/// Goes to the end of each page.
const LISTEN: &str = "<script>new EventSource('/-/changes').onmessage = () => location.reload();</script>\n";

/// Connections at a time. A browser uses about six, and each open page keeps one: enough for a room.
const MOST_CONNECTIONS: usize = 512;

/// How often a waiting connection is told that nothing happened, and thereby whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Builds and serves until interrupted.
pub fn serve(course: &Course, address: SocketAddr) -> Result<()> {
    // First the port: a build is of no use if nobody can look at it.
    let listener = bind(address)?;
    // Before the build, so that no change is missed meanwhile.
    let changes = watch::Changes::of(course)?;
    let site = Arc::new(Site::new(course));
    site.build(course)?;
    println!("The book: http://{}/", listener.local_addr().context("ask for the port")?);
    println!("It is built again whenever you change it. Ctrl-C ends this.");
    let serving = Arc::clone(&site);
    std::thread::spawn(move || accept(&listener, &serving));
    loop {
        let changed = changes.wait()?;
        match site.build(course) {
            Ok(took) => println!("{changed} changed: built again in {:.1} s", took.as_secs_f32()),
            Err(error) => eprintln!("book: {error:#}\nbook: the pages stay as they were"),
        }
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "listen on {address}: another program does so already\n  help: if it is not this book, take another \
             port with `--port {}`, or `--port 0` for any that is free",
            address.port().checked_add(1).unwrap_or(3000)
        ),
        _ => anyhow::Error::new(error).context(format!("listen on {address}")),
    })
}

/// What is served.
struct Site {
    root: PathBuf,
    /// Held for writing while one book is replaced by the next.
    whole: RwLock<()>,
    /// How many builds there have been.
    builds: Mutex<u64>,
    built: Condvar,
    connections: AtomicUsize,
}

impl Site {
    fn new(course: &Course) -> Site {
        Site {
            root: course.html(),
            whole: RwLock::new(()),
            builds: Mutex::new(0),
            built: Condvar::new(),
            connections: AtomicUsize::new(0),
        }
    }

    /// Builds the book, and tells the pages that are open. Says how long it took.
    fn build(&self, course: &Course) -> Result<Duration> {
        let started = Instant::now();
        let whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        building::build_into(course, &self.root)?;
        drop(whole);
        *self.builds.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.built.notify_all();
        Ok(started.elapsed())
    }

    /// Answers one request.
    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        let request = match Request::read(stream) {
            Ok(request) => request,
            Err(Status::HungUp) => return Ok(()),
            Err(status) => return Reply::of(status).send(stream, false),
        };
        if request.path == CHANGES {
            return self.tell_changes(stream);
        }
        let reply = {
            let _whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
            files::reply(&self.root, &request.path)
        };
        reply.with_script(LISTEN).send(stream, request.is_head)
    }

    /// Sends an event for the next build, as `EventSource` understands it.
    fn tell_changes(&self, stream: &TcpStream) -> std::io::Result<()> {
        http::begin_events(stream)?;
        let mut builds = self.builds.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = *builds;
        while *builds == seen {
            builds = self.built.wait_timeout(builds, HEARTBEAT).unwrap_or_else(PoisonError::into_inner).0;
            http::send_event(stream, (*builds != seen).then_some("built"))?;
        }
        Ok(())
    }
}

/// Gives each connection a thread.
fn accept(listener: &TcpListener, site: &Arc<Site>) {
    for stream in listener.incoming().flatten() {
        if site.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            site.connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let site = Arc::clone(site);
        std::thread::spawn(move || {
            // A browser that hangs up in the middle is no matter.
            let _ = site.answer(&stream);
            site.connections.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
