"""The record of all hosts as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

_COLUMNS = {
    "time": "time (UTC)",
    "host": "host",
    "action": "action",
    "outcome": "outcome",
    "release": "release",
    "from": "from",
    "by": "by",
    "message": "message",
}


class Table(TypedDict):
    """A table that the terminal's callback prints; a narrow terminal omits *optional* columns."""

    columns: list[str]
    rows: list[list[str]]
    note: str
    optional: list[str]


def last_lines(lines: Iterable[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """Return the newest *count* lines of all hosts, oldest first."""
    return sorted(lines, key=lambda line: str(line.get("time")))[-count:]


def audit_table(lines: Iterable[Mapping[str, Any]]) -> Table:
    """Return the table of the lines."""
    rows = [[" ".join(str(line.get(name) or "-").split()) for name in _COLUMNS] for line in lines]
    return Table(
        columns=list(_COLUMNS.values()),
        rows=rows,
        note="" if rows else "Nothing was recorded yet.",
        optional=["from", "by"],
    )
