"""The report as one self-contained HTML file: no network, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from report.charts import latency_chart, score_chart
from report.history import Change
from report.model import FAILED, OK, SKIPPED, Report, Result, areas

_TEMPLATES = Path(__file__).parent / "templates"


def page_environment() -> Environment:
    """Return the environment that renders the pages."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        # CRITICAL: the page quotes upstreams' answers.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page_html(report: Report, change: Change) -> str:
    """Return the page of a report."""
    names = areas(report.results)
    routed = [result for result in report.results if result.virtual_model]
    return (
        page_environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            change=change,
            areas=names,
            matrix=_matrix(report, names),
            routed=routed,
            score_chart=score_chart(routed),
            latency_chart=latency_chart(routed),
            OK=OK,
            FAILED=FAILED,
            SKIPPED=SKIPPED,
        )
    )


def index_html(environment: str, reports: Sequence[Report]) -> str:
    """Return the page that lists the kept reports, newest first."""
    return (
        page_environment()
        .get_template("index.html.j2")
        .render(environment=environment, reports=list(reversed(reports)), OK=OK, FAILED=FAILED)
    )


def _matrix(report: Report, names: Sequence[str]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return for each host the counts of each area."""
    rows: dict[str, dict[str, list[Result]]] = {}
    for result in report.results:
        rows.setdefault(result.host, {}).setdefault(result.area, []).append(result)
    return [(host, [_cell(found.get(name, [])) for name in names]) for host, found in rows.items()]


def _cell(results: Sequence[Result]) -> dict[str, Any]:
    made = [result for result in results if result.verdict != SKIPPED]
    failed = sum(result.verdict == FAILED for result in made)
    return {"made": len(made), "failed": failed}
