//! The directories and the few files that programs expect of any root.

use std::path::Path;

use anyhow::Result;

use super::laying::Laying;

const DIRECTORIES: [(&str, u32); 15] = [
    ("/", 0o755),
    ("/dev", 0o755),
    ("/etc", 0o755),
    ("/home", 0o755),
    ("/mnt", 0o755),
    ("/proc", 0o555),
    ("/root", 0o700),
    ("/run", 0o755),
    ("/sys", 0o555),
    ("/tmp", 0o1777),
    ("/usr/bin", 0o755),
    ("/usr/lib", 0o755),
    ("/usr/lib64", 0o755),
    ("/var", 0o755),
    ("/var/tmp", 0o1777),
];

/// All programs are in one directory, under each of the names by which it is called.
const LINKS: [(&str, &str); 5] =
    [("/bin", "usr/bin"), ("/sbin", "usr/bin"), ("/usr/sbin", "bin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64")];

const FILES: [(&str, &str); 6] = [
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    ("/etc/group", "root:x:0:\ntty:x:5:\nnobody:x:65534:\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
    ("/etc/resolv.conf", ""),
    ("/etc/os-release", "NAME=\"Tinbox base\"\nPRETTY_NAME=\"Tinbox base\"\nID=tinbox-base\n"),
];

pub(super) fn lay(tree: &mut Laying) -> Result<()> {
    for (at, mode) in DIRECTORIES {
        tree.directory(Path::new(at), mode)?;
    }
    for (at, target) in LINKS {
        tree.symlink(target, Path::new(at))?;
    }
    for (at, contents) in FILES {
        tree.file(contents.as_bytes(), Path::new(at), 0o644)?;
    }
    Ok(())
}
