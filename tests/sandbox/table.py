"""The table, for a terminal or in Markdown."""

import textwrap
from itertools import zip_longest

# Columns of the terminal's table: things, then each engine.
NAMES, CELLS = 58, 17


def show(sections, engines, options):
    """Prints it. Rows that are the same for all engines are counted, or shown if `options.all`."""
    peers = [engine for engine in engines if engine not in ("host", "tinbox")]
    (markdown if options.markdown else terminal)(
        [(title, *kept(rows, options.all)) for title, rows in sections if rows], engines, peers
    )


def kept(rows, every):
    """The rows to show, and how many things are in the others."""
    chosen = [row for row in rows if every or row.differs()]
    return chosen, sum(len(row.names) for row in rows if row not in chosen)


def comparison(row, peers):
    """Whether Tinbox leaves less open than the others, or more."""
    mine = row.cells.get("tinbox")
    if mine is None or mine.level is None:
        return ""
    theirs = {peer: row.cells[peer].level for peer in peers if row.cells[peer].level is not None}
    words = []
    for word, than in (("stricter", lambda level: mine.level < level), ("looser", lambda level: mine.level > level)):
        whom = [peer for peer, level in theirs.items() if than(level)]
        if whom:
            words.append(word if whom == peers else f"{word} than {', '.join(whom)}")
    return "; ".join(words)


def terminal(sections, engines, peers):
    line([""], *([engine] for engine in engines), ["tinbox is"])
    for title, rows, same in sections:
        print(f"\n{title}")
        for row in rows:
            cells = (wrapped(row.cells[engine].text, CELLS - 2) for engine in engines)
            line(wrapped(", ".join(row.names), NAMES - 2), *cells, [comparison(row, peers)])
        if same:
            print(f"  ({same} {'more are' if rows else 'are'} the same)")


def wrapped(text, width):
    return textwrap.wrap(text, width, break_on_hyphens=False)


def line(names, *columns):
    """A row of the table, in as many lines as its longest cell has."""
    for name, *cells in zip_longest(names, *columns, fillvalue=""):
        print(f"  {name:{NAMES}}{''.join(f'{cell:{CELLS}}' for cell in cells)}".rstrip())


def markdown(sections, engines, peers):
    for title, rows, same in sections:
        print(f"\n### {title}\n")
        if rows:
            print("| | " + " | ".join(engines) + " | Tinbox is |")
            print("|---" * (len(engines) + 2) + "|")
        for row in rows:
            names = ", ".join(f"`{name}`" for name in row.names)
            cells = " | ".join(row.cells[engine].text for engine in engines)
            print(f"| {names} | {cells} | {comparison(row, peers)} |")
        if same:
            print(f"\n{same} {'more are' if rows else 'are'} the same for all.")
