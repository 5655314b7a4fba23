//! `tinbox container …`: the verbs that are about containers. All but `prune` have a name of one word, too.

mod prune;

use crate::cli::dispatch::{Group, verb};
use crate::cli::{COMMIT, DIFF, EXPORT, INSPECT, PAUSE, PS, RM, RUN, STATS, UNPAUSE};

/// All of them.
pub const GROUP: Group = Group {
    name: "container",
    about: "Manage containers",
    verbs: &[
        PS.renamed("ls"),
        INSPECT,
        RM,
        verb("prune", "Remove containers that have ended", prune::command, prune::run),
        PAUSE,
        UNPAUSE,
        STATS,
        RUN,
        COMMIT,
        DIFF,
        EXPORT,
    ],
    aliases: &[("list", "ls"), ("ps", "ls"), ("remove", "rm")],
    help: "\
Examples:
  tinbox container ls -a        those that have ended, too
  tinbox container prune        remove those that have ended

`tinbox container VERB --help` tells more, with examples.",
};
