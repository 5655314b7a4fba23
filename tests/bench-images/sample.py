"""The image that everybody gets: ten layers, about 100 MB unpacked, made of this machine's files and of chance.

The same on every run of one machine: files are taken in the order of their names, chance has a seed, times are fixed.
"""

import gzip
import hashlib
import io
import json
import random
import re
import subprocess
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

# How much of each kind, in MB (of 1,000,000 bytes), and how many small files.
PROGRAMS, LIBRARIES, SOURCES, DOCUMENTS, NOISE, TEXT, REPLACED, LINKED = 22, 22, 14, 5, 12, 12, 6, 5
SMALL_FILES = 4000
# What a container writes before it is committed.
CHANGES, CHANGED_FILES = 20, 400

MB = 1_000_000
WHEN = 1_700_000_000
CREATED = "2023-11-14T22:13:20Z"
GZIP, ZSTD = "gzip", "zstd"
LAYER = "application/vnd.oci.image.layer.v1.tar+"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
WORDS = "layer tree image digest mount upper lower kernel process limit name file link time owner mode".split()


@dataclass(frozen=True)
class Entry:
    """A member of a layer. `target` is a link's; `data` is a file's."""

    path: str
    kind: bytes = tarfile.REGTYPE
    data: bytes = b""
    mode: int = 0o644
    owner: int = 0
    target: str = ""


@dataclass
class Layer:
    """A layer on disk, in each form that somebody asks for."""

    tar: Path
    diff_id: str
    blobs: dict


@dataclass
class Sample:
    """Everything that is measured with."""

    layers: list
    config: bytes
    # By compression: the bytes of the manifest.
    manifests: dict
    # As `docker save` has it, uncompressed.
    archive: Path
    # The merged tree in one tar.
    flat: Path
    # What a container writes.
    changes: Path

    def unpacked(self):
        return self.flat.stat().st_size

    def packed(self, compression):
        return sum(layer.blobs[compression].stat().st_size for layer in self.layers)


def make(directory):
    """Makes it all in `directory`, which is new."""
    directory.mkdir()
    chance = random.Random(4)
    contents = [list(entries) for entries in layers(chance)]
    made = [store_layer(directory, number, write(entries)) for number, entries in enumerate(contents)]
    config = json.dumps(configuration(made), indent=1).encode()
    sample = Sample(
        layers=made,
        config=config,
        manifests={compression: manifest(made, config, compression) for compression in (GZIP, ZSTD)},
        archive=directory / "archive.tar",
        flat=directory / "flat.tar",
        changes=directory / "changes.tar",
    )
    docker_archive(sample)
    sample.flat.write_bytes(write(merged(contents)))
    sample.changes.write_bytes(write(changes(chance)))
    return sample


def layers(chance):
    """The members of each layer, bottom first. Each has directories before what is in them."""
    small = [Entry(f"srv/small/{n % 200:03}/{n:05}.txt", data=text(chance, chance.randint(100, 3000)))
             for n in range(SMALL_FILES)]  # fmt: skip
    yield copied("/usr/bin", "*", PROGRAMS, first=["/usr/bin/tar"])
    yield copied("/usr/lib/x86_64-linux-gnu", "*.so*", LIBRARIES, first=libraries("/usr/bin/tar"))
    yield copied("/usr/lib/python3.11", "*.py", SOURCES)
    yield small
    yield [Entry(f"srv/noise/{n}.bin", data=chance.randbytes(MB)) for n in range(NOISE)]
    yield [Entry(f"var/log/{n:02}.log", data=text(chance, MB)) for n in range(TEXT)]
    yield copied("/usr/share/doc", "*", DOCUMENTS)
    yield whiteouts_and_replacements(chance, small)
    yield links(chance)
    yield [Entry("etc/motd", data=b"the last layer is a small one\n"), Entry("etc/hostname", data=b"bench\n")]


def whiteouts_and_replacements(chance, small):
    """Hides every eighth of the small files, replaces every eighth, and empties a directory to fill it anew."""
    for entry in small[::8]:
        directory, name = entry.path.rsplit("/", 1)
        yield Entry(f"{directory}/.wh.{name}")
    for entry in small[1::8]:
        yield replace(entry, data=text(chance, 2000), mode=0o600)
    yield Entry("var/log/.wh..wh..opq")
    for number in range(REPLACED):
        yield Entry(f"var/log/new-{number}.log", data=text(chance, MB))


def links(chance):
    """Files with three more names each, and as many symbolic links."""
    for number in range(100):
        path = f"opt/links/{number:03}"
        yield Entry(path, data=text(chance, LINKED * MB // 100), mode=0o755, owner=1000)
        for name in "abc":
            yield Entry(f"{path}.{name}", kind=tarfile.LNKTYPE, target=path)
            yield Entry(f"{path}.{name}.sym", kind=tarfile.SYMTYPE, target=f"./{number:03}")


def copied(directory, pattern, megabytes, first=()):
    """Files of this machine, in the order of their names, until there are that many bytes."""
    left = megabytes * MB
    for path in dict.fromkeys([*map(Path, first), *sorted(Path(directory).rglob(pattern))]):
        if str(path) not in first and (path.is_symlink() or not path.is_file() or path.stat().st_size > left):
            continue
        data = path.read_bytes()
        left -= len(data)
        yield Entry(str(path).lstrip("/"), data=data, mode=path.stat().st_mode & 0o777)
        if left < 4000:
            return


def libraries(program):
    """What the program is linked with, at the paths at which it looks for them."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def text(chance, size):
    """Lines of words, about as compressible as prose."""
    words = chance.choices(WORDS, k=size // 4)
    for place in range(0, len(words), 5):
        words[place] = f"{chance.getrandbits(32):x}\n"
    return " ".join(words).encode()[:size]


def changes(chance):
    for number in range(CHANGED_FILES):
        half = CHANGES * MB // CHANGED_FILES // 2
        yield Entry(f"srv/changes/{number % 20:02}/{number:03}", data=chance.randbytes(half) + text(chance, half))


def merged(contents):
    """The tree that the layers make, without what is hidden."""
    tree = {}
    for entries in contents:
        for entry in entries:
            directory, name = entry.path.rsplit("/", 1)
            if name == ".wh..wh..opq":
                tree = {path: old for path, old in tree.items() if not path.startswith(f"{directory}/")}
            elif name.startswith(".wh."):
                del tree[f"{directory}/{name.removeprefix('.wh.')}"]
        tree |= {entry.path: entry for entry in entries if "/.wh." not in entry.path}
    return tree.values()


def write(entries):
    """A tar of them, with the directories that they are in."""
    buffer, there = io.BytesIO(), {"."}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            for parent in reversed(Path(entry.path).parents):
                if str(parent) not in there:
                    there.add(str(parent))
                    add(tar, Entry(str(parent), kind=tarfile.DIRTYPE, mode=0o755))
            add(tar, entry)
    return buffer.getvalue()


def add(tar, entry):
    member = tarfile.TarInfo(entry.path)
    member.type, member.mode, member.mtime, member.linkname = entry.kind, entry.mode, WHEN, entry.target
    member.uid = member.gid = entry.owner
    member.size = len(entry.data)
    tar.addfile(member, io.BytesIO(entry.data))


def store_layer(directory, number, data):
    """Writes the tar, and what gzip and zstd make of it at the levels that are usual."""
    tar = directory / f"layer-{number}.tar"
    tar.write_bytes(data)
    packed = {GZIP: tar.with_suffix(".tar.gz"), ZSTD: tar.with_suffix(".tar.zst")}
    packed[GZIP].write_bytes(gzip.compress(data, 6, mtime=0))
    subprocess.run(["zstd", "-3", "--quiet", tar, "-o", packed[ZSTD]], check=True)
    return Layer(tar, digest(data), packed)


def configuration(made):
    return {
        "created": CREATED,
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["/usr/bin/tar"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in made]},
        "history": [{"created": CREATED, "created_by": f"layer {number}"} for number, _ in enumerate(made)],
    }


def manifest(made, config, compression):
    blobs = [layer.blobs[compression].read_bytes() for layer in made]
    return json.dumps({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config),
        "layers": [descriptor(LAYER + compression, blob) for blob in blobs],
    }).encode()  # fmt: skip


def descriptor(media_type, data):
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def docker_archive(sample):
    """What `docker save` writes, so far as `docker load` and the others read it."""
    config = f"{hashlib.sha256(sample.config).hexdigest()}.json"
    names = [f"{number:064x}/layer.tar" for number, _ in enumerate(sample.layers)]
    index = [{"Config": config, "RepoTags": ["bench:loaded"], "Layers": names}]
    with tarfile.open(sample.archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, layer in zip(names, sample.layers):
            add(tar, Entry(name, data=layer.tar.read_bytes()))
        add(tar, Entry(config, data=sample.config))
        add(tar, Entry("manifest.json", data=json.dumps(index).encode()))


def digest(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
