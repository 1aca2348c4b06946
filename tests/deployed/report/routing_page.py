"""The routing report as one HTML file, and as JSON for a program."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from vibe.learning.recommendation import DO_NOT, RULE, SWITCH_ON

from report.page import page_environment
from report.routing import WORTH_WINNING, Study, words_matter
from report.routing_charts import calibration_chart, won_chart


def routing_html(study: Study, name: str, at: str) -> str:
    """Return the page of a family's *study* in the inventory *name*."""
    learnt = study.learnt
    return (
        page_environment()
        .get_template("routing.html.j2")
        .render(
            study=study,
            name=name,
            at=at,
            rule=RULE,
            worth=WORTH_WINNING,
            days=_days(study),
            won_chart=won_chart(learnt.curve) if learnt is not None else "",
            calibration_chart=calibration_chart(study.calibration),
            words_matter=learnt is not None and words_matter(learnt.head),
            dollars=_dollars,
            SWITCH_ON=SWITCH_ON,
            DO_NOT=DO_NOT,
        )
    )


def routing_json(study: Study, name: str, at: str) -> str:
    """Return the same figures as a JSON document."""
    learnt = study.learnt
    document = {
        "environment": name,
        "time": at,
        "family": asdict(study.routed),
        "advice": {**asdict(study.advice), "rule": RULE},
        "labels": {"live": study.from_live, "by hand": study.by_hand, "strong quality known": study.knows_strong},
        "decisions": len(study.records),
        "gain": None if learnt is None else asdict(learnt.gain),
        "curve": [] if learnt is None else [{**asdict(p), "cost": study.cost_at(p.share)} for p in learnt.curve],
        "calibration": {scorer: [asdict(one) for one in bins] for scorer, bins in study.calibration.items()},
        "chosen": None if study.chosen is None else study.chosen.share,
        "moves": {f"{before} to {after}": prompts for (before, after), prompts in study.moves.items()},
        "costs": [asdict(cost) for cost in study.costs],
        "kinds": [asdict(group) for group in study.kinds],
        "scripts": [asdict(group) for group in study.scripts],
    }
    # JSON knows no NaN.
    return json.dumps(_finite(document), indent=2, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and value != value else value


def _days(study: Study) -> tuple[str, str]:
    """Return when the first and the last decision that is kept were made; twice "" without any."""
    times = [int(record["at"]) for record in study.records]
    return (_moment(min(times)), _moment(max(times))) if times else ("", "")


def _moment(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.6f}"
