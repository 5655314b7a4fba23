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
use crate::cli::{HISTORY, IMPORT, LOAD, PULL, PUSH, SAVE, TAG, images, rmi};

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
        HISTORY,
        TAG,
        Verb { name: "rm", about: "Remove one or more images", command: rmi::command, run: rmi::run, on_error: 1 },
        Verb {
            name: "prune",
            about: "Remove images that nobody uses",
            command: prune::command,
            run: prune::run,
            on_error: 1,
        },
        PULL,
        PUSH,
        SAVE,
        LOAD,
        IMPORT,
    ],
    aliases: &[("list", "ls"), ("remove", "rm")],
    help: "\
Examples:
  tinbox image ls --tree                  which images stand on which layers
  tinbox image inspect --layers alpine    which layer holds what, drawn
  tinbox image prune                      remove those that lost their name

`tinbox image VERB --help` tells more, with examples.",
};
