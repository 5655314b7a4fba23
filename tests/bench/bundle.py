"""The container of `tinbox run`, as an OCI bundle: what crun and runc are asked for.

Namespaces, mounts, read-only paths and capabilities are those that `tinbox run --explain` tells, so that the same
work is measured. There is no seccomp profile and there are no cgroup limits, as Tinbox has none yet.
"""

import json

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE FSETID FOWNER NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL "
    "AUDIT_WRITE"
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOTHING_SPECIAL = ["nosuid", "nodev", "noexec"]


def write(path, rootfs, command, user):
    """Writes a config.json: `command` on `rootfs`, as root, or in a user namespace of `user` (uid, gid)."""
    path.write_text(json.dumps(config(rootfs, command, user)))


def config(rootfs, command, user):
    rootless = user[0] != 0
    namespaces = ["pid", "ipc", "uts", "mount"] + (["user"] if rootless else [])
    linux = {
        "namespaces": [{"type": kind} for kind in namespaces],
        "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"],
    }
    if rootless:
        linux["uidMappings"] = [{"containerID": 0, "hostID": user[0], "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": user[1], "size": 1}]
    return {
        "ociVersion": "1.0.2",
        "root": {"path": str(rootfs), "readonly": False},
        "hostname": "bench",
        "process": process(command),
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


def mounts(rootless):
    # As a user: sysfs needs a network namespace of one's own, and group 5 is not there to be given to anything.
    sys = mount("/sys", "bind", "/sys", "rbind", "ro") if rootless else mount("/sys", "sysfs", "sysfs", "ro")
    terminals = ["newinstance", "ptmxmode=0666", "mode=0620"] + ([] if rootless else ["gid=5"])
    return [
        mount("/proc", "proc", "proc"),
        sys,
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
