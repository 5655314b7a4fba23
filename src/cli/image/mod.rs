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

use crate::cli::dispatch::{Group, verb};
use crate::cli::{HISTORY, IMAGES, IMPORT, LOAD, PULL, PUSH, RMI, SAVE, TAG};

/// All of them. Most have a name of one word, too.
pub const GROUP: Group = Group {
    name: "image",
    about: "Manage images",
    verbs: &[
        IMAGES.renamed("ls"),
        verb("inspect", "Show all that is known about images, or draw their layers", inspect::command, inspect::run),
        HISTORY,
        TAG,
        RMI.renamed("rm"),
        verb("prune", "Remove images that nobody uses", prune::command, prune::run),
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
