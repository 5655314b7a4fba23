"""The container of `tinbox run`, as an OCI bundle: what crun and runc are asked for.

Namespaces, mounts, masks, devices and capabilities are those that `tinbox run --explain` tells, so that the same work
is measured. The seccomp profile is Docker's, from the file that Tinbox compiles its filter from (seccomp.py).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import seccomp

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE FSETID FOWNER NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL "
    "AUDIT_WRITE"
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOTHING_SPECIAL = ["nosuid", "nodev", "noexec"]
MASKED = [
    *(f"/proc/{name}" for name in "acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list".split()),
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
]
READ_ONLY = [f"/proc/{name}" for name in ("bus", "fs", "irq", "sys", "sysrq-trigger")]
# null, zero, full, random, urandom, tty, console, ptmx, terminals.
DEVICES = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (136, None)]


@dataclass
class Wanted:
    """A container: `command` on `rootfs`, as root, or in a user namespace of `user` (uid, gid).

    `cgroup` is a path below the top of the tree; without one, there is no list of devices either.
    """

    rootfs: Path
    command: list
    user: tuple
    cgroup: str | None
    filtered: bool
    devices: bool = True


def write(path, wanted):
    """Writes a config.json."""
    path.write_text(json.dumps(config(wanted)))


def config(wanted):
    rootless = wanted.user[0] != 0
    kinds = ["pid", "ipc", "uts", "mount", "network", "cgroup"] + (["user"] if rootless else [])
    linux = {"namespaces": [{"type": kind} for kind in kinds], "maskedPaths": MASKED, "readonlyPaths": READ_ONLY}
    if wanted.cgroup:
        linux["cgroupsPath"] = wanted.cgroup
        linux["resources"] = {"devices": devices()} if wanted.devices else {}
    if rootless:
        linux["uidMappings"] = [{"containerID": 0, "hostID": wanted.user[0], "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": wanted.user[1], "size": 1}]
    if wanted.filtered:
        linux["seccomp"] = seccomp.profile({"CAP_" + name for name in CAPABILITIES.split()})
    return {
        "ociVersion": "1.0.2",
        "root": {"path": str(wanted.rootfs), "readonly": False},
        "hostname": "bench",
        "process": process(wanted.command),
        "mounts": mounts(rootless),
        "linux": linux,
    }


def process(command):
    kept = ["CAP_" + name for name in CAPABILITIES.split()]
    return {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": command,
        "env": ["PATH=" + PATH, "HOSTNAME=bench", "HOME=/root"],
        "cwd": "/",
        "capabilities": {kind: kept for kind in ("bounding", "effective", "permitted")},
        "noNewPrivileges": True,
    }


def devices():
    """The rules of the cgroup: any node may be made, and a few may be used."""
    rules = [{"allow": False, "access": "rwm"}]
    rules += [{"allow": True, "type": kind, "access": "m"} for kind in ("c", "b")]
    for major, minor in DEVICES:
        numbers = {"major": major} if minor is None else {"major": major, "minor": minor}
        rules.append({"allow": True, "type": "c", **numbers, "access": "rwm"})
    return rules


def mounts(rootless):
    # As a user: group 5 is not there to be given to anything.
    terminals = ["newinstance", "ptmxmode=0666", "mode=0620"] + ([] if rootless else ["gid=5"])
    return [
        mount("/proc", "proc", "proc"),
        mount("/sys", "sysfs", "sysfs", "ro"),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro"),
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=64k"],
        },
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", *terminals]},
        mount("/dev/shm", "tmpfs", "shm", "mode=1777", "size=64m"),
        mount("/dev/mqueue", "mqueue", "mqueue"),
    ]


def mount(destination, kind, source, *more):
    return {"destination": destination, "type": kind, "source": source, "options": [*NOTHING_SPECIAL, *more]}
