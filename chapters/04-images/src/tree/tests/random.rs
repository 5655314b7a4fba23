//! Layers as they come: any files, any deletions, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::select;

use super::Layers;
use crate::test_tar::{Member, archive, dir, file};

/// A directory, or a file with its content.
type Node = Option<String>;
type Files = BTreeMap<PathBuf, Node>;

/// What a layer says, without an order.
#[derive(Debug, Clone)]
struct Said {
    own: Files,
    deleted: BTreeSet<PathBuf>,
    emptied: BTreeSet<PathBuf>,
}

fn path() -> impl Strategy<Value = PathBuf> {
    prop::collection::vec(select(vec!["a", "b", "c"]), 1..4).prop_map(|names| names.iter().collect())
}

/// A layer, and a number for each of its members to bring them into an order.
fn layer() -> impl Strategy<Value = (Said, Vec<u32>)> {
    let files = prop::collection::btree_map(path(), prop::option::of("[a-z]{0,3}"), 0..8);
    let parts = (files, prop::collection::btree_set(path(), 0..4), prop::collection::btree_set(path(), 0..3));
    (parts, prop::collection::vec(any::<u32>(), 16)).prop_map(|((mut own, mut deleted, mut emptied), order)| {
        // Nothing is in a file.
        let is_file = |own: &Files, path: &Path| matches!(own.get(path), Some(Some(_)));
        let all = own.clone();
        let in_file = |path: &Path| path.ancestors().skip(1).any(|above| is_file(&all, above));
        own.retain(|path, _| !in_file(path));
        deleted.retain(|path| !in_file(path));
        emptied.retain(|path| !in_file(path) && !is_file(&all, path));
        (Said { own, deleted, emptied }, order)
    })
}

/// The archive of a layer.
fn written(said: &Said, order: &[u32]) -> Vec<u8> {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let files = said.own.iter().map(|(path, node)| (text(path), node.clone()));
    let deleted = said.deleted.iter().map(|path| {
        let name = format!(".wh.{}", path.file_name().unwrap().to_str().unwrap());
        (text(&path.with_file_name(name)), Some(String::new()))
    });
    let emptied = said.emptied.iter().map(|path| (text(&path.join(".wh..wh..opq")), Some(String::new())));
    let mut members: Vec<_> = files.chain(deleted).chain(emptied).zip(order.iter().cycle()).collect();
    members.sort_by_key(|(_, number)| **number);
    let members: Vec<Member<'_>> = members
        .iter()
        .map(|((path, node), _)| match node {
            None => dir(path),
            Some(content) => file(path, content),
        })
        .collect();
    archive(&members)
}

/// What the specification says is seen of `below` and of a layer above it.
fn seen(below: &Files, said: &Said) -> Files {
    let mut made = said.own.clone();
    let noted =
        said.deleted.iter().chain(&said.own.keys().cloned().collect::<BTreeSet<_>>()).cloned().collect::<Vec<_>>();
    let parents = noted.iter().flat_map(|path| path.ancestors().skip(1)).map(Path::to_owned);
    let emptied = said.emptied.iter().flat_map(|path| path.ancestors()).map(Path::to_owned);
    for parent in parents.chain(emptied).filter(|path| !path.as_os_str().is_empty()) {
        made.entry(parent).or_insert(None);
    }
    let hidden = |path: &Path| {
        let gone = path.ancestors().any(|at| said.deleted.contains(at) || matches!(made.get(at), Some(Some(_))));
        gone || path.ancestors().skip(1).any(|above| said.emptied.contains(above))
    };
    // A directory takes the place of a file, and what was below a file is gone with it.
    let mut seen: Files = below.iter().filter(|(path, _)| !hidden(path)).map(|(p, n)| (p.clone(), n.clone())).collect();
    seen.extend(made);
    seen
}

fn shown(files: &Files) -> String {
    let line = |(path, node): (&PathBuf, &Node)| match node {
        None => format!("{}/", path.display()),
        Some(content) => format!("{}={content}", path.display()),
    };
    files.iter().map(line).collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_layers_show_what_the_specification_says(layers in prop::collection::vec(layer(), 1..4)) {
        let (mut made, mut expected) = (Layers::new(), Files::new());
        for (said, order) in &layers {
            made.add_archive(&written(said, order)).unwrap();
            expected = seen(&expected, said);
        }
        prop_assert_eq!(made.shows(), shown(&expected));
    }

    #[test]
    fn what_another_writer_packs_comes_out_the_same(
        files in prop::collection::btree_map("[a-z]{1,120}(/[ -.0-~]{1,99}x){0,3}", prop::collection::vec(any::<u8>(), 0..3000), 1..6),
        mode in 0o400u32..0o777, mtime in 0u64..u64::from(u32::MAX),
    ) {
        let mut builder = tar::Builder::new(Vec::new());
        let mut expected = BTreeMap::new();
        for (path, content) in &files {
            let in_file = Path::new(path).ancestors().skip(1).any(|above| files.contains_key(above.to_str().unwrap()));
            if in_file || path.contains(".wh.") {
                continue;
            }
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(mode | 0o400);
            header.set_mtime(mtime);
            header.set_uid(0);
            header.set_gid(0);
            builder.append_data(&mut header, path, content.as_slice()).unwrap();
            expected.insert(path, content);
        }
        let mut layers = Layers::new();
        layers.add_archive(&builder.into_inner().unwrap()).unwrap();
        for (path, content) in expected {
            use std::os::unix::fs::MetadataExt;
            let path = layers.tree().join(path);
            let stat = std::fs::metadata(&path).unwrap();
            prop_assert_eq!((stat.mode() & 0o7777, stat.mtime() as u64), (mode | 0o400, mtime));
            prop_assert_eq!(&std::fs::read(&path).unwrap(), content);
        }
    }
}
