"""Records of decisions to learn from: features, score and pool of scored prompts, never a text. Off by default.

Kept in Redis, for all workers and hosts: a stream of decisions and a stream of judgements of their answers, each of
bounded length. A decision is identified by LiteLLM's call id, which the client gets as ``x-litellm-call-id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vibe.memory.store import BY_CLIENT, BY_ESCALATION
from vibe.request.request import Request
from vibe.request.request_id import UNKNOWN
from vibe.routing.decision import Decision
from vibe.rules.score import NAME as SCORE_RULE
from vibe.scoring.scorer import HEAD_NAMES, Prior
from vibe.scoring.text_view import TextView
from vibe.scoring.writing_system import script_of
from vibe.strict_json import is_number

# The fields of an entry that a record has.
_TOLD = ("family", "at", "pool", "score", "script", "adapter")
# Digits of the features' values: enough to fit on, and half the bytes.
_DIGITS = 4


def entry_of(decision: Decision, request: Request, call_id: str, prior: Prior) -> str | None:
    """Return the record of *decision*, with the features that *prior* computes.

    None without a call id, without a scored prompt, and in a tool loop.
    """
    if call_id == UNKNOWN or decision.rule != SCORE_RULE or request.dialogue.in_tool_loop or not request.prompt:
        return None
    view = TextView(request.prompt)
    kept = {
        "call": call_id,
        "at": int(request.at),
        "family": decision.family,
        "pool": decision.target,
        "score": decision.score,
        "script": script_of(view),
        "prior": prior.name,
        "values": [float(f"{value:.{_DIGITS}g}") for value in prior.head_values(request.prompt, view)],
    }
    if decision.adapter is not None:
        kept["adapter"] = decision.adapter
    return json.dumps(kept, separators=(",", ":"))


def outcome_of(call_id: str, score: float) -> str:
    """Return the record of a judgement: the answer to *call_id* was worth *score*, 0 to 1."""
    return json.dumps({"call": call_id, "score": score}, separators=(",", ":"))


@dataclass
class Judged:
    """Labels as ``fit`` reads them, and how many decisions gave none: not judged, or not served by the cheap pool."""

    labels: list[dict[str, object]] = field(default_factory=list)
    not_judged: int = 0
    not_cheap: int = 0


def records_of(entries: Iterable[str], outcomes: Iterable[str], family: str, prior: Prior) -> list[dict[str, object]]:
    """Return the decisions for *family* among *entries*, each with the judgement of its answer in *outcomes*.

    Those of a release with another prior than *prior* are left out: a head is fitted on top of one.

    A record has ``family``, ``at`` (Unix seconds), ``pool``, ``score``, ``script`` and ``features``; ``adapter`` where
    one scored; ``judged`` (0 to 1) and ``by`` (``client`` or ``escalation``) where the answer was judged. A client's
    judgement counts more than an escalation.
    """
    said: dict[object, object] = {}
    escalated: dict[object, object] = {}
    for outcome in map(_document, outcomes):
        by = escalated if outcome.get("by") == BY_ESCALATION else said
        by.setdefault(outcome.get("call"), outcome.get("score"))
    records = []
    for entry in map(_document, entries):
        values, call = entry.get("values"), entry.get("call")
        if entry.get("family") != family or entry.get("prior") != prior.name:
            continue
        if not isinstance(values, list) or len(values) != len(HEAD_NAMES):
            continue
        record = {name: entry[name] for name in _TOLD if name in entry}
        record["features"] = dict(zip(HEAD_NAMES, values, strict=True))
        judged = said.get(call, escalated.get(call))
        if is_number(judged):
            record |= {"judged": judged, "by": BY_CLIENT if call in said else BY_ESCALATION}
        records.append(record)
    return records


def labels_of(records: Iterable[Mapping[str, object]], cheap_pool: str) -> Judged:
    """Return the labels in *records*.

    A judgement of another pool's answer says nothing about the *cheap_pool*, and is left out.
    """
    judged = Judged()
    for record in records:
        if "judged" not in record:
            judged.not_judged += 1
        elif record.get("pool") != cheap_pool:
            judged.not_cheap += 1
        else:
            label = {name: record[name] for name in ("family", "features")}
            judged.labels.append({**label, "weak_score": record["judged"]})
    return judged


def _document(line: str) -> Mapping[str, object]:
    try:
        document = json.loads(line)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
