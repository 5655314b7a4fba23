//! The translation to cgroup v2.

use crate::{Limits, settings};

fn written(limits: &Limits) -> Vec<String> {
    settings(limits)
        .into_iter()
        .map(|setting| format!("{} {}={}", setting.controller, setting.file, setting.value))
        .collect()
}

#[test]
fn nothing_asked_for_nothing_written() {
    assert_eq!(settings(&Limits::default()), []);
}

#[test]
fn everything() {
    let limits = Limits {
        memory: Some(64 << 20),
        memory_swap: Some(96 << 20),
        memory_reservation: Some(32 << 20),
        cpus: Some(1_500_000_000),
        cpu_shares: Some(1024),
        cpuset_cpus: Some("0-1".into()),
        cpuset_mems: Some("0".into()),
        pids: Some(20),
        blkio_weight: Some(1000),
        ..Limits::default()
    };
    let expected = [
        "memory memory.max=67108864",
        "memory memory.swap.max=33554432",
        "memory memory.low=33554432",
        "cpu cpu.max=150000 100000",
        "cpu cpu.weight=100",
        "cpuset cpuset.cpus=0-1",
        "cpuset cpuset.mems=0",
        "pids pids.max=20",
        "io io.weight=10000",
    ];
    assert_eq!(written(&limits), expected);
}

#[test]
fn as_much_swap_as_memory_if_nobody_says_otherwise() {
    let limits = Limits { memory: Some(8 << 20), ..Limits::default() };
    assert_eq!(written(&limits), ["memory memory.max=8388608", "memory memory.swap.max=8388608"]);
}

#[test]
fn no_limit_on_request() {
    let limits = Limits {
        memory: Some(8 << 20),
        memory_swap: Some(-1),
        cpu_quota: Some(-1),
        cpu_period: Some(50_000),
        pids: Some(0),
        ..Limits::default()
    };
    let expected =
        ["memory memory.max=8388608", "memory memory.swap.max=max", "cpu cpu.max=max 50000", "pids pids.max=max"];
    assert_eq!(written(&limits), expected);
}
