"""What is done with a store that is empty at first, and what of it is measured."""

from dataclasses import asdict

import sample
import table
from contestants import PEERS
from measure import Failed, call, measure


class Results:
    """What was measured, by operation and contestant."""

    def __init__(self, names, notes):
        self.names, self.notes = names, notes
        # By operation and name, by name, and by (operation, name).
        self.measured = {operation: {name: [] for name in names} for operation in table.OPERATIONS}
        self.disk = {name: [] for name in names}
        self.failed = {}

    def reasons(self):
        """Why there are cells without a number: what somebody is known not to do, and what went wrong."""
        unable = {(operation, peer.name): why for peer in PEERS for operation, why in peer.cannot.items()}
        unable = {key: why for key, why in unable.items() if key[1] in self.names}
        return [f"{operation}: {name}: {why}" for (operation, name), why in (unable | self.failed).items()]

    def data(self, made, options):
        """All of it, as JSON has it."""
        return {
            "image": {"layers": len(made.layers), "unpacked": made.unpacked()}
            | {f"packed with {compression}": made.packed(compression) for compression in made.manifests},
            "rounds": options.rounds,
            "cold": options.cold,
            "disk": str(options.disk) if options.disk else "ext4 in memory",
            "operations": {
                operation: {name: [asdict(one) for one in all_of] for name, all_of in by_name.items()}
                for operation, by_name in self.measured.items()
            },
            "on disk": self.disk,
            "not measured": self.reasons(),
            "notes": self.notes,
        }


def one(contestant, unit, made, results, options):
    """Runs one unit with a store of its own. Each step is measured, and one that fails is not tried again."""

    def step(operation, commands):
        key = (operation, contestant.name)
        if operation in contestant.cannot or key in results.failed:
            return False
        try:
            measured = measure(commands, contestant.place, contestant.environment, contestant.daemons, options.cold)
        except Failed as why:
            results.failed[key] = str(why)
            return False
        results.measured[operation][contestant.name].append(measured)
        return True

    try:
        contestant.open()
        unit(contestant, made, step, results)
    except Failed as why:
        results.failed[(unit.__name__, contestant.name)] = str(why)
    finally:
        contestant.close(removing=not options.disk)


def pull_gzip(contestant, made, step, results):
    before = on_disk(contestant.store)
    if step("pull gzip", contestant.pull(sample.GZIP)):
        results.disk[contestant.name].append(on_disk(contestant.store) - before)


def pull_zstd(contestant, made, step, results):
    step("pull zstd", contestant.pull(sample.ZSTD))


def load_save_commit(contestant, made, step, results):
    if not step("load", contestant.load(made.archive)):
        return
    step("save", contestant.save(contestant.place / "saved.tar"))
    if ("commit", contestant.name) not in results.failed:
        try:
            contestant.prepare_commit(made.changes)
        except Failed as why:
            results.failed["commit", contestant.name] = str(why)
            return
        step("commit", contestant.commit())


def import_flat(contestant, made, step, results):
    step("import", contestant.import_(made.flat))


UNITS = (pull_gzip, pull_zstd, load_save_commit, import_flat)


def on_disk(store):
    """What a directory takes on the disk, each inode once, in bytes; not what is mounted in it."""
    return int(call("du", "--summarize", "--one-file-system", "--block-size=1", store).split()[0])
