//! Debian's `docker-registry`, on a port of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// It runs until this is dropped.
pub struct Distribution {
    process: Child,
    dir: tempfile::TempDir,
    pub address: String,
}

impl Distribution {
    /// One that anybody may use.
    pub fn open() -> Distribution {
        Distribution::start(|_| String::new())
    }

    /// One with a user `me` whose password is `secret`.
    pub fn with_password() -> Distribution {
        Distribution::start(|dir| {
            let made = Command::new("htpasswd").args(["-Bbn", "-C", "4", "me", "secret"]).output().unwrap();
            assert!(made.status.success());
            std::fs::write(dir.join("htpasswd"), made.stdout).unwrap();
            format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", dir.join("htpasswd").display())
        })
    }

    /// One with more settings, which `more` says when it knows the directory.
    pub fn start(more: impl FnOnce(&Path) -> String) -> Distribution {
        let dir = tempfile::Builder::new().prefix("tinbox-e2e-registry-").tempdir().unwrap();
        let more = more(dir.path());
        let http = if more.contains("http:") { "" } else { "http: {addr: '127.0.0.1:0'}\n" };
        let storage = format!("storage: {{filesystem: {{rootdirectory: {}}}}}", dir.path().join("data").display());
        let config = format!("version: 0.1\nlog: {{accesslog: {{disabled: true}}}}\n{storage}\n{http}{more}");
        std::fs::write(dir.path().join("config.yml"), config).unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(dir.path().join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let address =
                line.split("listening on ").nth(1).map(|rest| rest.split([',', '"']).next().unwrap().to_owned());
            said.push(line);
            address
        });
        let address = address.unwrap_or_else(|| panic!("docker-registry does not listen: {said:#?}"));
        // It must be able to go on talking.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Distribution { process, dir, address }
    }

    /// A file of its directory.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// What it is called in names of images, with `rest`.
    pub fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }
}

impl Drop for Distribution {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
