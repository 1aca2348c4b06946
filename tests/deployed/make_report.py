#!/usr/bin/env python3
"""Makes one report of a verification's results: JSON, JUnit XML, a page, and a table on standard output.

    python3 tests/deployed/make_report.py --environment local --results reports/local/results \
        --folder reports/local/verify --hosts '["local"]'

Reads every results file (report/model.py describes them) and writes report.json, junit.xml, report.html and
index.html to the folder; its history keeps the last ones. Exits with 0 when the verdict is good, 1 when something
failed, 2 when the report could not be written.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from report.fleet import judge_fleet
from report.history import blames_release, compare, earlier, keep
from report.junit import junit_xml
from report.model import FAILED, Report, Result, read_results
from report.page import index_html, page_html
from report.terminal import terminal_text

HINT_SILENT = "is the host up? ssh to it as the inventory says; docs/runbooks.md: a dead host"
DEFAULT_KEPT = 20


def read_all(folder: Path, hosts: Sequence[str], report: Report) -> None:
    """Read the results of a folder into the report; a host without any is a failed check, as a broken file is."""
    seen = set()
    for path in sorted(folder.glob("*.json")):
        try:
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            results = read_results(document["results"])
            host = str(document["host"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            found = f"{path.name}: {type(error).__name__}"
            hint = "run the verification again: ./deploy.sh verify"
            report.results.append(Result(path.stem, "answers", "Results can be read", FAILED, found=found, hint=hint))
            continue
        seen.add(host)
        report.results += results
        report.url = report.url or str(document.get("url", ""))
        report.about.setdefault(host, {}).update(document.get("about") or {})
        report.notes += [f"{host}: {note}" for note in document.get("notes") or []]
    for host in hosts:
        if host not in seen:
            expected, found = "results of its checks", "none: they could not be started, or did not end"
            report.results.append(Result(host, "answers", "Host answers", FAILED, 0, expected, found, HINT_SILENT))
    order = {host: number for number, host in enumerate(hosts)}
    report.results.sort(key=lambda result: order.get(result.host, len(order)))


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="One report of what the checks of a verification found.")
    parser.add_argument("--environment", required=True, help="what the report is of: the inventory's name")
    parser.add_argument("--results", required=True, type=Path, metavar="DIR", help="where the results files are")
    parser.add_argument("--folder", required=True, type=Path, metavar="DIR", help="where the report goes")
    parser.add_argument("--hosts", type=json.loads, default=[], metavar="JSON", help="the hosts that must have results")
    parser.add_argument("--version", default="", help="the toolkit's version")
    parser.add_argument("--left", default="", metavar="RELEASE", help="what served before the run that is verified")
    parser.add_argument("--keep", type=int, default=DEFAULT_KEPT, help="how many reports the history keeps")
    parser.add_argument("--colour", action="store_true", help="a table in colours")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the report and return the exit code."""
    given = parse_arguments(arguments)
    most = max(given.keep, 1)
    now = time.gmtime()
    report = Report(given.environment, time.strftime("%Y-%m-%dT%H:%M:%SZ", now), given.version)
    read_all(given.results, given.hosts, report)
    judge_fleet(report)
    before, broken = earlier(given.folder)
    report.notes += broken
    change = compare(report, before)
    report.blames_release = blames_release(report, before, given.left)
    print(terminal_text(report, change, given.colour))
    faces = {".json": report.to_json(), ".html": page_html(report, change), ".xml": junit_xml(report)}
    try:
        keep(given.folder, time.strftime("%Y%m%dT%H%M%SZ", now), faces, most)
        for name, suffix in (("report.json", ".json"), ("report.html", ".html"), ("junit.xml", ".xml")):
            (given.folder / name).write_text(faces[suffix], encoding="utf-8")
        (given.folder / "index.html").write_text(
            index_html(given.environment, [*before, report][-most:]), encoding="utf-8"
        )
    except OSError as error:
        fix = "Fix: verification_report_dir, or who owns it."
        print(f"The report could not be written: {error}. {fix}", file=sys.stderr)
        return 2
    return 1 if report.verdict == FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
