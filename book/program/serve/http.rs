//! As much of HTTP/1.1 (RFC 9112) as a browser needs to read files: one request for each connection.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The longest head of a request that is read.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long a browser may take to say what it wants, or to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The path, without the query.
    pub path: String,
    /// Whether only the head of the answer is wanted.
    pub is_head: bool,
}

/// How a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Here it is.
    Ok,
    /// This is no request.
    BadRequest,
    /// There is no such file.
    NotFound,
    /// Only GET and HEAD.
    MethodNotAllowed,
    /// The head of the request never ends.
    TooLarge,
    /// The other side has gone, and no answer is wanted.
    HungUp,
}

impl Status {
    fn line(self) -> &'static str {
        match self {
            Status::Ok => "200 OK",
            Status::NotFound => "404 Not Found",
            Status::MethodNotAllowed => "405 Method Not Allowed",
            Status::TooLarge => "431 Request Header Fields Too Large",
            Status::BadRequest | Status::HungUp => "400 Bad Request",
        }
    }
}

impl Request {
    /// Reads the head of a request.
    pub fn read(mut stream: &TcpStream) -> Result<Request, Status> {
        let patience = stream.set_read_timeout(Some(PATIENCE)).and(stream.set_write_timeout(Some(PATIENCE)));
        patience.map_err(|_| Status::HungUp)?;
        let mut head = Vec::new();
        let mut buffer = [0; 1024];
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(0) => return Err(Status::HungUp),
                Ok(count) => head.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Status::HungUp),
            }
            if head.len() > LONGEST_HEAD {
                return Err(Status::TooLarge);
            }
        }
        Request::parse(&head)
    }

    fn parse(head: &[u8]) -> Result<Request, Status> {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| Status::BadRequest)?;
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Status::BadRequest);
        };
        if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return Err(Status::BadRequest);
        }
        let is_head = match method {
            "GET" => false,
            "HEAD" => true,
            _ => return Err(Status::MethodNotAllowed),
        };
        let path = target.split(['?', '#']).next().unwrap_or_default();
        Ok(Request { path: path.to_owned(), is_head })
    }
}

/// An answer.
pub struct Reply {
    status: Status,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Reply {
    /// An answer with `body`.
    pub fn new(status: Status, content_type: &'static str, body: Vec<u8>) -> Reply {
        Reply { status, content_type, body }
    }

    /// An answer that says no more than its status.
    pub fn of(status: Status) -> Reply {
        Reply::new(status, "text/plain; charset=utf-8", format!("{}\n", status.line()).into_bytes())
    }

    /// With `script` at the end, if it is a page.
    pub fn with_script(mut self, script: &str) -> Reply {
        if self.content_type.starts_with("text/html") {
            self.body.extend_from_slice(script.as_bytes());
        }
        self
    }

    /// Sends it; without the body, if only the head is wanted.
    pub fn send(&self, mut stream: &TcpStream, head_only: bool) -> std::io::Result<()> {
        let allow = if self.status == Status::MethodNotAllowed { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            self.status.line(),
            self.content_type,
            self.body.len()
        );
        stream.write_all(head.as_bytes())?;
        if head_only { Ok(()) } else { stream.write_all(&self.body) }
    }
}

/// Begins a stream of events.
pub fn begin_events(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n\
          retry: 500\n\n",
    )
}

/// Sends an event, or a comment that says nothing.
pub fn send_event(mut stream: &TcpStream, event: Option<&str>) -> std::io::Result<()> {
    match event {
        Some(event) => stream.write_all(format!("data: {event}\n\n").as_bytes()),
        None => stream.write_all(b":\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let parse = |text: &str| Request::parse(format!("{text}\r\nHost: x\r\n\r\n").as_bytes());
        let get = |path: &str| Ok(Request { path: path.into(), is_head: false });
        assert_eq!(parse("GET / HTTP/1.1"), get("/"));
        assert_eq!(parse("GET /a.html?highlight=x HTTP/1.0"), get("/a.html"));
        assert_eq!(parse("HEAD /a HTTP/1.1"), Ok(Request { path: "/a".into(), is_head: true }));
        assert_eq!(parse("POST / HTTP/1.1"), Err(Status::MethodNotAllowed));
        for bad in
            ["", "GET", "GET /", "GET / HTTP/2.0", "GET a HTTP/1.1", "GET http://x/ HTTP/1.1", "GET / a HTTP/1.1"]
        {
            assert_eq!(parse(bad), Err(Status::BadRequest), "{bad:?}");
        }
        assert_eq!(Request::parse(b"GET /\xff HTTP/1.1\r\n\r\n"), Err(Status::BadRequest));
    }
}
