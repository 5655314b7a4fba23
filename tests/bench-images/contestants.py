"""Who is measured: how each pulls, loads, saves, imports and commits, with a store of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import registry
from measure import PATIENCE, Failed, call

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TARGET = "x86_64-unknown-linux-gnu"
# What the loaded archive calls its image, and what is made of it.
LOADED, IMPORTED, COMMITTED = "bench:loaded", "bench:imported", "bench:committed"


def build():
    """Builds Tinbox as `just release` does. Answers with the program."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    command = ["cargo", "build", "--quiet", "--release", f"--target={TARGET}", "--package=tinbox"]
    environment = {**os.environ, "RUSTFLAGS": "-C target-feature=+crt-static", "CARGO_TARGET_DIR": str(target)}
    if subprocess.run(command, cwd=REPOSITORY, env=environment).returncode != 0:
        raise Failed("tinbox does not build")
    return target / TARGET / "release" / "tinbox"


class Contestant:
    """What they have in common: a place on the disk. Each verb answers with the commands that do it."""

    name = None
    programs = ()
    # By what is measured: why it cannot be.
    cannot = {}

    def __init__(self, scratch):
        self.place = scratch / self.name
        self.store = self.place / "store"
        self.environment = {**os.environ, "HOME": str(self.place), "TMPDIR": str(self.place / "tmp")}
        # Processes that work for a command without being its children.
        self.daemons = []

    @classmethod
    def missing(cls):
        """Why it cannot be measured here, if so."""
        missing = [program for program in cls.programs if not shutil.which(program)]
        return f"{', '.join(missing)}: not installed" if missing else None

    def open(self):
        """Makes an empty store."""
        (self.place / "tmp").mkdir(parents=True)
        self.store.mkdir()

    def close(self, removing):
        """Unmounts what stays mounted as long as a store is in use, and removes the store, or puts it aside."""
        table = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for mounted in reversed(table):
            if Path(mounted).is_relative_to(self.place):
                call("umount", "--lazy", mounted)
        if removing:
            shutil.rmtree(self.place)
        else:
            aside = self.place.parent / "aside"
            aside.mkdir(exist_ok=True)
            self.place.rename(Path(tempfile.mkdtemp(dir=aside)) / self.name)

    def prepare_commit(self, changes):
        """Makes a container of the loaded image, which writes what is in the tar `changes`. Not measured."""
        with changes.open("rb") as stdin:
            words = self.run_words("--name=changed", LOADED, "/usr/bin/tar", "-x", "-C", "/")
            call(*words, environment=self.environment, stdin=stdin)


class Tinbox(Contestant):
    name = "tinbox"

    def __init__(self, scratch, program):
        super().__init__(scratch)
        self.program = program
        self.environment["TINBOX_ROOT"] = str(self.store)

    def version(self):
        return call(self.program, "--version").strip()

    def pull(self, tag):
        return [[self.program, "pull", f"{registry.ADDRESS}/bench:{tag}"]]

    def load(self, archive):
        return [[self.program, "load", "--input", archive]]

    def save(self, archive):
        return [[self.program, "save", "--output", archive, LOADED]]

    def import_(self, tar):
        return [[self.program, "import", tar, IMPORTED]]

    def run_words(self, *words):
        return [self.program, "run", "-i", "--network=none", *words]

    def commit(self):
        return [[self.program, "commit", "changed", COMMITTED]]


class Docker(Contestant):
    name = "docker"
    programs = ("dockerd", "docker")
    cannot = {"pull zstd": "docker 20.10 cannot read zstd"}

    def __init__(self, scratch):
        super().__init__(scratch)
        # Short: the path of a socket has at most 107 bytes.
        self.exec = Path("/run/bench-docker")
        self.client = ["docker", "--host", f"unix://{self.exec}/socket"]
        self.daemon = None

    def version(self):
        client = call("docker", "--version").strip()
        return f"{call('dockerd', '--version').strip()}; the client: {client}"

    def open(self):
        super().open()
        self.exec.mkdir()
        words = [
            "dockerd", "--data-root", self.store, "--exec-root", self.exec / "exec", "--pidfile", self.exec / "pid",
            "--host", f"unix://{self.exec}/socket", "--storage-driver=overlay2", "--bridge=none", "--iptables=false",
            "--ip6tables=false", "--cgroup-parent", f"/{self.place.parent.name}",
            "--exec-opt=native.cgroupdriver=cgroupfs",
        ]  # fmt: skip
        with (self.exec / "log").open("w") as log:
            self.daemon = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log, env=self.environment)
        self.wait()
        self.daemons = [self.daemon.pid]

    def wait(self):
        # It makes the socket when it is ready to answer, and tells nobody.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.daemon.poll() is None:
            if (self.exec / "socket").exists():
                return
            time.sleep(0.05)
        raise Failed(f"dockerd does not start: {(self.exec / 'log').read_text().strip()}")

    def close(self, removing):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(PATIENCE)
            self.daemon, self.daemons = None, []
        super().close(removing)
        shutil.rmtree(self.exec)

    def pull(self, tag):
        return [[*self.client, "pull", "--quiet", f"{registry.ADDRESS}/bench:{tag}"]]

    def load(self, archive):
        return [[*self.client, "load", "--quiet", "--input", archive]]

    def save(self, archive):
        return [[*self.client, "save", "--output", archive, LOADED]]

    def import_(self, tar):
        return [[*self.client, "import", tar, IMPORTED]]

    def run_words(self, *words):
        return [*self.client, "run", "-i", "--network=none", *words]

    def commit(self):
        return [[*self.client, "commit", "changed", COMMITTED]]


class Podman(Contestant):
    name = "podman"
    programs = ("podman",)

    def __init__(self, scratch):
        super().__init__(scratch)
        self.runroot = Path("/run/bench-podman")
        self.client = [
            "podman", "--root", self.store, "--runroot", self.runroot, "--tmpdir", self.runroot / "tmp",
            "--storage-driver=overlay", "--cgroup-manager=cgroupfs", "--events-backend=file",
        ]  # fmt: skip

    def version(self):
        return call("podman", "--version").strip()

    def open(self):
        super().open()
        self.runroot.mkdir()

    def close(self, removing):
        super().close(removing)
        shutil.rmtree(self.runroot)

    def pull(self, tag):
        return [[*self.client, "pull", "--quiet", "--tls-verify=false", f"{registry.ADDRESS}/bench:{tag}"]]

    def load(self, archive):
        return [[*self.client, "load", "--quiet", "--input", archive]]

    def save(self, archive):
        return [[*self.client, "save", "--quiet", "--output", archive, LOADED]]

    def import_(self, tar):
        return [[*self.client, "import", "--quiet", tar, IMPORTED]]

    def run_words(self, *words):
        # Its default limits are more than the root of some machines may give; the machine's own are not. To give
        # device rules to the kernel, crun raises a limit that not every root may raise. runc does without.
        client = [*self.client, *(["--runtime=runc"] if shutil.which("runc") else [])]
        options = ["--network=none", "--ulimit=host", f"--cgroup-parent=/{self.place.parent.name}"]
        if "pids" not in Path("/sys/fs/cgroup/cgroup.controllers").read_text().split():
            options += ["--pids-limit=-1"]
        return [*client, "run", "-i", *options, *words]

    def commit(self):
        return [[*self.client, "commit", "--quiet", "changed", COMMITTED]]


class Umoci(Contestant):
    """skopeo fetches and writes, umoci unpacks and packs."""

    name = "umoci"
    programs = ("skopeo", "umoci")
    cannot = {"pull zstd": "umoci 0.4 cannot read zstd"}

    def version(self):
        return f"{call('skopeo', '--version').strip()}; {call('umoci', '--version').splitlines()[0]}"

    def image(self, name):
        # An image without a tag would have umoci's own default.
        return f"{self.store}/oci:{name.split(':')[1]}"

    def unpacked(self, name):
        return ["umoci", "unpack", "--image", self.image(name), self.store / name.replace(":", "-")]

    def pull(self, tag):
        source = f"docker://{registry.ADDRESS}/bench:{tag}"
        fetch = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", source, f"oci:{self.image(f'bench:{tag}')}"]
        return [fetch, self.unpacked(f"bench:{tag}")]

    def load(self, archive):
        fetch = ["skopeo", "copy", "--quiet", f"docker-archive:{archive}", f"oci:{self.image(LOADED)}"]
        return [fetch, self.unpacked(LOADED)]

    def save(self, archive):
        return [["skopeo", "copy", "--quiet", f"oci:{self.image(LOADED)}", f"docker-archive:{archive}:{LOADED}"]]

    def import_(self, tar):
        return [
            ["umoci", "init", "--layout", self.store / "oci"],
            ["umoci", "new", "--image", self.image(IMPORTED)],
            ["umoci", "raw", "add-layer", "--image", self.image(IMPORTED), tar],
            self.unpacked(IMPORTED),
        ]

    def prepare_commit(self, changes):
        call("tar", "-x", "-f", changes, "-C", self.unpacked(LOADED)[-1] / "rootfs")

    def commit(self):
        return [["umoci", "repack", "--image", self.image(COMMITTED), self.unpacked(LOADED)[-1]]]


PEERS = (Docker, Podman, Umoci)
