//! The server as a browser meets it, with a book of one page.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;

use super::*;

/// A course of one page, served.
struct Served {
    repository: tempfile::TempDir,
    course: Course,
    site: Arc<Site>,
    address: SocketAddr,
}

impl Served {
    fn new() -> Served {
        let repository = tempfile::tempdir().unwrap();
        let course = Course::at(repository.path());
        for folder in [course.pages(), course.transcripts(), course.figures()] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(course.book().join("book.toml"), "[output.html.print]\nenable = false\n").unwrap();
        fs::write(course.pages().join("SUMMARY.md"), "- [Page](page.md)\n").unwrap();
        fs::write(course.pages().join("page.md"), "# The first text\n").unwrap();
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let site = Arc::new(Site::new(&course));
        site.build(&course).unwrap();
        let serving = Arc::clone(&site);
        std::thread::spawn(move || accept(&listener, &serving));
        Served { repository, course, site, address }
    }

    fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        self.whole(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    fn whole(&self, request: &str) -> String {
        let mut answer = Vec::new();
        self.send(request).read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[test]
fn pages_are_served_with_a_script_that_listens() {
    let served = Served::new();
    let page = served.get("/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"), "{page}");
    assert!(page.contains("The first text") && page.ends_with(LISTEN), "{page}");
    assert_eq!(served.get("/page.html").split("\r\n\r\n").nth(1), page.split("\r\n\r\n").nth(1));
    let head = served.whole("HEAD / HTTP/1.1\r\n\r\n");
    assert!(page.starts_with(&head) && head.ends_with("\r\n\r\n"), "{head}");
    let length = page.split("Content-Length: ").nth(1).and_then(|rest| rest.split('\r').next()).unwrap();
    assert_eq!(page.split_once("\r\n\r\n").unwrap().1.len().to_string(), length);
}

#[test]
fn what_is_not_of_the_book_is_not_served() {
    let served = Served::new();
    fs::write(served.repository.path().join("secret"), "SECRET").unwrap();
    for path in ["/gone.html", "/../../secret", "/%2e%2e/%2e%2e/secret", "//etc/passwd", "/..%2f..%2fsecret"] {
        let answer = served.get(path);
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n") && !answer.contains("SECRET"), "{path}: {answer}");
    }
    let post = served.whole("POST / HTTP/1.1\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405 Method Not Allowed\r\n") && post.contains("Allow: GET, HEAD"), "{post}");
    assert!(served.whole("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(16 * 1024));
    assert!(served.whole(&endless).starts_with("HTTP/1.1 431 "));
}

#[test]
fn a_change_is_noticed_built_and_told() {
    let served = Served::new();
    let changes = watch_of(&served);
    let mut events = BufReader::new(served.send("GET /-/changes HTTP/1.1\r\n\r\n"));
    wait_for(&mut events, "retry: 500");
    fs::write(served.course.pages().join("page.md"), "# The second text\n").unwrap();
    assert_eq!(changes.wait().unwrap(), "book/src/page.md");
    served.site.build(&served.course).unwrap();
    wait_for(&mut events, "data: built");
    assert!(served.get("/page.html").contains("The second text"));
}

fn watch_of(served: &Served) -> watch::Changes {
    for folder in ["chapters", "exercises"] {
        fs::create_dir(served.repository.path().join(folder)).unwrap();
    }
    watch::Changes::of(&served.course).unwrap()
}

fn wait_for(events: &mut impl BufRead, line: &str) {
    assert!(events.lines().map_while(std::result::Result::ok).any(|found| found == line), "{line} never came");
}

#[test]
fn a_build_that_fails_leaves_the_book_as_it_was() {
    let served = Served::new();
    fs::write(served.course.pages().join("page.md"), "# The second text\n\n[x](gone.md)\n").unwrap();
    let error = served.site.build(&served.course).unwrap_err();
    assert!(format!("{error:#}").contains("book/src/page.md:3: the link gone.html leads nowhere"), "{error:#}");
    assert!(served.get("/").contains("The first text"));
    let left: Vec<_> = fs::read_dir(served.course.book()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".book-")), "{left:?}");
}

#[test]
fn what_mdbook_warns_of_is_an_error() {
    let served = Served::new();
    fs::write(served.course.pages().join("page.md"), "# Text\n\n<details>\n\nnever closed\n").unwrap();
    let error = format!("{:#}", served.site.build(&served.course).unwrap_err());
    assert!(error.contains("details") && error.contains("page.md"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_said_to_be() {
    let served = Served::new();
    let error = bind(served.address).unwrap_err().to_string();
    assert!(error.starts_with(&format!("listen on {}: another program does so already", served.address)), "{error}");
}

#[test]
fn only_a_book_is_replaced() {
    let served = Served::new();
    let home = served.repository.path().join("home");
    fs::create_dir(&home).unwrap();
    building::build_into(&served.course, &home).unwrap();
    building::build_into(&served.course, &home).unwrap();
    fs::remove_file(home.join(".tinbox-book")).unwrap();
    let error = building::build_into(&served.course, &home).unwrap_err().to_string();
    assert!(error.contains("holds something that is no book"), "{error}");
    assert!(home.join("index.html").exists());
}
