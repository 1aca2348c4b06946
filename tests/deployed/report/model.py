"""The result model: what one check expected and found on one host, and the outcome of a whole verification.

Host checks (../host) and the routing suite (../routing) write such results as JSON; the terminal's table, JUnit XML
and the page are made from them. schema.json describes the JSON. Needs only Python 3.9.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

OK, FAILED, SKIPPED = "ok", "FAILED", "skipped"
# Increased with every change that affects readers of the JSON.
SCHEMA_VERSION = 1
# Words that a function's name cannot spell.
_SPELLINGS = {"redis": "Redis", "litellm": "LiteLLM", "plugin": "plug-in"}


class CheckFailedError(AssertionError):
    """A failed check: what was expected, what was found, and the fix."""

    def __init__(self, expected: str, found: str, hint: str) -> None:
        super().__init__(f"expected {expected}; found {found}. Fix: {hint}")
        self.expected, self.found, self.hint = expected, found, hint


def require(met: bool, expected: str, found: str, hint: str) -> None:
    """Raise CheckFailedError unless `met`."""
    if not met:
        raise CheckFailedError(expected, found, hint)


@dataclass
class Result:
    """The result of one check.

    `check` is the sentence that is true when it passes. The fields after `hint` are those of a routed request.
    """

    host: str
    area: str
    check: str
    verdict: str = OK
    milliseconds: int = 0
    expected: str = ""
    found: str = ""
    hint: str = ""
    virtual_model: str = ""
    prompt: str = ""
    api: str = ""
    stream: bool | None = None
    pool: str = ""
    score: str = ""
    reason: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of the check, in one run and in the next."""
        return self.host, self.area, self.check


@dataclass
class Report:
    """A whole verification.

    `about` has the facts of each host (release, image, engine and so on) from the host checks;
    `notes` are remarks that are not faults; `blames_release`: clients get a failure
    that they did not get from the previous release.
    """

    environment: str
    time: str
    version: str = ""
    url: str = ""
    results: list[Result] = field(default_factory=list)
    about: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    blames_release: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """The number of checks by verdict."""
        found = Counter(result.verdict for result in self.results)
        return {verdict: found[verdict] for verdict in (OK, FAILED, SKIPPED)}

    @property
    def verdict(self) -> str:
        """`ok` only if something was checked and nothing failed."""
        return FAILED if self.counts[FAILED] or not self.counts[OK] else OK

    @property
    def failures(self) -> list[Result]:
        """The failed checks, in the order in which they were made."""
        return [result for result in self.results if result.verdict == FAILED]

    def to_json(self) -> str:
        """Return the report as JSON text, as tests/deployed/report/schema.json describes it."""
        head = {"schema": SCHEMA_VERSION, "verdict": self.verdict, "counts": self.counts}
        return json.dumps({**head, **asdict(self)}, indent=2) + "\n"


def read_results(rows: Iterable[Mapping[str, Any]]) -> list[Result]:
    """Read results from JSON objects; unknown fields are ignored.

    Raises:
        ValueError: a row lacks what a result needs, or its verdict is unknown.
    """
    known = {one.name for one in fields(Result)}
    results = []
    for row in rows:
        try:
            result = Result(**{name: value for name, value in row.items() if name in known})
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a result: {error}") from error
        if result.verdict not in (OK, FAILED, SKIPPED):
            raise ValueError(f"not a verdict: {result.verdict!r}")
        results.append(result)
    return results


def read_report(path: Path) -> Report:
    """Read a report that `Report.to_json` wrote.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a report, or has another schema.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.get("schema") != SCHEMA_VERSION:
        raise ValueError(f"no report of schema {SCHEMA_VERSION}")
    report = Report(str(document["environment"]), str(document["time"]))
    report.version, report.url = str(document.get("version", "")), str(document.get("url", ""))
    report.results = read_results(document.get("results") or [])
    report.about = dict(document.get("about") or {})
    report.notes = [str(note) for note in document.get("notes") or []]
    return report


def sentence(name: str) -> str:
    """Return a check's name as a sentence: `redis_requires_a_password` -> `Redis requires a password`."""
    words = " ".join(_SPELLINGS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def areas(results: Sequence[Result]) -> list[str]:
    """Return the areas in the order in which they first appear."""
    return list(dict.fromkeys(result.area for result in results))
