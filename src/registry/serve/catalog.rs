//! What there is: repositories, their tags, and what they are made of.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use images::oci::Descriptor;
use images::{Digest, Name, Store};

/// All repositories, by their paths.
#[derive(Debug, Default)]
pub struct Catalog {
    /// With short names for some.
    pub repositories: BTreeMap<String, Repository>,
}

/// A repository.
#[derive(Debug, Default)]
pub struct Repository {
    /// Its manifests by tag.
    pub tags: BTreeMap<String, Descriptor>,
    /// The same by digest.
    pub manifests: HashMap<Digest, Descriptor>,
    /// The configs and layers of its images.
    pub blobs: HashSet<Digest>,
    /// How important the name is that each tag comes from: the lower, the more.
    ranks: HashMap<String, u8>,
    /// Its short path, if it has one.
    short: Option<String>,
}

/// The rank of names that were pushed: all others come before them, so that whoever pushes hides nothing.
const PUSHED: u8 = 3;

impl Catalog {
    /// Looks through those names in `store` that are shared, for a registry on `port`.
    pub fn of(store: &Store, port: u16, is_shared: &dyn Fn(&Name) -> bool) -> Result<Catalog> {
        let mut catalog = Catalog::default();
        for image in store.list()? {
            for name in image.names.iter().chain(&image.digests).filter(|name| is_shared(name)) {
                // An image may have several manifests, and each name has its own.
                let Some(image) = store.find(name)? else { continue };
                let blobs = image.layers.iter().map(|layer| layer.descriptor.digest).chain([image.id]);
                catalog.add(name, rank(name, port), &image.manifest, &blobs.collect::<Vec<_>>());
            }
        }
        Ok(catalog)
    }

    fn add(&mut self, name: &Name, rank: u8, manifest: &Descriptor, blobs: &[Digest]) {
        for path in paths(name) {
            self.repositories.entry(path.to_owned()).or_default().add(name, rank, manifest, blobs);
        }
        if let (Some(short), Some(repository)) = (short(name), self.repositories.get_mut(name.path())) {
            repository.short = Some(short.to_owned());
        }
    }

    /// Whether any image has this blob.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.repositories.values().any(|repository| repository.blobs.contains(digest))
    }

    /// The paths of all repositories, but for those that a shorter path stands for.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        let is_listed = |repository: &Repository| {
            repository.short.is_none() || repository.tags.keys().any(|tag| !self.is_short_for(repository, tag))
        };
        self.repositories.iter().filter(move |(_, repository)| is_listed(repository)).map(|(path, _)| path)
    }

    /// `REPOSITORY:TAG` of all images, each once and as short as it is served; and whether it is the owner's, rather than
    /// pushed.
    pub fn listed(&self) -> Vec<(String, bool)> {
        let mut listed = Vec::new();
        for (path, repository) in &self.repositories {
            let tags = repository.tags.keys().filter(|tag| !self.is_short_for(repository, tag));
            listed.extend(tags.map(|tag| (format!("{path}:{tag}"), repository.ranks[tag] < PUSHED)));
        }
        listed
    }

    /// Whether the short path of a repository leads to the same image with this tag.
    fn is_short_for(&self, repository: &Repository, tag: &str) -> bool {
        let digest = |repository: &Repository| repository.tags.get(tag).map(|manifest| manifest.digest);
        let short = repository.short.as_ref().and_then(|short| self.repositories.get(short));
        short.is_some_and(|short| digest(short) == digest(repository))
    }
}

impl Repository {
    fn add(&mut self, name: &Name, rank: u8, manifest: &Descriptor, blobs: &[Digest]) {
        self.manifests.insert(manifest.digest, manifest.clone());
        self.blobs.extend(blobs);
        let Some(tag) = name.tag() else { return };
        // Names of several registries meet in one repository.
        if self.ranks.get(tag).is_none_or(|known| rank < *known) {
            self.ranks.insert(tag.to_owned(), rank);
            self.tags.insert(tag.to_owned(), manifest.clone());
        }
    }
}

/// The repositories in which an image with this name is.
pub fn paths(name: &Name) -> impl Iterator<Item = &str> {
    [name.path()].into_iter().chain(short(name))
}

/// The short path of some.
fn short(name: &Name) -> Option<&str> {
    match name.registry() {
        "docker.io" => name.path().strip_prefix("library/").or(name.path().strip_prefix("tinbox/")),
        _ => None,
    }
}

/// Whether a name is one that images get by being pushed to the registry on this port. Podman and buildah call what they
/// build `localhost/…`, so other names of that host are the owner's.
pub fn was_pushed(name: &Name, port: u16) -> bool {
    name.registry() == format!("localhost:{port}")
}

/// Which of several images is meant that have the same path and tag: what was pushed is the last.
fn rank(name: &Name, port: u16) -> u8 {
    match name.registry() {
        "docker.io" => 0,
        _ if was_pushed(name, port) => PUSHED,
        registry if registry.split(':').next() == Some("localhost") => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use images::oci::media;

    fn catalog(names: &[(&str, u8)]) -> Catalog {
        let mut catalog = Catalog::default();
        for (name, image) in names {
            let name = Name::parse(name).unwrap();
            let manifest = Descriptor::new(media::MANIFEST, Digest::of(&[*image]), 1);
            catalog.add(&name, rank(&name, 5000), &manifest, &[]);
        }
        catalog
    }

    #[test]
    fn names_become_repositories() {
        for (name, expected) in [
            ("alpine", &["library/alpine", "alpine"][..]),
            ("base", &["tinbox/base", "base"]),
            ("me/app", &["me/app"]),
            ("localhost:5000/app", &["app"]),
            ("ghcr.io/library/app", &["library/app"]),
        ] {
            assert_eq!(paths(&Name::parse(name).unwrap()).collect::<Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_the_owners_comes_before_what_was_pushed() {
        let mut names =
            [("docker.io/library/app", 0), ("ghcr.io/app", 1), ("localhost/app", 2), ("localhost:5000/app", 3)];
        for first in 0..names.len() {
            for _ in 0..2 {
                names.reverse();
                let catalog = catalog(&names[..]);
                let served = &catalog.repositories["app"];
                let best = names.iter().map(|(_, image)| *image).min().unwrap();
                assert_eq!(served.tags["latest"].digest, Digest::of(&[best]), "{names:?}");
                assert_eq!(served.manifests.len(), 4);
            }
            names.rotate_left(first);
        }
        let other_port = catalog(&[("localhost:5000/app", 3), ("localhost:5001/app", 2)]);
        assert_eq!(other_port.repositories["app"].tags["latest"].digest, Digest::of(&[2]));
    }

    #[test]
    fn an_image_is_listed_once_by_each_name_that_it_has() {
        let catalog = catalog(&[
            ("base", 1),
            ("big", 1),
            ("localhost:5000/alice/app", 1),
            ("ghcr.io/bob/app", 1),
            ("ghcr.io/library/far", 1),
            ("two", 1),
            ("localhost:5000/two:2", 2),
            ("localhost/built", 1),
        ]);
        let names: Vec<_> = catalog.listed();
        let expected = [
            ("alice/app:latest", false),
            ("base:latest", true),
            ("big:latest", true),
            ("bob/app:latest", true),
            ("built:latest", true),
            ("library/far:latest", true),
            ("two:2", false),
            ("two:latest", true),
        ];
        assert_eq!(names, expected.map(|(name, is_owners)| (name.to_owned(), is_owners)));
        let paths: Vec<_> = catalog.paths().map(String::as_str).collect();
        assert_eq!(paths, ["alice/app", "base", "big", "bob/app", "built", "library/far", "two"]);
        assert!(catalog.repositories.contains_key("library/big"));
    }
}
