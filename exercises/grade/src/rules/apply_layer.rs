//! 4.1

use super::ok;
use crate::diagnosis::Rule;
use crate::facts::Facts;
use crate::layers::tree_rows as rows;

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-laid-out",
        when: |facts| ok(facts) && rows::PATHS.iter().all(|path| facts.get(path) == rows::MISSING),
        title: "nothing was laid out",
        words: "You read the members, or did not, and the tree is as empty as before. Each member that is a thing goes into the \
                tree with `tree.put(&member, layer)?`, which also reads its content.",
        read: "the OCI image specification, layer.md, \"Applying Changesets\"",
    },
    Rule {
        id: "content-gone",
        when: |facts| facts.get("returned") == "error: the archive holds less of this file than it says",
        title: "the content of a member was gone when you wanted it",
        words: "An archive is read once, from the front, and content stands behind its header. `next_member` goes on to the next \
                header and skips the content of the last member if you did not take it. So put each member before you ask for the \
                next. (A layer has gigabytes: nobody wants to hold it in memory to go over it twice.)",
        read: "man 5 tar",
    },
    Rule {
        id: "stops-early",
        when: |facts| facts.get(rows::LAST) == rows::MISSING,
        title: "it stops before the end of the layer",
        words: "The last members are missing. Does something in your loop return, where it should go on with the next member? An \
                arm of a `match` with `return` in front ends the function and not the turn.",
        read: "the OCI image specification, layer.md, \"Applying Changesets\"",
    },
    Rule {
        id: "only-at-the-top",
        when: |facts| {
            facts.get(rows::OLD) == rows::WHITEOUT
                && facts.get(rows::HOSTS) == rows::MISSING
                && has(facts, "etc/.wh.", "an empty file")
        },
        title: "only deletions at the top of the tree are understood",
        words: "`.wh.old` deletes, and `etc/.wh.hosts` becomes a file. The prefix is of the last part of the path, its file name, \
                and you look for it at the beginning of the whole path.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "markers-laid-out-too",
        when: |facts| facts.get(rows::OLD) == rows::WHITEOUT && has(facts, ".wh.old", "an empty file"),
        title: "the markers are laid out as well",
        words: "What they hide is hidden. But then you go on and put the marker itself, and `.wh.hosts` is a file in the container. \
                A marker is done when it is understood.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "markers-become-files",
        when: |facts| has(facts, ".wh.old", "an empty file"),
        title: "what says that something is deleted was made as a file",
        words: "There are files now that are called `.wh.old` and the like, as a plain tar would make them, and what they delete is \
                back. Such a member is no thing. overlayfs has its own form of a deletion, a device 0/0 with the name of what is \
                deleted: `tree.whiteout(path)` makes it.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"; the kernel's overlayfs.rst, \"whiteouts and opaque directories\"",
    },
    Rule {
        id: "prefix-kept",
        when: |facts| has(facts, ".wh.old", rows::WHITEOUT),
        title: "the deletions have the wrong names",
        words: "You hide `.wh.old`, which is nowhere, and `old` is still seen. What is deleted is called as the member without the \
                prefix: `name.strip_prefix(b\".wh.\")`.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "prefix-anywhere",
        when: |facts| facts.get(rows::NOTES) == rows::MISSING,
        title: "a file with `.wh.` in its name is taken for a deletion",
        words: "etc/notes.wh.txt is a file like any other. The prefix is a prefix: it counts where the name begins, and nowhere else.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "deleted-at-the-top",
        when: |facts| has(facts, "hosts", rows::WHITEOUT),
        title: "the deletions are all at the top of the tree",
        words: "`etc/.wh.hosts` deletes etc/hosts. You hide `hosts`, as though it were at the top, and there is none. The directory of \
                the member belongs to it: `member.path.with_file_name(…)` changes only the last part.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "opaque-is-no-name",
        when: |facts| has(facts, "opt/.wh..opq", rows::WHITEOUT),
        title: "`.wh..wh..opq` is taken for the deletion of a file",
        words: "It begins with `.wh.`, so you hide a file `.wh..opq`, which nobody has. This name is a special one: all that the \
                layers below have in its directory is hidden. Look for it before you look for the prefix alone.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "opaque-marker-is-a-file",
        when: |facts| has(facts, "opt/.wh..wh..opq", "an empty file"),
        title: "the marker of an opaque directory was made as a file",
        words: "A file `.wh..wh..opq` means nothing to overlayfs, and what is below shines through. It is the *directory* that \
                becomes opaque, by an attribute: `tree.opaque(directory)`.",
        read: "the kernel's overlayfs.rst, \"whiteouts and opaque directories\"",
    },
    Rule {
        id: "opaque-marker-is-a-directory",
        when: |facts| has(facts, "opt/.wh..wh..opq", "a directory, 755, opaque"),
        title: "the marker became an opaque directory, instead of the directory that it is in",
        words: "`member.path` is the path of the marker. What is to be opaque is the directory that has it: `member.path.parent()`.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "notes-become-files",
        when: |facts| has(facts, ".wh..wh.aufs", "an empty file"),
        title: "a note of an old tool was made as a file",
        words: "Docker's layers were made with aufs once, and its notes are still found in images: `.wh..wh.aufs`, `.wh..wh.plnk`. All \
                names that begin with `.wh..wh.` are reserved for such; but for `.wh..wh..opq` they mean nothing, and nothing is \
                made of them.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"; man 5 aufs",
    },
    Rule {
        id: "notes-are-deletions",
        when: |facts| has(facts, ".wh.aufs", rows::WHITEOUT),
        title: "a note of an old tool is taken for a deletion",
        words: "`.wh..wh.aufs` deletes no file `.wh.aufs`. All names that begin with `.wh..wh.` are notes of aufs, which nobody but \
                aufs reads; only `.wh..wh..opq` has come to mean something. Pass over the others.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"; man 5 aufs",
    },
    Rule {
        id: "not-opaque",
        when: |facts| !facts.get(rows::SRV).ends_with("opaque") && facts.get(rows::HOSTS) == rows::WHITEOUT,
        title: "the directories with `.wh..wh..opq` in them are not opaque",
        words: "What the layers below have in srv and opt is still seen between the new files. `.wh..wh..opq` hides it, all at once: \
                `tree.opaque(directory)`. Did you pass over it with the notes, which begin in the same way? Or did you delete the \
                directory that it is in? That has something in it, so it stays.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "deletions-lost",
        when: |facts| facts.get(rows::HOSTS) == rows::MISSING,
        title: "nothing is deleted",
        words: "The new files are there, and no marker was made as a file: you passed over them. But then what they delete is still \
                seen, from the layers below: a password that was removed, a library with a hole in it. `tree.whiteout(path)` \
                hides it.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "name-became-text",
        when: |facts| ok(facts) && facts.get(rows::LATIN1) == rows::MISSING,
        title: "a deletion is lost whose name is not UTF-8",
        words: "You turned the name into text. A name that is not UTF-8 is then no name at all, or another one. Compare bytes: \
                `as_bytes()` gives them, and `OsStr::from_bytes(…)` makes a name of them again.",
        read: "the documentation of std::ffi::OsStr",
    },
    Rule {
        id: "cut-off-is-accepted",
        when: |facts| facts.get(rows::CUT_OFF) == "ok" || facts.get(rows::CUT_BETWEEN) == "ok",
        title: "a layer that is cut off is taken for a whole one",
        words: "The archive ended where it should not, and you said `Ok`. `next_member` and `put` answer with an error then, and \
                the caller has to hear of it: it throws the tree away. Only `Ok(None)` is the end. (A loop over \
                `while let Ok(Some(…))` ends at an error as well, and forgets it.)",
        read: "the Rust book, \"Propagating Errors\"",
    },
    Rule {
        id: "put-error-lost",
        when: |facts| facts.get(rows::LED_OUT) == "ok",
        title: "a member that could not be laid out is passed over",
        words: "An error of `put` was thrown away: the symlink led out of the tree, the file was not made, and you said `Ok`. The \
                next layer would be laid on a tree with a hole in it. `?` hands it on.",
        read: "the Rust book, \"Propagating Errors\"",
    },
    Rule {
        id: "top-passed-over",
        when: |facts| ok(facts) && facts.get(rows::TOP) != rows::TOP_LAID_OUT,
        title: "the member `./` is passed over",
        words: "It is the tree itself, and says which mode `/` has. Its path is empty, so it has no last part: `file_name()` is \
                `None`. That makes it a member like any other, and no marker: put it.",
        read: "man 5 tar",
    },
];

/// Whether `path` is there, which should not be, and is that.
fn has(facts: &Facts, path: &str, what: &str) -> bool {
    let others = facts.get(rows::OTHERS);
    let is_it = |entry: &str| entry.strip_suffix(')').unwrap_or(entry).split_once(" (") == Some((path, what));
    let begins = |entry: &str| path.ends_with('.') && entry.starts_with(path) && entry.contains(what);
    others.split("), ").any(|entry| is_it(entry) || begins(entry))
}
