"""The report in a terminal: hosts by areas, then every failure with its fix."""

from __future__ import annotations

from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from report.history import Change
from report.model import FAILED, OK, SKIPPED, Report, Result, areas
from report.printable import printable

WIDTH = 120
# With hundreds of hosts, only those with a failure or skip.
MOST_ROWS = 40
MOST_FAILURES = 30


def terminal_text(report: Report, change: Change, colour: bool) -> str:
    """Return the table and the failures as text for a terminal of WIDTH columns."""
    text = StringIO()
    console = Console(file=text, width=WIDTH, force_terminal=colour, no_color=not colour, highlight=False)
    console.print(_table(report))
    counts = report.counts
    console.print(f"{counts[OK]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped")
    for result in report.failures[:MOST_FAILURES]:
        since = change.since.get(result.key, report.time)
        known = f", since {since}" if since != report.time else ""
        console.print(f"[bold red]FAILED[/] {_shown(f'{result.host}, {result.area}: {result.check}{known}')}")
        for name, words in (("expected", result.expected), ("found", result.found), ("fix", result.hint)):
            console.print(f"       {name:9}{_shown(words)}", soft_wrap=True)
    if len(report.failures) > MOST_FAILURES:
        console.print(f"and {len(report.failures) - MOST_FAILURES} more: they are in the page")
    for note in report.notes:
        console.print(f"note: {_shown(note)}", soft_wrap=True)
    console.print(_since_last(change))
    return text.getvalue().rstrip("\n")


def _table(report: Report) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    names = areas(report.results)
    table.add_column("host", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right")
    cells: dict[str, dict[str, list[Result]]] = {}
    for result in report.results:
        cells.setdefault(result.host, {}).setdefault(result.area, []).append(result)
    rows = list(cells.items())
    if len(rows) > MOST_ROWS:
        rows = [row for row in rows if any(one.verdict == FAILED for found in row[1].values() for one in found)]
    for host, found in rows[:MOST_ROWS]:
        table.add_row(_shown(host), *(_cell(found.get(name, [])) for name in names))
    return table


def _shown(text: str) -> str:
    return escape(printable(text))


def _cell(results: list[Result]) -> str:
    made = [result for result in results if result.verdict != SKIPPED]
    failed = sum(result.verdict == FAILED for result in made)
    if not made:
        return "[dim]-[/]"
    return f"[bold red]{failed} of {len(made)} failed[/]" if failed else f"[green]{len(made)}[/]"


def _since_last(change: Change) -> str:
    if not change.before:
        return "The first report of this environment."
    counts = {"worse": change.worse, "fixed": change.fixed, "new": change.new, "gone": change.gone}
    said = ", ".join(f"{len(results)} {word}" for word, results in counts.items() if results)
    return f"Since {change.before}: {said or 'no check came to another result'}."
