//! What there is: repositories, their tags, and what they are made of.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use images::oci::Descriptor;
use images::{Digest, Name, Store};

/// All repositories, by their paths.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Those that are listed, and shorter names for some.
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
}

impl Catalog {
    /// Looks through `store`, for a registry on `port`.
    pub fn of(store: &Store, port: u16) -> Result<Catalog> {
        let mut catalog = Catalog::default();
        let own = format!("localhost:{port}");
        for image in store.list()? {
            for name in image.names.iter().chain(&image.digests) {
                // An image may have several manifests, and each name has its own.
                let Some(image) = store.find(name)? else { continue };
                let blobs = image.layers.iter().map(|layer| layer.descriptor.digest).chain([image.id]);
                let blobs: Vec<Digest> = blobs.collect();
                for path in paths(name) {
                    let repository = catalog.repositories.entry(path.to_owned()).or_default();
                    repository.add(name, rank(name, &own), &image.manifest, &blobs);
                }
            }
        }
        Ok(catalog)
    }

    /// Whether any image has this blob.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.repositories.values().any(|repository| repository.blobs.contains(digest))
    }

    /// `REPOSITORY:TAG` of all images, each once and as short as it is served.
    pub fn listed(&self) -> Vec<String> {
        let mut shortest = BTreeMap::<(Digest, &str), &str>::new();
        for (path, repository) in &self.repositories {
            for (tag, manifest) in &repository.tags {
                let known = shortest.entry((manifest.digest, tag)).or_insert(path);
                if known.ends_with(&format!("/{path}")) {
                    *known = path;
                }
            }
        }
        let mut listed: Vec<String> = shortest.iter().map(|((_, tag), path)| format!("{path}:{tag}")).collect();
        listed.sort();
        listed
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
fn paths(name: &Name) -> impl Iterator<Item = &str> {
    let path = name.path();
    let short = match name.registry() {
        "docker.io" => path.strip_prefix("library/").or(path.strip_prefix("tinbox/")),
        _ => None,
    };
    [path].into_iter().chain(short)
}

/// What was pushed to this registry comes before what has its name from elsewhere.
fn rank(name: &Name, own: &str) -> u8 {
    match name.registry() {
        registry if registry == own => 0,
        "docker.io" => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use images::oci::media;

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
    fn what_was_pushed_here_comes_first() {
        let manifest = |n: u8| Descriptor::new(media::MANIFEST, Digest::of(&[n]), 1);
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let mut repository = Repository::default();
            for n in order {
                let name = ["localhost:5000/app", "docker.io/library/app", "ghcr.io/app"][n as usize];
                let name = Name::parse(name).unwrap();
                repository.add(&name, rank(&name, "localhost:5000"), &manifest(n), &[]);
            }
            assert_eq!(repository.tags["latest"], manifest(0), "{order:?}");
            assert_eq!(repository.manifests.len(), 3);
        }
    }
}
