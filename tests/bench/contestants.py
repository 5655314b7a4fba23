"""Who is measured: each is built or found, put in place, and run once to see that it works."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

import bundle

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
TARGET = REPOSITORY / "target" / "bench"
# Where cgroup v2 is seen by all that is measured.
TREE = Path("/sys/fs/cgroup")
# The same Tinbox with an option.
VARIANTS = (
    ("tinbox --init", ["--init"]),
    ("tinbox unfiltered", ["--security-opt", "seccomp=unconfined"]),
)
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

    Answers with the program, with how it is linked, and with a C header that holds what it gives the kernel.
    """
    host = next(line.removeprefix("host: ") for line in call("rustc", "-vV").splitlines() if line.startswith("host: "))
    # With --target, RUSTFLAGS is not for procedural macros, which the compiler loads and which cannot be static.
    options = ["--quiet", "--release", f"--target={host}", f"--target-dir={TARGET}"]
    for linked, flags in (("statically", "-C target-feature=+crt-static"), ("dynamically", "")):
        environment = {**os.environ, "RUSTFLAGS": flags}
        if subprocess.run(["cargo", "build", *options, "--package=tinbox"], cwd=REPOSITORY, env=environment).returncode:
            continue
        header = call("cargo", "run", *options, "--package=ch08-sandbox", "--example=programs", env=environment)
        return TARGET / host / "release" / "tinbox", linked, header
    raise Failed("tinbox does not build")


def prepare(scratch, programs, header, user):
    """Prepares everybody. Answers with those that run, with what is to be said about them, and with who failed."""
    scratch.chmod(0o755)
    directory(scratch / "results", user)
    state = directory(scratch / "state", user)
    short_lived(state / "run", user)
    (scratch / "programs.h").write_text(header)
    names = ["tinbox", *(f"tinbox-{number}" for number in range(2, len(programs) + 1))]
    found = [tinbox(name, program, [], state, scratch, user) for name, program in zip(names, programs)]
    found += [tinbox(name, programs[0], options, state, scratch, user) for name, options in VARIANTS]
    rootfs = next((state / "images").glob("*/rootfs"))
    cgroup = home_of_cgroups(user)
    found.insert(0, floor(rootfs, state, cgroup, scratch, user))
    notes, failed = [], []
    for name, filtered in (("crun", True), ("crun unfiltered", False), ("runc", True)):
        if not shutil.which(name.split()[0]):
            notes.append(f"not measured: {name} is not installed")
            continue
        try:
            found.append(peer(name, filtered, rootfs, cgroup, notes, scratch, user))
        except Failed as why:
            failed.append(f"not measured: {why}")
    return found, notes, failed


def tinbox(name, program, options, state, scratch, user):
    """A Tinbox, which makes the embedded image in the directory `state` when it is first run."""
    # `program` may be where the user that is measured cannot go.
    copy = shutil.copy(program, scratch / name.replace(" ", ""))
    contestant = Contestant(name, [copy, "run", "--rm", *options, "base", "true"], user, {"TINBOX_ROOT": str(state)})
    contestant.run(contestant.words)
    return contestant


def home_of_cgroups(user):
    """The cgroup in which Tinbox, which has run by now, makes those of containers. None if it found no place for any."""
    own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    here = TREE / own.lstrip("/")
    homes = [place / "tinbox" for place in (here, *here.parents) if place.is_relative_to(TREE)]
    return next((home for home in homes if home.is_dir() and home.stat().st_uid == user.pw_uid), None)


def floor(rootfs, state, cgroup, scratch, user):
    """The C program: what Tinbox asks of the kernel, and nothing else."""
    program = scratch / "floor"
    options = ["-std=c17", "-O2", "-static", "-Wall", "-Wextra", "-Werror", f"-I{scratch}"]
    call("gcc", *options, "-o", program, *(HERE / "floor").glob("*.c"))
    # In the very directory that Tinbox uses, and so in the same part of the disk.
    words = [program, rootfs, state / "containers", state / "root", cgroup or "", "/usr/bin/true"]
    contestant = Contestant("floor", words, user)
    contestant.run(contestant.words)
    return contestant


def peer(name, filtered, rootfs, cgroup, notes, scratch, user):
    """An OCI runtime, with the same container as a bundle."""
    program, word = name.split()[0], name.replace(" ", "")
    place = directory(scratch / f"{word}-bundle", user)
    # An ordinary user's runtime has no say over devices; crun can be told to do without a cgroup, and then does.
    own = f"/{cgroup.relative_to(TREE)}/{word}" if cgroup and user.pw_uid == 0 else None
    options = ["--cgroup-manager=disabled"] if program == "crun" and not own else []
    state = short_lived(scratch / f"{word}-state", user)
    words = [program, *options, "--root", state, "run", "--bundle", place, word]
    contestant = Contestant(name, words, user, {"XDG_RUNTIME_DIR": str(state)})
    wanted = bundle.Wanted(rootfs, ["true"], (user.pw_uid, user.pw_gid), own, filtered)
    try:
        bundle.write(place / "config.json", wanted)
        contestant.run(words)
    except Failed as why:
        # crun raises a limit first, which takes a capability that not every root has.
        bundle.write(place / "config.json", replace(wanted, devices=False))
        subprocess.run([program, "--root", state, "delete", "--force", word], capture_output=True)
        contestant.run(words)
        notes.append(f"{name} does less than the others, it has no list of devices: {why}")
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


def call(*words, env=None):
    """Runs a tool that must succeed. Answers with what it printed."""
    done = subprocess.run(words, cwd=REPOSITORY, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
