"""What changed since the previous verification, and since when a check has failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from report.model import FAILED, OK, Report, Result, read_report

FOLDER = "history"


@dataclass
class Change:
    """The differences from the previous report; `since` has, by `Result.key`, when a failing check first failed."""

    before: str = ""
    worse: list[Result] = field(default_factory=list)
    fixed: list[Result] = field(default_factory=list)
    new: list[Result] = field(default_factory=list)
    gone: list[Result] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    since: dict[tuple[str, str, str], str] = field(default_factory=dict)


# Checks of what clients get. Another release would not fix other failures (a mode, a disk, another container).
RELEASE_AREAS = ("routing", "requests")


def blames_release(report: Report, before: Sequence[Report], left: str) -> bool:
    """Return whether clients get a new failure compared with the last report of the previous release.

    Not the previous report: that may be of a release that was rolled back and is tried again. Without a report of the
    previous release, nothing counts as worse.
    """
    of_the_left = [old for old in before if any(facts.get("release") == left for facts in old.about.values())]
    if not left or not of_the_left:
        return False
    known = {result.key for result in of_the_left[-1].failures}
    return any(result.area in RELEASE_AREAS and result.key not in known for result in report.failures)


def earlier(folder: Path) -> tuple[list[Report], list[str]]:
    """Return the kept reports, oldest first, and a line for each one that cannot be read."""
    reports, broken = [], []
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            reports.append(read_report(path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            broken.append(f"{path.name} is left out: {error}")
    return reports, broken


def compare(report: Report, before: Sequence[Report]) -> Change:
    """Compare a report with those before it, oldest first."""
    change = Change(since={result.key: report.time for result in report.failures})
    if not before:
        return change
    last = before[-1]
    then, now = _by_key(last), _by_key(report)
    change.before = last.time
    for key, result in now.items():
        if key not in then:
            change.new.append(result)
        elif result.verdict == FAILED and then[key].verdict != FAILED:
            change.worse.append(result)
        elif result.verdict == OK and then[key].verdict == FAILED:
            change.fixed.append(result)
    change.gone = [result for key, result in then.items() if key not in now]
    change.runs = _what_runs(last, report)
    for key in change.since:
        for older in reversed(before):
            old = _by_key(older).get(key)
            if old is None or old.verdict != FAILED:
                break
            change.since[key] = older.time
    return change


def keep(folder: Path, name: str, faces: dict[str, str], most: int) -> None:
    """Keep a report's faces, by suffix, in the history, and remove those that are too many; *most* is at least 1.

    Raises:
        OSError: the folder cannot be written.
    """
    history = folder / FOLDER
    history.mkdir(parents=True, exist_ok=True)
    for suffix, text in faces.items():
        (history / f"{name}{suffix}").write_text(text, encoding="utf-8")
    for old in sorted(history.glob("*.json"))[:-most]:
        for path in history.glob(f"{old.stem}.*"):
            path.unlink()


def _by_key(report: Report) -> dict[tuple[str, str, str], Result]:
    return {result.key: result for result in report.results}


def _what_runs(last: Report, report: Report) -> list[str]:
    lines = []
    for host in sorted({*last.about, *report.about}):
        then, now = last.about.get(host), report.about.get(host)
        if then is None or now is None:
            lines.append(f"{host}: {'is new' if then is None else 'is gone'}")
            continue
        for name in sorted({*then, *now}):
            if then.get(name) != now.get(name):
                lines.append(f"{host}: {name} {then.get(name, 'unknown')} → {now.get(name, 'unknown')}")
    return lines
