"""What tests/verify.py and tests/test_route.py have in common when they run alone: progress lines, options, outputs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from report.history import compare
from report.junit import junit_xml
from report.model import FAILED, OK, SKIPPED, Report, Result, read_results
from report.printable import printable

Json = dict[str, Any]


def say(level: str, message: str) -> None:
    """Write one progress line; it may contain text from upstreams and hosts, which must not act on the terminal."""
    print(f"[{time.strftime('%H:%M:%S')}] [TEST] [{level}] {printable(message)}", file=sys.stderr, flush=True)


def say_result(result: Result, detail: str = "") -> None:
    """Write the progress line of one result."""
    if result.verdict == FAILED:
        say("ERROR", f"{result.check}: expected {result.expected}; found {result.found}. Fix: {result.hint}")
    else:
        shown = result.found or detail
        say("INFO", f"{result.check}: {result.verdict}{f' ({shown})' if shown else ''}")


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name output files."""
    parser.add_argument("--json", metavar="FILE", help="also write the report as JSON; - writes it to stdout instead")
    parser.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    parser.add_argument("--page", metavar="FILE", help="also write an HTML page (needs Jinja2 and pygal as well)")


def summarize(suite: str, results: Sequence[Result], **more: Any) -> Json:
    """Return the report for programs. Without one check that passed, the verdict is a failure."""
    count = {verdict: sum(result.verdict == verdict for result in results) for verdict in (OK, FAILED, SKIPPED)}
    return {
        "suite": suite,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "verdict": FAILED if count[FAILED] or not count[OK] else OK,
        "counts": count,
        **more,
        "results": [asdict(result) for result in results],
    }


def write_outputs(summary: Json, options: argparse.Namespace) -> int:
    """Write the requested files and the last progress line; return the exit code.

    0: nothing failed; 1: a check failed, or none could be made; 2: a file could not be written.
    """
    if options.json == "-":
        print(json.dumps(summary, indent=2))
    try:
        if options.json and options.json != "-":
            _write(options.json, json.dumps(summary, indent=2) + "\n")
        if options.junit or options.page:
            _write_rendered(summary, options)
    except (ImportError, OSError) as error:
        say("ERROR", f"{error}. Fix: name a file that can be written; --page needs Jinja2 and pygal")
        return 2
    passed = summary["verdict"] == OK
    counts = ", ".join(f"{number} {verdict}" for verdict, number in summary["counts"].items())
    say("INFO" if passed else "ERROR", f"{len(summary['results'])} checks: {counts}")
    return 0 if passed else 1


def _write(file: str, text: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(text, encoding="utf-8")


def _write_rendered(summary: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Write JUnit XML and the page, as far as they are requested."""
    report = Report(str(summary["suite"]), str(summary["time"]), url=str(summary.get("url", "")))
    report.results = read_results(summary["results"])
    if options.junit:
        _write(options.junit, junit_xml(report))
    if options.page:
        # Imported here, because it needs Jinja2 and pygal.
        from report.page import page_html

        _write(options.page, page_html(report, compare(report, [])))
