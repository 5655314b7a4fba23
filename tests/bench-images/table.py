"""The table that the benchmark ends with."""

import os
from statistics import median

OPERATIONS = ("pull gzip", "pull zstd", "load", "save", "import", "commit")
SYNCED = ("pull gzip", "load", "import", "commit")


def show(results, made, options):
    """Prints a block of lines for each thing that is measured."""
    packed = ", ".join(f"{made.packed(form) / 1e6:.0f} MB in {form}" for form in made.manifests)
    print(f"{len(made.layers)} layers, {made.unpacked() / 1e6:.0f} MB merged, {packed}")
    place, cache = options.disk or "an ext4 in memory", "cold" if options.cold else "warm"
    print(f"{options.rounds} rounds, stores on {place}, page cache {cache}\n")
    print(" " * 24 + "".join(f"{name:>22}" for name in results.names))
    for operation in OPERATIONS:
        line(operation, results.measured[operation], results.names, lambda one: one.seconds, seconds)
    print()
    for operation in SYNCED:
        line(f"{operation}, and sync", results.measured[operation], results.names, until_synced, seconds)
    print()
    for operation in OPERATIONS:
        line(f"memory: {operation}", results.measured[operation], results.names, lambda one: one.peak, megabytes)
    line("disk: pull gzip", results.disk, results.names, lambda one: one, megabytes)
    print("\nmedian (minimum), and × tinbox's median; s, and MB. Memory: the largest process, or the daemon if it is larger.")
    print("Tinbox has synced every file when a verb ends; the others have not. After sync, everybody has.")
    for note in [*results.notes, *(f"not measured: {reason}" for reason in results.reasons())]:
        print(note)
    load, processors = os.getloadavg()[0], os.cpu_count()
    busy = ": a busy machine; look at the minimum" if load > 2 * processors else ""
    print(f"load {load:.1f} on {processors} processors{busy}")


def until_synced(one):
    return one.seconds_until_synced


def line(label, by_name, names, value, shown):
    """One line: of each contestant, `value` of everything that was measured."""
    own = [value(one) for one in by_name.get("tinbox", [])]
    cells = []
    for name in names:
        values = [value(one) for one in by_name[name]]
        if not values:
            cells.append(f"{'–':>22}")
            continue
        ratio = f" ×{median(values) / median(own):.2f}" if own and name != "tinbox" else ""
        cells.append(f"{shown(median(values)) + ' (' + shown(min(values)) + ')' + ratio:>22}")
    print(f"{label:24}" + "".join(cells))


def seconds(value):
    return f"{value:.2f}s"


def megabytes(value):
    return f"{value / 1e6:.0f}"
