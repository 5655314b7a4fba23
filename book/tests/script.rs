//! What the reader types, from the first page to the last.

use std::path::Path;

use catalog::cut;

/// Something that the reader does.
pub enum Step {
    /// Types these commands, and the book shows what they say, under this name.
    Shown(&'static str, &'static [&'static str]),
    /// Types these commands, whose answers are each machine's own. The book shows the commands.
    Typed(&'static str, &'static [&'static str]),
    /// Writes an answer that the course knows, such as a wrong one: `1.1-naive-root/mutants/no-chdir`.
    Answers(&'static str),
    /// Writes the right answer to an exercise.
    Solves(&'static str),
    /// Takes the time that something started in the background needs, until this command succeeds.
    WaitsFor(&'static str),
}

use Step::{Answers, Shown, Solves, Typed, WaitsFor};

pub const SCRIPT: &[Step] = &[
    // Introduction
    Shown(
        "intro-container",
        &[r#"cargo run -q -- run --rm --hostname box base sh -c 'echo "process $$ on $(hostname)"; echo /*'"#],
    ),
    // Before you start
    Typed("start-doctor", &["cargo workshop doctor"]),
    Shown("start-doctor-summary", &["cargo workshop doctor | tail -n 1"]),
    Shown("start-list", &["cargo workshop list"]),
    // Chapter 0
    Shown("ch00-name", &["uname -n"]),
    Shown("ch00-rename", &["unshare --map-root-user --uts sh -c 'hostname box; uname -n'", "uname -n"]),
    Shown("ch00-links", &["readlink /proc/$$/ns/uts", "unshare --map-root-user --uts readlink /proc/self/ns/uts"]),
    Typed("ch00-look", &["cargo run -q -p ch00-look"]),
    Typed("ch00-sleep", &["unshare --map-root-user --uts sleep 1000 &"]),
    WaitsFor("[ \"$(cat /proc/$!/comm)\" = sleep ] || ! kill -0 $!"),
    Shown("ch00-compare", &["cargo run -q -p ch00-look -- --compare $$ $! | grep namespace"]),
    Typed("ch00-kill", &["kill $!"]),
    Typed("ch00-start", &["cargo workshop start 0.1"]),
    Shown("ch00-check-starter", &["cargo workshop check 0.1"]),
    Answers("0.1-namespaces-of/mutants/inode-of-the-link"),
    Shown("ch00-check-wrong", &["cargo workshop check 0.1"]),
    Solves("0.1"),
    Shown("ch00-check-right", &["cargo workshop check 0.1"]),
    Shown("ch00-runtime", &["cargo workshop run -- run --rm --explain base true 2>&1 | grep -e yours -e looked"]),
    Shown("ch00-error", &["cargo run -q -p ch00-look -- 999999999"]),
    Shown("ch00-explain", &["cargo run -q -- run --rm --hostname box --explain base true 2>&1 | grep hostname"]),
    // Chapter 1
    Shown("ch01-root", &["cargo workshop root rootfs"]),
    Shown(
        "ch01-naive",
        &[
            "cargo run -q -p ch01-chroot -- --naive rootfs sh -c 'echo /*'",
            "cargo run -q -p ch01-chroot -- --naive rootfs sh -c 'cd ../../../..; pwd'",
            "cargo run -q -p ch01-chroot -- --naive rootfs cat \"$PWD/rustfmt.toml\"",
        ],
    ),
    Shown("ch01-escape", &["cargo run -q -p ch01-chroot -- --naive rootfs /bin/escape cat \"$PWD/rustfmt.toml\""]),
    Typed("ch01-start-naive", &["cargo workshop start 1.1"]),
    Answers("1.1-naive-root/mutants/no-chdir"),
    Shown("ch01-check-naive", &["cargo workshop check 1.1"]),
    Solves("1.1"),
    Typed("ch01-start-escape", &["cargo workshop start 1.2"]),
    Solves("1.2"),
    Shown(
        "ch01-mounts",
        &[
            "unshare --map-root-user --mount sh -c 'mount -t tmpfs none rootfs/mnt; mountpoint rootfs/mnt'",
            "mountpoint rootfs/mnt",
        ],
    ),
    Shown("ch01-told", &["cargo run -q -- run --rm --explain base true 2>&1 | sed -n '/mounts made/,/chapter 2/p'"]),
    Typed("ch01-start-enter", &["cargo workshop start 1.3"]),
    Answers("1.3-enter-root/mutants/bind-before-private"),
    Shown("ch01-check-wrong", &["cargo workshop check 1.3"]),
    Solves("1.3"),
    Shown("ch01-check-right", &["cargo workshop check 1"]),
    Shown("ch01-held", &["cargo run -q -p ch01-chroot -- rootfs /bin/escape cat \"$PWD/rustfmt.toml\""]),
    Shown("ch01-yours", &["cargo workshop run -- run --rm base sh -c 'echo /*'"]),
    // Chapter 2
    Typed("ch02-prey", &["sleep 1000 &"]),
    Shown(
        "ch02-hunted",
        &[
            "cargo run -q -p ch01-chroot -- rootfs /bin/hunter",
            "cargo run -q -p ch01-chroot -- rootfs /bin/hunter --kill $!",
        ],
    ),
    Shown("ch02-two-numbers", &["unshare --map-root-user --pid --fork sh -c 'echo $$; exec readlink /proc/self'"]),
    Shown(
        "ch02-own-proc",
        &["unshare --map-root-user --pid --fork --mount-proc sh -c 'echo $$; exec readlink /proc/self'"],
    ),
    Shown(
        "ch02-run",
        &[
            r#"cargo run -q -p ch02-namespaces -- run rootfs sh -c 'echo "process $$ on $(hostname) sees:"; echo /proc/[0-9]*'"#,
        ],
    ),
    Typed("ch02-start-spawn", &["cargo workshop start 2.1"]),
    Answers("2.1-spawn/mutants/unshare-first"),
    Shown("ch02-check-spawn", &["cargo workshop check 2.1"]),
    Solves("2.1"),
    Typed("ch02-prey-again", &["sleep 1000 &"]),
    Shown(
        "ch02-held",
        &[
            "cargo run -q -p ch02-namespaces -- run rootfs /bin/hunter",
            "cargo run -q -p ch02-namespaces -- run rootfs /bin/hunter --kill $!",
        ],
    ),
    Typed("ch02-prey-lives", &["kill $!"]),
    Typed("ch02-box", &["cargo run -q -p ch02-namespaces -- run --hostname box rootfs sleep 1000 &"]),
    WaitsFor("[ \"$(cat /proc/$(pgrep -P $!)/comm)\" = sleep ] || ! kill -0 $!"),
    Shown(
        "ch02-enter",
        &[
            r#"cargo run -q -p ch02-namespaces -- enter $(pgrep -P $!) sh -c 'hostname; echo "process $$, child of $PPID"'"#,
        ],
    ),
    Typed("ch02-start-enter", &["cargo workshop start 2.2"]),
    Solves("2.2"),
    Typed("ch02-box-gone", &["kill $!"]),
    Shown(
        "ch02-immortal",
        &["cargo run -q -p ch02-namespaces -- run rootfs sh -c 'kill -KILL $$; echo \"still here\"'"],
    ),
    Typed(
        "ch02-orphan",
        &[
            ": > rootfs/dev/null",
            "cargo run -q -p ch02-namespaces -- run rootfs sh -c '(sleep 1 &); exec sleep 1000' &",
        ],
    ),
    WaitsFor("grep -q zombie /proc/$(pgrep -P $(pgrep -P $!))/status || ! kill -0 $!"),
    Shown("ch02-zombie", &["grep State /proc/$(pgrep -P $(pgrep -P $!))/status"]),
    Typed("ch02-orphan-gone", &["kill $!"]),
    Shown(
        "ch02-mortal",
        &["cargo run -q -p ch02-namespaces -- run --init rootfs sh -c 'kill -KILL $$; echo \"still here\"'; echo $?"],
    ),
    Typed("ch02-start-reap", &["cargo workshop start 2.3"]),
    Answers("2.3-reap/mutants/once"),
    Shown("ch02-check-reap", &["cargo workshop check 2.3"]),
    Solves("2.3"),
    Shown("ch02-check-right", &["cargo workshop check 2"]),
    Shown("ch02-root-inside", &["unshare --map-root-user sh -c 'id -u; cat /proc/self/uid_map'"]),
    Typed("ch02-uptime", &["cargo run -q -p ch02-namespaces -- run --time-offset 31536000 rootfs uptime"]),
    Typed("ch02-web", &["cargo run -q -- run --rm --name web base sleep 1000 &"]),
    WaitsFor("cargo run -q -- run --rm --pid container:web base true || ! kill -0 $!"),
    Shown("ch02-joined", &["cargo run -q -- run --rm --pid container:web base cat /proc/1/comm"]),
    Typed("ch02-web-gone", &["cargo run -q -- rm -f web"]),
    Shown(
        "ch02-yours",
        &["cargo workshop run -- run --rm --hostname box base sh -c 'echo \"process $$ on $(hostname)\"'"],
    ),
    // Chapter 3
    Shown(
        "ch03-unbounded",
        &[
            "cargo run -q -p ch02-namespaces -- run rootfs /bin/fork-bomb",
            "cargo run -q -p ch02-namespaces -- run rootfs /bin/memory-hog",
        ],
    ),
    Typed("ch03-start-settings", &["cargo workshop start 3.1"]),
    Answers("3.1-settings/mutants/total"),
    Shown("ch03-check-settings", &["cargo workshop check 3.1"]),
    Solves("3.1"),
    Shown("ch03-oom", &["cargo run -q -p ch03-cgroups -- run --memory 32m rootfs /bin/memory-hog; echo $?"]),
    Typed("ch03-start-confine", &["cargo workshop start 3.2"]),
    Solves("3.2"),
    Shown("ch03-check-right", &["cargo workshop check 3"]),
    Shown("ch03-bounded", &["cargo run -q -p ch03-cgroups -- run --pids-limit 20 rootfs /bin/fork-bomb"]),
    Shown(
        "ch03-throttled",
        &[
            "cargo run -q -p ch03-cgroups -- run --cpus 0.1 rootfs sh -c 'i=0; while [ $i -lt 99999 ]; do i=$((i+1)); done'",
        ],
    ),
    Typed("ch03-still", &["cargo run -q -- run --rm --name still base sleep 1000 &"]),
    WaitsFor("cargo run -q -- run --rm --pid container:still base true || ! kill -0 $!"),
    Shown(
        "ch03-paused",
        &["cargo run -q -- pause still", "cargo run -q -- ps | grep -o '(Paused)'", "cargo run -q -- unpause still"],
    ),
    Typed("ch03-stats", &["cargo run -q -- stats --no-stream"]),
    Typed("ch03-still-gone", &["cargo run -q -- rm -f still"]),
    Shown("ch03-runtime", &["cargo run -q -- run --rm --memory 32m base tail /dev/zero; echo $?"]),
    Shown("ch03-refused", &["cargo run -q -- run --rm --memory 4m base true"]),
    Shown("ch03-yours", &["cargo workshop run -- run --rm --memory 64m --pids-limit 20 base echo limited"]),
    // Chapter 4
    Shown(
        "ch04-evil",
        &[
            "mkdir layers",
            "echo 'mine' > layers/precious",
            "cargo run -q -p ch04-images --bin evil-layer -- parent \"$PWD/layers/precious\" > layers/evil.tar",
            "tar --utc -tvf layers/evil.tar",
        ],
    ),
    Shown(
        "ch04-naive",
        &["cargo run -q -p ch04-images --bin naive-unpack -- layers/evil.tar layers/victim", "cat layers/precious"],
    ),
    Shown(
        "ch04-tar",
        &[
            "mkdir -p layers/edit/etc",
            "echo 'by hand' > layers/edit/etc/motd",
            "touch layers/edit/etc/.wh.hosts",
            "tar -C layers/edit --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf layers/edit.tar etc",
            "tar --utc -tvf layers/edit.tar",
        ],
    ),
    Shown(
        "ch04-applied",
        &[
            "cargo run -q -p ch04-images -- apply layers/edit.tar layers/edited",
            "stat -c '%n: %F, %t/%T' layers/edited/etc/*",
            "cargo run -q -p ch04-images -- show layers/edited",
        ],
    ),
    Typed("ch04-start-apply", &["cargo workshop start 4.1"]),
    Answers("4.1-apply-layer/mutants/whole-path"),
    Shown("ch04-check-apply", &["cargo workshop check 4.1"]),
    Solves("4.1"),
    Shown(
        "ch04-held",
        &[
            "echo 'mine' > layers/precious",
            "cargo run -q -p ch04-images -- apply layers/evil.tar layers/held",
            "cat layers/precious",
        ],
    ),
    Shown("ch04-stacked", &["cargo run -q -p ch04-images -- run rootfs layers/edited -- cat /etc/motd /etc/hosts"]),
    Typed("ch04-start-stack", &["cargo workshop start 4.2"]),
    Answers("4.2-stack/mutants/bottom-first"),
    Shown("ch04-check-stack", &["cargo workshop check 4.2"]),
    Solves("4.2"),
    Typed("ch04-big", &["mkdir layers/big", "head -c 50000000 /dev/zero > layers/big/blob"]),
    Shown(
        "ch04-copied",
        &[
            "cargo run -q -p ch04-images -- run rootfs layers/big -- sh -c 'head -c 1 /blob | wc -c'",
            "cargo run -q -p ch04-images -- run rootfs layers/big -- sh -c 'printf x 1<>/blob'",
        ],
    ),
    Shown(
        "ch04-packed",
        &[
            "cargo run -q -p ch04-images -- run --overlay layers/box rootfs layers/edited -- sh -c 'rm /etc/motd; touch -d @0 /etc'",
            "ls layers/box",
            "cargo run -q -p ch04-images -- pack layers/box/upper layers/third.tar",
            "tar --utc -tvf layers/third.tar",
        ],
    ),
    Shown(
        "ch04-ids",
        &[
            "gzip -nk layers/edit.tar",
            "cargo run -q -p ch04-images -- ids layers/edit.tar layers/third.tar",
            "cargo run -q -p ch04-images -- ids layers/edit.tar.gz",
        ],
    ),
    Shown(
        "ch04-chain",
        &[
            "cargo run -q -p ch04-images -- ids layers/edit.tar layers/third.tar | awk '/diff id/ { print $3 }' | paste -s -d ' ' | tr -d '\\n' | sha256sum",
        ],
    ),
    Typed("ch04-start-chain", &["cargo workshop start 4.3"]),
    Answers("4.3-chain-ids/mutants/newline"),
    Shown("ch04-check-chain", &["cargo workshop check 4.3"]),
    Solves("4.3"),
    Typed("ch04-start-make", &["cargo workshop start 4.4"]),
    Answers("4.4-make-layer/mutants/additions-only"),
    Shown("ch04-check-make", &["cargo workshop check 4.4"]),
    Solves("4.4"),
    Shown("ch04-check-right", &["cargo workshop check 4"]),
    Shown(
        "ch04-baked",
        &[
            "echo correct-horse | cargo run -q -- run -i --name baker base sh -c 'cat > /root/key'",
            "cargo run -q -- diff baker",
            "cargo run -q -- commit baker bakery:1",
            "cargo run -q -- run --name cleaner bakery:1 rm /root/key",
            "cargo run -q -- diff cleaner",
            "cargo run -q -- commit cleaner bakery:2",
        ],
    ),
    Shown("ch04-clean", &["cargo run -q -- run --rm bakery:2 cat /root/key"]),
    Shown(
        "ch04-found",
        &[
            "cargo run -q -- save -o layers/bakery.tar bakery:2",
            "mkdir layers/bakery && tar -C layers/bakery -xf layers/bakery.tar",
            "zgrep -aho correct-horse layers/bakery/blobs/sha256/*",
        ],
    ),
    Shown("ch04-layers", &["cargo run -q -- image inspect --layers bakery:2 | sed -n 3,8p"]),
    Shown("ch04-history", &["cargo run -q -- history --format '{{.CreatedBy}}: {{.Size}}' bakery:2 | head -n 2"]),
    Shown("ch04-layout", &["ls layers/bakery", "ls layers/bakery/blobs/sha256 | wc -l"]),
    Shown(
        "ch04-index",
        &[
            "cd layers/bakery/blobs/sha256",
            "grep -o 'sha256:[0-9a-f]*' ../../index.json",
            "grep -o 'sha256:[0-9a-f]*' $(grep -o '[0-9a-f]\\{64\\}' ../../index.json)",
            "grep -o 'sha256:[0-9a-f]*' $(cargo run -q -- inspect -f '{{.Id}}' bakery:2 | cut -d : -f 2)",
            "cd ../../../..",
        ],
    ),
    Shown("ch04-trees", &["cargo run -q -- inspect -f '{{.GraphDriver.Data.LowerDir}}' bakery:2 | tr : '\\n'"]),
    Typed("ch04-images", &["cargo run -q -- image ls --tree"]),
    Typed("ch04-serve", &["cargo run -q -- registry serve --listen 127.0.0.1:0 > layers/serve &"]),
    WaitsFor("grep -q 'docker pull' layers/serve || ! kill -0 $!"),
    Typed("ch04-served", &["cat layers/serve"]),
    Typed(
        "ch04-friend",
        &[
            "registry=$(grep -o -m 1 '127.0.0.1:[0-9]*' layers/serve)",
            "friend=$PWD/layers/friend",
            "TINBOX_ROOT=$friend cargo run -q -- pull $registry/bakery:1",
        ],
    ),
    Shown("ch04-pulled", &["TINBOX_ROOT=$friend cargo run -q -- pull $registry/bakery:2"]),
    Shown("ch04-yours", &["TINBOX_ROOT=$friend cargo workshop run -- run --rm $registry/bakery:2 echo 'all the way'"]),
    Typed(
        "ch04-gone",
        &[
            "kill $!",
            "cargo run -q -- rm baker cleaner",
            "cargo run -q -- rmi bakery:1 bakery:2",
            "chmod -R u+rwX layers && rm -r layers",
        ],
    ),
    // Chapter 8
    Shown(
        "ch08-mighty",
        &[
            "cargo run -q -p ch02-namespaces -- run rootfs test -w /proc/sys/kernel/core_pattern && echo 'it may write there'",
            "cargo run -q -p ch02-namespaces -- run rootfs mknod /tmp/device c 1 3 && echo 'it may make devices'",
        ],
    ),
    Shown(
        "ch08-powers",
        &[
            "cargo run -q -p ch02-namespaces -- run rootfs grep CapEff /proc/self/status",
            "cargo run -q -- run --rm base grep CapEff /proc/self/status",
        ],
    ),
    Shown("ch08-drop", &["cargo run -q -- run --rm --cap-drop ALL --cap-add CHOWN base grep CapEff /proc/self/status"]),
    Typed("ch08-start-drop", &["cargo workshop start 8.1"]),
    Answers("8.1-drop-privileges/mutants/user-first"),
    Shown("ch08-check-drop", &["cargo workshop check 8.1"]),
    Solves("8.1"),
    Shown(
        "ch08-filtered",
        &[
            "cargo run -q -- run --rm base unshare --user echo 'in a new one'",
            "cargo run -q -- run --rm --security-opt seccomp=unconfined base unshare --user echo 'in a new one'",
        ],
    ),
    Typed("ch08-start-filter", &["cargo workshop start 8.2"]),
    Answers("8.2-filter/mutants/no-table"),
    Shown("ch08-check-filter", &["cargo workshop check 8.2"]),
    Solves("8.2"),
    Shown("ch08-told", &["cargo run -q -- run --rm --explain base true 2>&1 | grep -e capset -e seccomp -e sealed"]),
    Shown(
        "ch08-masked",
        &[
            "cargo run -q -- run --rm base wc -c /proc/timer_list",
            "cargo run -q -- run --rm base test -w /proc/sys/kernel/core_pattern || echo 'not for writing'",
        ],
    ),
    Typed(
        "ch08-stranger",
        &[
            "mkdir -p stranger/etc",
            "ln -s etc stranger/proc",
            "tar -C stranger -c . | cargo run -q -- import - stranger",
        ],
    ),
    Shown("ch08-refused", &["cargo run -q -- run --rm stranger true"]),
    Typed("ch08-start-mask", &["cargo workshop start 8.3"]),
    Solves("8.3"),
    Shown("ch08-check-right", &["cargo workshop check 8"]),
    Shown("ch08-dev", &["cargo run -q -- run --rm base sh -c 'echo /dev/*'"]),
    Typed("ch08-probe", &["cargo run -q -p ch08-sandbox -- probe --pretty"]),
    Shown(
        "ch08-held",
        &[
            "cargo run -q -p ch08-sandbox -- run rootfs test -w /proc/sys/kernel/core_pattern || echo 'it may not'",
            "cargo run -q -p ch08-sandbox -- run rootfs mknod /tmp/another c 1 3",
        ],
    ),
    Shown("ch08-sysctl", &["cargo run -q -- run --rm --sysctl kernel.panic=1 base true"]),
    Shown("ch08-yours", &["cargo workshop run -- run --rm base echo 'all of it'"]),
];

/// What a transcript needs that not every machine has on which the course can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Containers of the machine's root.
    Root,
    /// Containers with limits.
    Limits,
    /// A check that is not blocked here.
    Check(&'static str),
    /// All of them.
    AllChecks,
}

/// The transcripts with such a need. All others run wherever chapters 0 to 2 can be done.
pub const NEEDS: &[(&str, Need)] = &[
    ("start-doctor", Need::AllChecks),
    ("start-doctor-summary", Need::AllChecks),
    ("start-list", Need::AllChecks),
    ("ch03-oom", Need::Limits),
    ("ch03-check-right", Need::Check("3.2")),
    ("ch03-bounded", Need::Limits),
    ("ch03-throttled", Need::Limits),
    ("ch03-paused", Need::Limits),
    ("ch03-runtime", Need::Limits),
    ("ch03-yours", Need::Limits),
    ("ch08-mighty", Need::Root),
];

/// The text of an answer that the course knows.
pub fn known_answer(known: &str) -> String {
    read(&format!("exercises/{known}.rs"))
}

/// The right answer to an exercise, cut from the reference, and the name of its folder.
pub fn solution(number: &str) -> (String, String) {
    let exercise = catalog::select(number)[0];
    (exercise.slug(), cut::solution(exercise, &read(exercise.reference)).unwrap())
}

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
