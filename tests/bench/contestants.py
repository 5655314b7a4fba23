"""Who is measured: each is built or found, put in place, and run once to see that it works."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import bundle

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
TARGET = REPOSITORY / "target" / "bench"
# In seconds. A round takes one or two; what takes this long hangs.
PATIENCE = 300


class Failed(Exception):
    """Something did not run; says what and why."""


@dataclass
class Contestant:
    """A command that runs `true` in a container."""

    name: str
    words: list
    user: object
    environment: dict = field(default_factory=dict)

    def run(self, words):
        """Runs `words`, such as its own, in its environment and as the user that is measured."""
        environment = {**os.environ, **self.environment}
        identity = {}
        if self.user.pw_uid != os.geteuid():
            identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
            environment.update(HOME=self.user.pw_dir, USER=self.user.pw_name)
        done = subprocess.run(words, env=environment, timeout=PATIENCE, capture_output=True, text=True, **identity)
        if done.returncode != 0:
            raise Failed(f"{self.name} does not run here: {(done.stderr or done.stdout).strip()}")


def build():
    """Builds Tinbox optimised, and static where that can be: then it has no libraries to load when it starts.

    Answers with the program, and with how it is linked.
    """
    version = call("rustc", "-vV")
    host = next(line.removeprefix("host: ") for line in version.splitlines() if line.startswith("host: "))
    # With --target, RUSTFLAGS is not for procedural macros, which the compiler loads and which cannot be static.
    cargo = ["cargo", "build", "--quiet", "--release", "--package=tinbox", f"--target={host}", f"--target-dir={TARGET}"]
    for linked, flags in (("statically", "-C target-feature=+crt-static"), ("dynamically", "")):
        if subprocess.run(cargo, cwd=REPOSITORY, env={**os.environ, "RUSTFLAGS": flags}).returncode == 0:
            return TARGET / host / "release" / "tinbox", linked
    raise Failed("tinbox does not build")


def prepare(scratch, programs, user):
    """Prepares everybody. Answers with those that run, and with why each of the peers does not: absent, or failed."""
    scratch.chmod(0o755)
    directory(scratch / "results", user)
    state = directory(scratch / "state", user)
    short_lived(state / "run", user)
    names = ["tinbox", *(f"tinbox-{number}" for number in range(2, len(programs) + 1))]
    found = [tinbox(name, program, state, scratch, user) for name, program in zip(names, programs)]
    rootfs = next((state / "images").glob("*/rootfs"))
    found.insert(0, floor(rootfs, state, scratch, user))
    absent, failed = [], []
    # Limits are not measured, so there is no need for cgroups; runc cannot be told so, and makes one.
    for name, options in (("crun", ["--cgroup-manager=disabled"]), ("runc", [])):
        if not shutil.which(name):
            absent.append(f"{name} is not installed")
            continue
        try:
            found.append(peer(name, options, rootfs, scratch, user))
        except Failed as why:
            failed.append(str(why))
    return found, absent, failed


def tinbox(name, program, state, scratch, user):
    """A Tinbox, which makes the embedded image in the directory `state` when it is first run."""
    # `program` may be where the user that is measured cannot go.
    copy = shutil.copy(program, scratch / name)
    contestant = Contestant(name, [copy, "run", "--rm", "base", "true"], user, {"TINBOX_ROOT": str(state)})
    contestant.run(contestant.words)
    return contestant


def floor(rootfs, state, scratch, user):
    """The C program: what Tinbox asks of the kernel, and nothing else."""
    program = scratch / "floor"
    call("gcc", "-std=c17", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, HERE / "floor.c")
    # In the very directory that Tinbox uses, and so in the same part of the disk.
    words = [program, rootfs, state / "containers", state / "root", "/usr/bin/true"]
    contestant = Contestant("floor", words, user)
    contestant.run(contestant.words)
    return contestant


def peer(name, options, rootfs, scratch, user):
    """An OCI runtime, with the same container as a bundle."""
    place = directory(scratch / f"{name}-bundle", user)
    bundle.write(place / "config.json", rootfs, ["true"], (user.pw_uid, user.pw_gid))
    state = short_lived(scratch / f"{name}-state", user)
    words = [name, *options, "--root", state, "run", "--bundle", place, "bench"]
    contestant = Contestant(name, words, user, {"XDG_RUNTIME_DIR": str(state)})
    contestant.run(contestant.words)
    return contestant


def directory(path, user):
    """A new directory of that user."""
    path.mkdir(mode=0o700)
    os.chown(path, user.pw_uid, user.pw_gid)
    return path


def short_lived(path, user):
    """A new directory in memory, as /run is on most machines. Only root can make one."""
    path.mkdir()
    if os.geteuid() == 0:
        call("mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", path)
    os.chown(path, user.pw_uid, user.pw_gid)
    return path


def call(*words):
    """Runs a tool that must succeed. Answers with what it printed."""
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
