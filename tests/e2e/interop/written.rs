//! Tinbox's images, read by others.

use super::sample::{self, packed};
use super::{Bench, Kept, SKOPEO, UMOCI, by_skopeo, call, unpacked};
use crate::Test;
use crate::import::{archive_of_base, import};
use crate::support::need::Need::Root;

pub const TESTS: &[Test] = &[
    ("skopeo_reads_both_forms", &[UMOCI, SKOPEO], skopeo_reads_both_forms),
    ("skopeo_checks_what_it_copies", &[SKOPEO], skopeo_checks_what_it_copies),
    ("umoci_unpacks_what_was_saved", &[UMOCI, Root], umoci_unpacks_what_was_saved),
];

/// One archive, which is of both forms at once.
fn skopeo_reads_both_forms() {
    let bench = Bench::new();
    let name = bench.load(&packed(&sample::by_umoci(bench.dir.path())));
    bench.tinbox.tinbox(&format!("tag {name} sample:1")).ok();
    let archive = bench.save("sample:1");
    let expected = bench.inspect("sample:1");
    for form in ["oci-archive", "docker-archive"] {
        assert_eq!(by_skopeo(&format!("{form}:{}", archive.display())), expected, "{form}");
    }
}

/// A copy reads every byte, and holds it against the digests.
fn skopeo_checks_what_it_copies() {
    let bench = Bench::new();
    import(&bench.tinbox, "base:1", &archive_of_base(&[], |_| {}));
    let archive = bench.save("base:1");
    for form in ["oci-archive", "docker-archive"] {
        let copy = bench.path(form);
        let to = format!("oci:{}:base", copy.display());
        call("skopeo", ["copy", &format!("{form}:{}", archive.display()), &to]);
        assert_eq!(by_skopeo(&to).1, bench.inspect("base:1").1, "{form}");
    }
}

fn umoci_unpacks_what_was_saved() {
    let bench = Bench::new();
    let layout = sample::by_umoci(bench.dir.path());
    let expected = bench.by_umoci(&sample::reference(&layout), Kept::All);
    let name = bench.load(&packed(&layout));
    bench.tinbox.tinbox(&format!("tag {name} sample:1")).ok();
    let saved = bench.path("saved");
    unpacked(&bench.save("sample:1"), &saved);
    // umoci looks for the very words that are in the index.
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(saved.join("index.json")).unwrap()).unwrap();
    let reference = index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap();
    bench.by_umoci(&format!("{}:{reference}", saved.display()), Kept::All).is(&expected);
}
