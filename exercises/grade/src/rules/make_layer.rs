//! 4.4

use super::ok;
use crate::diagnosis::Rule;
use crate::facts::Facts;
use crate::layers::archive_rows as rows;

pub(crate) const RULES: &[Rule] = &[
    Rule {
        id: "nothing-written",
        when: |facts| ok(facts) && rows::MEMBERS.iter().all(|member| facts.get(member) == rows::MISSING),
        title: "the layer is empty",
        words: "Your function returned `Ok`, and the archive has no members. `upper.next_entry()?` gives one entry after the other, \
                and `layer.put(&entry, upper)?` writes it.",
        read: "the OCI image specification, layer.md, \"Creating\"",
    },
    Rule {
        id: "read-too-late",
        when: |facts| facts.get("returned").ends_with("a file can be read until the next entry is asked for"),
        title: "an entry was written when the walk was already further",
        words: "`put` reads the file that the walk is at, through the descriptor that it was looked at with. So nothing else can take \
                its place in between, and no path has to be trusted. Write each entry before you ask for the next one; then there \
                is also no need to hold them all.",
        read: "the source of images::changes",
    },
    Rule {
        id: "stops-early",
        when: |facts| facts.get(rows::LAST) == rows::MISSING,
        title: "it stops before the end of the changes",
        words: "The last entries are missing. Does something in your loop end it, or the function, where only this entry is done? \
                `continue` goes on with the next one; `break` and `return` do not.",
        read: "the OCI image specification, layer.md, \"Creating\"",
    },
    Rule {
        id: "marker-instead",
        when: |facts| facts.get(rows::OPT) == rows::MISSING && facts.get(rows::OPT_MARKER) == rows::EMPTY,
        title: "an opaque directory has a marker, but is not in the layer itself",
        words: "The marker says that nothing from below is seen in the directory. What the directory is, its mode and its owner, is in \
                its own member: without that opt has mode 755 on another machine, and not 750. Both belong into the layer.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "no-prefix",
        when: |facts| facts.get(rows::OTHERS).split(", ").any(|other| other == "etc/hosts (an empty file)"),
        title: "the marker has the name of what was deleted",
        words: "You wrote an empty `etc/hosts`. `marker` takes the whole path and adds no prefix: give it `etc/.wh.hosts`. As it is, \
                the deleted file is back on the next machine, and empty.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "device-and-marker",
        when: |facts| has(facts, "(a device)") && facts.get(rows::HOSTS) == rows::EMPTY,
        title: "what is deleted is in the layer twice: as a marker and as a device",
        words: "The marker is right. But then you go on and write the entry too, and it is no thing: it is overlayfs' note, a character \
                device 0/0. Other tools would make the device. An entry with `whiteout` is done with its marker.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "whiteout-is-a-device",
        when: |facts| has(facts, "(a device)"),
        title: "deletions are in the layer as devices",
        words: "A character device 0/0 is how overlayfs notes a deletion on disk. In a layer it would be just a device: docker makes \
                one, and as an ordinary user it cannot even do that. There, a deletion is an empty file called `.wh.` and the \
                name: `layer.marker(path)` writes one.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "marker-below",
        when: |facts| has(facts, "etc/hosts/.wh.hosts ("),
        title: "the marker is below what was deleted",
        words: "You write `etc/hosts/.wh.hosts`, as though hosts were a directory. It is gone; its marker stands where it stood: \
                `etc/.wh.hosts`. `join` adds a part, `with_file_name` changes the last one.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "markers-at-the-top",
        when: |facts| has(facts, ".wh.hosts (") && !has(facts, "etc/.wh.hosts"),
        title: "the markers are all at the top of the layer",
        words: "You write `.wh.hosts`, and that deletes `hosts` at the top. What was deleted was etc/hosts: its marker belongs into the \
                same directory. `entry.path.with_file_name(…)` changes only the last part of a path.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "prefix-before-the-path",
        when: |facts| has(facts, ".wh.etc/hosts"),
        title: "`.wh.` stands before the path, and not before the name",
        words: "You write `.wh.etc/hosts`: that is a file in a directory `.wh.etc`. The prefix belongs to the last part, as in \
                `etc/.wh.hosts`. Take a path apart with `file_name` and put it together with `with_file_name`.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "deletions-lost",
        when: |facts| facts.get(rows::HOSTS) == rows::MISSING,
        title: "what was deleted is not in the layer",
        words: "The layer brings what is new, and says nothing of what is gone. On the next machine the deleted files are back. An entry \
                with `whiteout` becomes an empty file called `.wh.` and its name: `layer.marker(path)` writes one.",
        read: "the OCI image specification, layer.md, \"Whiteouts\"",
    },
    Rule {
        id: "name-became-text",
        when: |facts| ok(facts) && facts.get(rows::LATIN1) == rows::MISSING,
        title: "a deletion is lost whose name is not UTF-8",
        words: "You turned the name into text. A name that is not UTF-8 is then no name at all, or another one. Put bytes together: \
                an `OsString` takes any name with `push`, and `format!` takes only text.",
        read: "the documentation of std::ffi::OsStr",
    },
    Rule {
        id: "opaque-beside",
        when: |facts| has(facts, ".wh..wh..opq (") && facts.get(rows::OPT_MARKER) == rows::MISSING,
        title: "the marker is beside the opaque directory, and not in it",
        words: "`.wh..wh..opq` is about the directory that it is in. Beside opt, at the top, it hides everything that the layers below \
                have, /bin and all. It belongs into the directory: `entry.path.join(…)`, not `with_file_name`.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "opaque-misspelt",
        when: |facts| has(facts, ".opq ("),
        title: "the marker of opaque directories has another name",
        words: "It is called `.wh..wh..opq`, with two times `.wh.` and two dots before the end. To whoever reads the layer any other \
                name deletes a file of that name, or means nothing, and what was replaced is back.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "opaque-forgotten",
        when: |facts| facts.get(rows::OPT_MARKER) == rows::MISSING,
        title: "directories that were replaced are merged again",
        words: "opt was deleted and made anew, and is empty. Your layer has the directory, and not that it hides what is below: on the \
                next machine the old files are in it. An entry with `opaque` gets a marker `.wh..wh..opq` into it, besides itself.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "marker-first",
        when: |facts| ok(facts) && facts.get(rows::ORDER) != rows::NOTHING,
        title: "a marker comes before the directory that it is in",
        words: "Whoever unpacks this must make up a directory to put the marker into, before it knows what directory that is. Some \
                tools do not, and fail; others forget the marker when the directory comes. First the entry itself, then its marker.",
        read: "the OCI image specification, layer.md, \"Opaque Whiteout\"",
    },
    Rule {
        id: "errors-are-lost",
        when: |facts| facts.get(rows::FULL) == "ok",
        title: "a disk that is full is not noticed",
        words: "Nothing could be written, and you said `Ok`. A layer with a hole in it would get a digest and a name like any other, and \
                nobody would know until it is unpacked. Hand on every error with `?`.",
        read: "the Rust book, \"Propagating Errors\"",
    },
    Rule {
        id: "put-error-lost",
        when: |facts| facts.get(rows::BAD_FILE) == "ok",
        title: "a file that could not be written is passed over",
        words: "An error of `put` was thrown away: the disk failed once, at a file, and you said `Ok`. The layer is without it, and \
                has a digest like any other. `?` hands it on.",
        read: "the Rust book, \"Propagating Errors\"",
    },
    Rule {
        id: "marker-error-lost",
        when: |facts| facts.get(rows::BAD_MARKER) == "ok",
        title: "a marker that could not be written is passed over",
        words: "An error of `marker` was thrown away: the disk failed once, at a marker, and you said `Ok`. On the next machine the \
                deleted file is back. `?` hands it on.",
        read: "the Rust book, \"Propagating Errors\"",
    },
];

fn has(facts: &Facts, other: &str) -> bool {
    facts.get(rows::OTHERS).contains(other)
}
