//! `tinbox image …`: the verbs that are about images.
//!
//! | file         | what it is about                                            |
//! |--------------|-------------------------------------------------------------|
//! | `inspect.rs` | `image inspect`                                             |
//! | `layers/`    | `image inspect --layers`: the layers as they lie, drawn     |
//! | `prune.rs`   | `image prune`                                               |
//! | `tree.rs`    | which images stand on which layers, drawn                   |
//! | `filter.rs`  | `--filter`                                                  |
//! | `pattern.rs` | `*`, `?` and `[a-z]` in names                               |
//! | `step.rs`    | what made a layer, in words that fit in a line              |

pub mod filter;
mod inspect;
mod layers;
mod pattern;
mod prune;
pub mod step;
pub mod tree;

use crate::cli::dispatch::{Group, Verb};
use crate::cli::{history, images, import, load, pull, push, rmi, save, tag};

/// All of them. Most have a name of one word, too.
pub const GROUP: Group = Group {
    name: "image",
    about: "Manage images",
    verbs: &[
        Verb { name: "ls", about: "List images", command: images::command, run: images::run, on_error: 1 },
        Verb {
            name: "inspect",
            about: "Show all that is known about images, or draw their layers",
            command: inspect::command,
            run: inspect::run,
            on_error: 1,
        },
        Verb {
            name: "history",
            about: "Show how an image came to be",
            command: history::command,
            run: history::run,
            on_error: 1,
        },
        Verb { name: "tag", about: "Give an image one more name", command: tag::command, run: tag::run, on_error: 1 },
        Verb { name: "rm", about: "Remove one or more images", command: rmi::command, run: rmi::run, on_error: 1 },
        Verb {
            name: "prune",
            about: "Remove images that nobody uses",
            command: prune::command,
            run: prune::run,
            on_error: 1,
        },
        Verb {
            name: "pull",
            about: "Download an image from a registry",
            command: pull::command,
            run: pull::run,
            on_error: 1,
        },
        Verb {
            name: "push",
            about: "Upload an image to a registry",
            command: push::command,
            run: push::run,
            on_error: 1,
        },
        Verb {
            name: "save",
            about: "Write one or more images to an archive",
            command: save::command,
            run: save::run,
            on_error: 1,
        },
        Verb {
            name: "load",
            about: "Read images from an archive",
            command: load::command,
            run: load::run,
            on_error: 1,
        },
        Verb {
            name: "import",
            about: "Make an image from a tar of a root file system",
            command: import::command,
            run: import::run,
            on_error: 1,
        },
    ],
    aliases: &[("list", "ls"), ("remove", "rm")],
    help: "\
Examples:
  tinbox image ls --tree                  which images stand on which layers
  tinbox image inspect --layers alpine    which layer holds what, drawn
  tinbox image prune                      remove those that lost their name

`tinbox image VERB --help` tells more, with examples.",
};
