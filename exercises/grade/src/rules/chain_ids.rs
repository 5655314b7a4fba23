//! 4.3

use images::Digest;
use subject::scene::chains::{asked, shown};

use crate::diagnosis::Rule;
use crate::facts::Facts;

const NONE: &str = "no layer";
const THREE: &str = "c on b on a";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-is-chained",
        when: |facts| is(facts, <[Digest]>::to_vec),
        title: "these are the diff ids, as they came",
        words: "A diff id says what one layer changes, whatever is below it. The same layer on another one makes another \
                tree, and the store would take the one for the other. From the second layer on, the name must depend on \
                all that is below.",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "only-the-last",
        when: |facts| is(facts, |diff_ids| chained(diff_ids).split_off(diff_ids.len().saturating_sub(1))),
        title: "only the top layer has a name",
        words: "It is the right one. But an image shares its lower layers with others: debian and python-on-debian have the \
                same bottom, unpacked once. For that each layer on the way up needs its name, so there are as many chain ids \
                as diff ids.",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "not-cumulative",
        when: |facts| is(facts, |ids| each(ids, |i| text(&format!("{} {}", ids[i - 1], ids[i])))),
        title: "from the third layer on, what is further below is forgotten",
        words: "You hash each diff id with the diff id of the layer below. That is right for the second layer, where they are \
                the same; for the third it leaves out the first. \"c on b\" would have one name, whatever b stands on. \
                Take the *chain* id of the layer below: all that is under it is in that already.",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "all-at-once",
        when: |facts| {
            is(facts, |ids| each(ids, |i| text(&ids[..=i].iter().map(Digest::to_string).collect::<Vec<_>>().join(" "))))
        },
        title: "all diff ids up to a layer are hashed together",
        words: "You write the diff ids from the bottom up in a row and hash the row. That names a layer and all below it as \
                well; but nobody else computes it so. The specification chains: ChainID(a, b, c) is the digest of \
                `ChainID(a, b) c`, two digests and no more, so that it can be continued without knowing what was before.",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "upside-down",
        when: |facts| is(facts, |ids| chained(&turned(ids))) || is(facts, |ids| turned(&chained(&turned(ids)))),
        title: "the chain begins at the top",
        words: "The list is bottom first, as `rootfs.diff_ids` is in an image's config. Begun at the top, the bottom layer's name \
                depends on what is stacked on it, and no two images share anything.",
        read: "the OCI image specification, config.md, `rootfs`",
    },
    Rule {
        id: "bottom-is-hashed",
        when: |facts| {
            bottom(facts, |id| text(&id.to_string()))
                || bottom(facts, |id| text(&format!(" {id}")))
                || bottom(facts, |id| text(&format!("{id} ")))
                || bottom(facts, |id| text(&format!("{id} {id}")))
        },
        title: "the bottom layer's id is hashed as well",
        words: "Below the bottom layer is nothing, so there is nothing to chain it to: its chain id *is* its diff id. You hash \
                it once more, and as all others are built on it, no id agrees with anybody else's.",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "swapped",
        when: |facts| is(facts, |ids| fold(ids, |below, id| text(&format!("{id} {below}")))),
        title: "what is below stands behind",
        words: "A digest knows the order. The text that is hashed has the chain id of what is below first, then the diff id of \
                the layer itself, as in \"bottom, top\".",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "without-the-algorithm",
        when: |facts| is(facts, |ids| fold(ids, |below, id| text(&format!("{} {}", below.hex(), id.hex())))),
        title: "`sha256:` is missing in what is hashed",
        words: "The digits alone are no digest: `sha256:` says how to check them, and belongs to the text wherever a digest is \
                written. `Display` writes it, `hex()` does not.",
        read: "the OCI image specification, descriptor.md, \"Digests\"",
    },
    Rule {
        id: "newline",
        when: |facts| is(facts, |ids| fold(ids, |below, id| text(&format!("{below} {id}\n")))),
        title: "there is a newline at the end of what is hashed",
        words: "A digest sees every byte. `echo` and `writeln!` end with a newline that nobody else hashes. (In a shell: \
                `printf '%s %s' …` instead of `echo`.)",
        read: "man 1 printf; the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "no-space",
        when: |facts| is(facts, |ids| fold(ids, |below, id| text(&format!("{below}{id}")))),
        title: "the space between the two digests is missing",
        words: "The text that is hashed is two digests with one space between them: 71 + 1 + 71 bytes. Yours has 142.",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "raw-bytes",
        when: |facts| is(facts, |ids| fold(ids, |below, id| Digest::of(&[bytes(&below), bytes(&id)].concat()))),
        title: "the bytes of the digests are hashed, and not their text",
        words: "You put the 32 bytes of each digest together, as one does in a Merkle tree. Here it is the *text* that is hashed, \
                as people read it: `sha256:`, 64 digits, a space, and so on.",
        read: "the OCI image specification, config.md, \"Layer ChainID\"",
    },
    Rule {
        id: "something-from-nothing",
        when: |facts| facts.get(NONE) != "nothing" && facts.get(THREE) == shown(&chained(&last())),
        title: "no layers, and yet there is an id",
        words: "An image may have no layer at all: it is an empty directory with a config. No diff ids make no chain ids.",
        read: "the OCI image specification, config.md, `rootfs`",
    },
];

/// Whether the answer says what `wrong` computes, wherever there is a layer.
fn is(facts: &Facts, wrong: impl Fn(&[Digest]) -> Vec<Digest>) -> bool {
    let cases = asked();
    let mut cases = cases.iter().filter(|(_, diff_ids)| !diff_ids.is_empty());
    cases.all(|(layers, diff_ids)| facts.get(layers) == shown(&wrong(diff_ids)))
}

/// Whether the answer takes the first layer's name from `first`, and chains the others to it.
fn bottom(facts: &Facts, first: impl Fn(&Digest) -> Digest) -> bool {
    is(facts, |ids| {
        let first = first(&ids[0]);
        chained(&[&[first], &ids[1..]].concat())
    })
}

fn text(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// What is right.
fn chained(diff_ids: &[Digest]) -> Vec<Digest> {
    images::chain_ids(diff_ids)
}

/// The first as it is, each other made from the one before and its own id.
fn fold(ids: &[Digest], next: impl Fn(Digest, Digest) -> Digest) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::new();
    for id in ids {
        chain.push(chain.last().map_or(*id, |below| next(*below, *id)));
    }
    chain
}

/// The first as it is, each other by its index.
fn each(ids: &[Digest], id: impl Fn(usize) -> Digest) -> Vec<Digest> {
    (0..ids.len()).map(|index| if index == 0 { ids[0] } else { id(index) }).collect()
}

/// The last first.
fn turned(ids: &[Digest]) -> Vec<Digest> {
    ids.iter().rev().copied().collect()
}

/// The 32 bytes of a digest.
fn bytes(digest: &Digest) -> Vec<u8> {
    let hex = digest.hex();
    (0..hex.len()).step_by(2).filter_map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

fn last() -> Vec<Digest> {
    asked().into_iter().find(|(layers, _)| *layers == THREE).map(|(_, ids)| ids).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_ask_for_is_asked_about() {
        assert_eq!(last().len(), 3);
        assert!(asked().iter().any(|(layers, ids)| *layers == NONE && ids.is_empty()));
    }

    #[test]
    fn the_bytes_of_a_digest() {
        assert_eq!(bytes(&Digest::of(b""))[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    }
}
