"""From reports to rows: each subject of the table, as what is found in each report."""

from dataclasses import dataclass

# How much a cell leaves open. None: neither more nor less, only different.
CLOSED, REACHED, OPEN = 0, 1, 2


@dataclass(frozen=True)
class Cell:
    """What one engine does about one thing."""

    text: str
    level: int | None = None


@dataclass(frozen=True)
class Row:
    """Things about which everybody does the same as about one another: `names`, and a cell for each engine."""

    names: tuple
    cells: dict

    def differs(self):
        return len({cell for name, cell in self.cells.items() if name != "host"}) > 1


def compare(reports, host):
    """Answers with a list of sections: title, and rows. Names with the same cells share a row."""
    sections = []
    for title, subject in SUBJECTS:
        found = {engine: subject(report, reports.get(host)) for engine, report in reports.items()}
        # What only the machine has is in no container, and no row.
        contained = [cells for engine, cells in found.items() if engine != host] or list(found.values())
        names = list(dict.fromkeys(name for cells in contained for name in cells))
        groups = {}
        for name in names:
            cells = tuple(found[engine].get(name, Cell("–", CLOSED)) for engine in reports)
            groups.setdefault(cells, []).append(name)
        rows = [Row(tuple(names), dict(zip(reports, cells))) for cells, names in groups.items()]
        sections.append((title, rows))
    return sections


def process(report, _):
    evidence, own = report["evidence"], report["process"]
    user = [ids["outside"] for ids in evidence["ids"]["uid_map"] if ids["inside"] == 0]
    filters = own["filters"] or 0
    inherited = own["inherited"]
    return {
        "no_new_privs": yes_no(evidence["no_new_privs"], CLOSED, OPEN),
        "seccomp filters": Cell(str(filters), CLOSED if filters else OPEN),
        "root in it is user … outside": Cell(str(*user), OPEN if user == [0] else CLOSED),
        "supplementary groups": Cell(" ".join(map(str, evidence["ids"]["groups"])) or "none"),
        "label of a security module": Cell(own["label"] or "none"),
        "inherited descriptors": Cell(str(len(inherited)), OPEN if inherited else CLOSED),
        "its program can be written": Cell(own["program"]["write"]),
    }


def capabilities(report, _):
    sets = report["evidence"]["capabilities"]
    short = {"effective": "e", "permitted": "p", "inheritable": "i", "bounding": "b", "ambient": "a"}
    held = {}
    for kind, letter in short.items():
        for name in sets[kind]:
            held[name] = held.get(name, "") + letter
    return {name: Cell(letters, OPEN) for name, letters in sorted(held.items())}


def namespaces(report, host):
    own, others = (seen["evidence"]["namespaces"]["value"] for seen in (report, host or report))
    shared, apart = Cell("shared", OPEN), Cell("own", CLOSED)
    return {kind: shared if others.get(kind) == inode else apart for kind, inode in own.items()}


def attempts(report, _):
    return {attempt["name"]: attempted(attempt) for attempt in report["attempts"]}


def attempted(attempt):
    if attempt["answer"] == "yes":
        return Cell("yes", OPEN)
    refused, by = verdict(attempt["filter"])
    if refused:
        return Cell(by, CLOSED)
    return Cell(attempt["answer"], REACHED if attempt["filter"] else CLOSED)


def verdict(filter):
    """Whether the filter lets the call not pass, and what it says."""
    match filter:
        case {"refuses": error}:
            return True, f"{error}, filter"
        case {"kills": signal}:
            return True, f"{signal}, filter"
        case _:
            return False, "unknown" if filter != "passes" else "passes"


def syscalls(report, host):
    missing = {call["name"] for call in (host or report)["syscalls"] if call["class"] == "missing"}
    return {call["name"]: syscall(call) for call in report["syscalls"] if call["name"] not in missing}


def syscall(call):
    refused, by = verdict(call["filter"])
    match call["class"]:
        case "allowed":
            return Cell("yes", OPEN)
        case _ if refused:
            return Cell(by, CLOSED)
        case other:
            return Cell(f"{call['kernel'] or ''} {'' if other == 'denied' else other}".strip(), REACHED)


def foreign(name):
    def calls(report, host):
        answered = [table["table"] for table in (host or report)["foreign"] if table["in_kernel"]]
        found = [table for table in report["foreign"] if table["table"] == name and name in answered]
        return {
            call: Cell("yes", OPEN) if said == "passes" else Cell(f"{said}, filter", CLOSED)
            for table in found
            for said, calls in table["verdicts"].items()
            for call in calls
        }

    return calls


def files(section):
    return lambda report, _: {found["path"]: file(found) for found in report[section]}


def file(found):
    """A mask leaves an empty file or directory: that it can be written is of no use to anybody."""
    content = found["content"]
    if content in ("absent", "empty"):
        return Cell(content, CLOSED)
    if found["write"] == "yes":
        return Cell("writable", OPEN)
    return Cell("readable" if content == "readable" else f"there ({content['unreadable']})", REACHED)


def devices(report, _):
    return {device["name"]: opened(device) for device in report["devices"]["open"]}


def opened(device):
    if device["there"] == "yes":
        return Cell("in /dev", OPEN)
    return Cell("by mknod", OPEN) if device["made"] == "yes" else Cell("no", CLOSED)


def nodes(report, _):
    return {node["name"]: Cell(node["what"]) for node in report["devices"]["nodes"] if "/" not in node["name"]}


def mounts(report, _):
    shown = ("ro", "nosuid", "nodev", "noexec")
    found = {}
    for mount in report["evidence"]["mounts"]["value"]:
        flags = [flag for flag in shown if flag in mount["options"]]
        found[mount["target"]] = Cell(" ".join([mount["fstype"], *flags]))
    return dict(sorted(found.items()))


def limits(report, _):
    found = report["process"]["limits"].items()
    return {name: Cell(soft if soft == hard else f"{soft}, at most {hard}") for name, (soft, hard) in found}


def yes_no(value, if_yes, if_no):
    return Cell("yes", if_yes) if value else Cell("no", if_no)


SUBJECTS = [
    ("The process", process),
    ("Capabilities (effective, permitted, inheritable, bounding, ambient)", capabilities),
    ("Namespaces", namespaces),
    ("Deeds", attempts),
    ("System calls", syscalls),
    ("System calls through int 0x80", foreign("i386")),
    ("System calls with x32 numbers", foreign("x32")),
    ("Files", files("masked")),
    ("Settings", files("sysctls")),
    ("Devices that open", devices),
    ("What is in /dev", nodes),
    ("Mounts", mounts),
    ("Limits", limits),
]
