"""Runs commands, and tells how long they took and how much memory they had."""

import ctypes
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# In seconds. What takes this long hangs.
PATIENCE = 300
LIBC = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """Something did not run; says what and why."""


@dataclass
class Measured:
    """What an operation took: until its commands had ended, and until what they wrote was on the disk as well."""

    seconds: float
    seconds_until_synced: float
    # The most memory that one process had, in bytes.
    peak: int


def measure(commands, where, environment, daemons=(), cold=False):
    """Runs the commands, one after another. `where` is a directory on the disk that they write to."""
    settle(where, cold)
    for daemon in daemons:
        # From here on, VmHWM is what there is now or the most that there will be.
        Path(f"/proc/{daemon}/clear_refs").write_text("5")
    peaks, report = [], where / "time"
    start = time.monotonic()
    for words in commands:
        # By way of a small program: the peak of a child counts from what its parent has.
        call("/usr/bin/time", "--format=%M", f"--output={report}", *words, environment=environment)
        peaks.append(int(report.read_text().split()[-1]) * 1024)
    end = time.monotonic()
    sync(where)
    synced = time.monotonic()
    return Measured(end - start, synced - start, max(peaks + [peak_of(daemon) for daemon in daemons]))


def settle(where, cold):
    """The same state for everybody: nothing waits to be written; if `cold`, nothing is in the page cache."""
    sync(where)
    if cold:
        Path("/proc/sys/vm/drop_caches").write_text("3")


def sync(where):
    """Waits until the file system that has `where` is on the disk, and no other."""
    descriptor = os.open(where, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if LIBC.syncfs(descriptor) != 0:
            raise Failed(f"syncfs {where}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


def peak_of(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


def call(*words, environment=None, stdin=subprocess.DEVNULL):
    """Runs a tool that must succeed. Answers with what it printed."""
    words = list(map(str, words))
    try:
        done = subprocess.run(
            words, env=environment, stdin=stdin, timeout=PATIENCE, capture_output=True, text=True, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(words)}: no end after {PATIENCE} s") from None
    except OSError as error:
        raise Failed(f"{words[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
