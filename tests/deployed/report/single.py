"""The output formats of one script's results: tests/test_route.py and tests/verify.py, run alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report.history import compare
from report.junit import junit_xml
from report.model import Report, read_results


def write_faces(summary: Mapping[str, Any], junit: str | None, page: str | None) -> None:
    """Write a script's results as JUnit XML and as a page, if requested.

    Raises:
        ImportError: the page needs Jinja2 and pygal, and this Python lacks them.
        OSError: a file cannot be written.
    """
    report = Report(str(summary["suite"]), str(summary["time"]), url=str(summary.get("url", "")))
    report.results = read_results(summary["results"])
    if junit:
        Path(junit).write_text(junit_xml(report), encoding="utf-8")
    if page:
        from report.page import page_html

        Path(page).write_text(page_html(report, compare(report, [])), encoding="utf-8")
