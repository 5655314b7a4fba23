# What there is to do. `just` alone lists it.

[private]
default:
    @just --list --unsorted

# A shell in a container of the embedded image
try:
    cargo run --quiet -- run --rm -it base

# Everything that must hold before a change lands
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings
    cargo test --workspace
    cargo run --quiet --package book -- check

# All tests
test *ARGUMENTS:
    cargo test --workspace {{ARGUMENTS}}

# The book: serve it, or `just book build`
book *ARGUMENTS:
    cargo run --quiet --package book -- {{ARGUMENTS}}

# The chapters' attacks, on what they break and on what stops them
attack:
    cargo test --quiet --package ch01-chroot --package ch03-cgroups --test "*" -- attack
    cargo test --quiet --package tinbox --test e2e -- the_hunter
    cargo test --quiet --package tinbox --test e2e -- attacks::
    cargo test --quiet --package tinbox --test e2e -- ladder::

# How fast a container starts, next to crun, runc and the least that C can do
bench:
    tests/bench/run

# How fast images are pulled, loaded, saved and made, next to Docker, Podman and umoci
bench-images *ARGUMENTS:
    tests/bench-images/run {{ARGUMENTS}}

# What a container may do, next to Docker and Podman
compare-sandbox *ARGUMENTS:
    tests/sandbox/run {{ARGUMENTS}}

# The end-to-end tests on a stock Debian kernel with pure cgroup v2, in qemu
vm-test *ARGUMENTS:
    tests/vm/run {{ARGUMENTS}}

# The runtime as it is meant to be installed: optimised, and static, so that it starts fastest
release:
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target x86_64-unknown-linux-gnu
    @ls -l target/x86_64-unknown-linux-gnu/release/tinbox
