"""Who runs the probe: each is started with all its state in the scratch directory, and prints the probe's report."""

import os
import shutil
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TARGET = "x86_64-unknown-linux-gnu"
# In seconds. What takes this long hangs.
PATIENCE = 60


class Failed(Exception):
    """Something did not run; says what and why."""


def build(package):
    """Builds it optimised and static. Answers with the program."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    command = ["cargo", "build", "--quiet", "--release", f"--target={TARGET}", f"--package={package}"]
    environment = {**os.environ, "RUSTFLAGS": "-C target-feature=+crt-static", "CARGO_TARGET_DIR": str(target)}
    if subprocess.run(command, cwd=REPOSITORY, env=environment).returncode != 0:
        raise Failed(f"{package} does not build")
    return target / TARGET / "release" / package


def hide_host(scratch):
    """Puts memory where the engines would leave something, and shows them cgroup v2 alone.

    Where v1 is mounted beside it, crun 1.8 does not start.
    """
    call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", scratch)
    call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    call("ip", "link", "set", "lo", "up")
    if not Path("/sys/fs/cgroup/cgroup.procs").exists():
        call("umount", "--recursive", "/sys/fs/cgroup")
        call("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")


def remove_cgroups(name):
    """Removes the cgroup that the engines' containers were in. Everybody in it is dead: its PID namespace is gone."""
    for mount in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        for directory, _, _ in os.walk(mount / name, topdown=False):
            os.rmdir(directory)


def all_of(scratch, user, tinbox):
    return [Tinbox(scratch, user, tinbox), Docker(scratch, user), Podman(scratch, user)]


class Engine:
    """What they have in common."""

    program = None

    def __init__(self, scratch, user):
        self.user = user
        self.scratch = scratch / self.name
        # The cgroup for all containers; `remove_cgroups` knows it by this name.
        self.cgroup = f"/{scratch.name}"
        self.environment = {**os.environ}
        self.identity = {}

    def missing(self):
        """Why it cannot be measured here, if so."""
        return None if shutil.which(self.program) else f"{self.program} is not installed"

    def place(self):
        """Makes its directory, which belongs to the user that is measured."""
        self.scratch.mkdir(mode=0o700)
        if self.user:
            os.chown(self.scratch, self.user.pw_uid, self.user.pw_gid)
            self.identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
            self.environment.update(HOME=str(self.scratch), USER=self.user.pw_name, XDG_RUNTIME_DIR=str(self.scratch))

    def run(self, *words):
        command = list(map(str, words))
        try:
            done = subprocess.run(
                command, cwd=self.scratch, env=self.environment, timeout=PATIENCE, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, **self.identity,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(command)}: no end after {PATIENCE} s")
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout


class Host(Engine):
    """No container at all: what the others take away from."""

    name = "host"
    program = "true"

    def report(self, image):
        self.place()
        self.run("tar", "--extract", "--file", image, "./probe")
        return self.run("./probe", "probe")


class Tinbox(Engine):
    name = "tinbox"
    program = "true"

    def __init__(self, scratch, user, program):
        super().__init__(scratch, user)
        self.built = program

    def report(self, image):
        self.place()
        # The one that was built may be where the user that is measured cannot go.
        program = shutil.copy(self.built, self.scratch / "program")
        self.environment["TINBOX_ROOT"] = str(self.scratch / "state")
        self.run(program, "import", image, "probe")
        return self.run(program, "run", "--rm", "probe", "/probe", "probe")


class Docker(Engine):
    name = "docker"
    program = "dockerd"

    def missing(self):
        return "without root it needs a set-up of its own" if self.user else super().missing()

    def report(self, image):
        self.place()
        socket = self.scratch / "socket"
        daemon = [
            "dockerd", "--data-root", self.scratch / "data", "--exec-root", self.scratch / "exec", "--pidfile",
            self.scratch / "pid", "--host", f"unix://{socket}", "--bridge=none", "--iptables=false",
            "--ip6tables=false", "--cgroup-parent", self.cgroup, "--exec-opt", "native.cgroupdriver=cgroupfs",
        ]  # fmt: skip
        with (self.scratch / "log").open("w") as log:
            running = subprocess.Popen(list(map(str, daemon)), stdout=log, stderr=log, cwd=self.scratch)
        try:
            self.listening(running, socket)
            client = ["docker", "--host", f"unix://{socket}"]
            self.run(*client, "import", image, "probe")
            return self.run(*client, "run", "--rm", "--network=none", "probe", "/probe", "probe")
        finally:
            running.terminate()
            running.wait(PATIENCE)

    def listening(self, daemon, socket):
        # It makes the socket when it is ready to answer, and tells nobody.
        for _ in range(PATIENCE * 10):
            if socket.exists():
                return
            if daemon.poll() is not None:
                break
            time.sleep(0.1)
        raise Failed(f"dockerd does not start: {(self.scratch / 'log').read_text().strip()}")


class Podman(Engine):
    name = "podman"
    program = "podman"

    def report(self, image):
        self.place()
        podman = [
            "podman", "--root", self.scratch / "data", "--runroot", self.scratch / "run", "--tmpdir",
            self.scratch / "tmp", "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file",
        ]  # fmt: skip
        self.run(*podman, "import", image, "probe")
        # Its default limits are more than the root of some machines may give; the machine's own are not.
        options = ["--rm", "--network=none", "--ulimit=host"]
        if self.user:
            options += ["--cgroups=disabled"]
        else:
            # To give device rules to the kernel, crun raises a limit that not every root may raise. runc does without.
            podman += ["--runtime=runc"] if shutil.which("runc") else []
            options += [f"--cgroup-parent={self.cgroup}"]
            if "pids" not in Path("/sys/fs/cgroup/cgroup.controllers").read_text().split():
                options += ["--pids-limit=-1"]
        return self.run(*podman, "run", *options, "probe", "/probe", "probe")


def call(*words):
    """Runs a tool that must succeed."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).strip()}")
