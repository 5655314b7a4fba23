"""The table that the benchmark ends with."""

import os
from statistics import median

# What is read off the table: who, compared to whom, and the most that it should be.
AIMS = (
    ("tinbox", "floor", "2"),
    ("tinbox", "crun", "0.4"),
    ("tinbox unfiltered", "crun unfiltered", None),
)


def show(results):
    """Prints a line for each contestant. `results` has, by name, what hyperfine found in each round."""
    others = [name for name in ("floor", "crun", "runc") if name in results]
    width = max(map(len, results))
    print(f"{'':{width}} {'median':>9} {'minimum':>9} {'CPU':>9}  " + "  ".join(f"{'× ' + name:>7}" for name in others))
    for name, rounds in results.items():
        times = [time for found in rounds for time in found["times"]]
        processor = median(found["user"] + found["system"] for found in rounds)
        ratios = "  ".join(f"{ratio(rounds, results[other]):7.2f}" for other in others)
        print(f"{name:{width}} {shown(median(times))} {shown(min(times))} {shown(processor)}  {ratios}")
    print()
    for name, other, aim in AIMS:
        if other in results:
            wanted = f" (aim: less than {aim})" if aim else ""
            print(f"{name} / {other}: {ratio(results[name], results[other]):.2f}{wanted}")
    load, processors = os.getloadavg()[0], os.cpu_count()
    print(f"{len(times)} runs of each; load {load:.1f} on {processors} processors")
    if load > processors:
        print("busy machine: much of these times is waiting for a turn; look at the minimum, or come back later")


def ratio(rounds, others):
    """The median of the rounds' ratios: what slows down the machine for a while slows down both."""
    return median(mine["median"] / theirs["median"] for mine, theirs in zip(rounds, others))


def shown(seconds):
    return f"{seconds * 1000:6.2f} ms"
