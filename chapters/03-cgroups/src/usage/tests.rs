//! Reading, from directories that look like cgroups.

use super::*;

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

#[test]
fn all_of_v2() {
    let dir = directory(&[
        ("memory.current", "4096\n"),
        ("memory.peak", "8192\n"),
        ("memory.max", "max\n"),
        ("memory.stat", "anon 1\ninactive_file 2048\n"),
        ("memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 0\n"),
        ("cpu.stat", "usage_usec 70\nuser_usec 60\nthrottled_usec 5\n"),
        ("cpu.max", "50000 100000\n"),
        ("pids.current", "3\n"),
        ("pids.max", "20\n"),
        ("io.stat", "8:0 rbytes=10 wbytes=1 rios=1\n8:16 rbytes=5 wbytes=2\n"),
    ]);
    let expected = Usage {
        memory: Some(4096),
        memory_inactive_file: Some(2048),
        memory_peak: Some(8192),
        memory_limit: None,
        cpu_us: Some(70),
        throttled_us: Some(5),
        cpu_limit: Some(500_000_000),
        pids: Some(3),
        pids_limit: Some(20),
        oom_kills: 2,
        io_read: Some(15),
        io_written: Some(3),
    };
    assert_eq!(Usage::read(Some(dir.path()), &[]), expected);
}

#[test]
fn a_hybrid_machine() {
    let v2 = directory(&[("cpu.stat", "usage_usec 70\n"), ("cgroup.threads", "1\n2\n")]);
    let memory = directory(&[
        ("memory.usage_in_bytes", "4096\n"),
        ("memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory.stat", "inactive_file 1\ntotal_inactive_file 2\n"),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
    ]);
    let cpu = directory(&[("cpu.cfs_quota_us", "-1\n"), ("cpu.cfs_period_us", "100000\n")]);
    let blkio = directory(&[(
        "blkio.throttle.io_service_bytes_recursive",
        "8:0 Read 4\n8:0 Write 5\n8:0 Total 9\n8:16 Read 1\nTotal 10\n",
    )]);
    let tree = |names: &str, dir: &tempfile::TempDir| Tree {
        controllers: names.split(',').map(str::to_owned).collect(),
        path: dir.path().to_owned(),
    };
    let usage =
        Usage::read(Some(v2.path()), &[tree("memory", &memory), tree("cpu,other", &cpu), tree("blkio", &blkio)]);
    assert_eq!((usage.memory, usage.memory_limit, usage.memory_inactive_file), (Some(4096), None, Some(2)));
    assert_eq!((usage.cpu_us, usage.cpu_limit, usage.pids, usage.oom_kills), (Some(70), None, Some(2), 1));
    assert_eq!((usage.io_read, usage.io_written), (Some(5), Some(5)));
}

#[test]
fn a_machine_without_cgroups() {
    assert_eq!(Usage::read(None, &[]), Usage::default());
}
