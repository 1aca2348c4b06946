"""An operator's own traffic, from the router's log: decisions (``ROUTING DECISION``) and their outcome (``SERVED``).

``docker logs --timestamps`` of every slot, one after the other, is what is read; without timestamps the log's own time
of day is taken, and days are distinguished by its going back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from vibe.rules import inherit, score
from vibe.rules.inherit import TOOL_LOOP
from vibe.simulation.synthetic_traffic import CONTINUATION, LOOP, PROMPT, Talk, Turn

DAY_SECONDS = 24 * 3600.0
_LINE = re.compile(
    r"(?:(?P<stamp>\d{4}-\d\d-\d\dT[\d:.]+)(?:Z|[+-]\d\d:\d\d) )?"
    r"\[(?P<clock>\d\d:\d\d:\d\d)\] \[VIBE-ROUTER\] \[INFO\] (?P<kind>ROUTING DECISION|SERVED) (?P<rest>.*)"
)
_FIELD = re.compile(r'(\w+)=("[^"]*"|\S+)')
_DECIDED = ("rule", "score", "threshold", "reasons", "conversation", "call_id")
_SERVED = ("input_tokens", "cached_tokens", "written_tokens", "output_tokens", "call_id")
_NONE = "-"
_ANY = re.compile(r".*")
_FORMS = {key: re.compile(r"\d+") for key in _SERVED if key.endswith("_tokens")} | {
    "threshold": re.compile(r"\d+(\.\d+)?"),
    "score": re.compile(r"\d+(\.\d+)?|-"),
}


class RecordsError(ValueError):
    """The file holds nothing that can be simulated; the message names it and what was found instead."""


@dataclass
class Records:
    """``talks``, the ``threshold`` that most prompts were held against, and what was ``left_out``, by the reason."""

    talks: list[Talk] = field(default_factory=list)
    threshold: float = 50.0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Request:
    """A decision and its outcome; ``total``: all tokens that were sent."""

    at: float
    conversation: str
    kind: str
    score: float | None
    total: int
    answered: int


def read_records(path: Path) -> Records:
    """Read the log at *path*.

    Raises:
        RecordsError: it cannot be read, or no request in it has both lines of this version.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise RecordsError(f"--records {path}: cannot be read: {error.strerror or type(error).__name__}") from None
    records = Records()
    decided, served, times = _lines(lines, records.left_out)
    thresholds = Counter(fields["threshold"] for fields in decided.values())
    requests = []
    for call, fields in decided.items():
        if call not in served:
            records.left_out["decisions without an answer"] += 1
        elif fields["conversation"] == _NONE:
            records.left_out["requests of no conversation"] += 1
        else:
            requests.append(_request(times[call], fields, served[call]))
    records.left_out["answers without a decision"] += len(served.keys() - decided.keys())
    records.talks = _talks(requests, records.left_out)
    if not records.talks:
        told = ", ".join(f"{count} {reason}" for reason, count in records.left_out.items() if count)
        raise RecordsError(
            f"--records {path}: has no conversation to simulate ({told or 'no line of the router'}); give the log of a "
            "router of this version, as docker logs --timestamps prints it"
        )
    records.threshold = float(thresholds.most_common(1)[0][0])
    return records


def _lines(
    lines: Iterable[str], left_out: Counter[str]
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]], dict[str, float]]:
    """Return the fields of decisions and of answers by their call, and when each was decided."""
    decided: dict[str, dict[str, str]] = {}
    served: dict[str, dict[str, str]] = {}
    times: dict[str, float] = {}
    days, before = 0, 0.0
    for line in lines:
        found = _LINE.search(line)
        if found is None:
            continue
        clock = _seconds(found["clock"])
        # Lines of several workers are a little out of order; half a day back is the next day.
        days += clock < before - DAY_SECONDS / 2
        before = clock
        fields = dict(_FIELD.findall(found["rest"]))
        is_decision = found["kind"] != "SERVED"
        if not _is_whole(fields, _DECIDED if is_decision else _SERVED):
            left_out["lines that are cut off or of another version"] += 1
        elif is_decision:
            decided[fields["call_id"]] = fields
            stamp = found["stamp"]
            times[fields["call_id"]] = _stamped(stamp) if stamp else days * DAY_SECONDS + clock
        else:
            served[fields["call_id"]] = fields
    return decided, served, times


def _is_whole(fields: dict[str, str], needed: tuple[str, ...]) -> bool:
    return all(key in fields and _FORMS.get(key, _ANY).fullmatch(fields[key]) for key in needed)


def _request(at: float, decided: dict[str, str], served: dict[str, str]) -> _Request:
    rule, scored = decided["rule"], decided["score"]
    is_prompt = rule == score.NAME and scored != _NONE
    is_loop = rule == inherit.NAME and TOOL_LOOP in decided["reasons"]
    return _Request(
        at,
        decided["conversation"],
        PROMPT if is_prompt else LOOP if is_loop else CONTINUATION,
        float(scored) if is_prompt else None,
        sum(int(served[key]) for key in _SERVED[:3]),
        int(served["output_tokens"]),
    )


def _talks(requests: list[_Request], left_out: Counter[str]) -> list[Talk]:
    """Return the conversations; one whose history was shortened is another one from there."""
    talks: list[Talk] = []
    open_talks: dict[str, tuple[Talk, int]] = {}
    scores: dict[str, float] = {}
    for request in sorted(requests, key=lambda one: one.at):
        if request.score is not None:
            scores[request.conversation] = request.score
        prompt_score = scores.get(request.conversation)
        if prompt_score is None:
            left_out["turns whose prompt was not seen"] += 1
            continue
        talk, before = open_talks.get(request.conversation, (None, 0))
        is_new = talk is None or request.total < before
        if talk is None or is_new:
            # The share of the client's system prompt and tools is unknown; this favours no policy.
            talk, before = Talk(request.conversation, 0), 0
            talks.append(talk)
        own_score = prompt_score if request.kind == LOOP or request.score is not None else 0.0
        kind = PROMPT if not talk.turns else request.kind
        asked = request.total - before
        talk.turns.append(Turn(request.at, kind, own_score, prompt_score, asked, request.answered))
        open_talks[request.conversation] = (talk, request.total + request.answered)
    return talks


def _seconds(clock: str) -> float:
    hours, minutes, seconds = map(int, clock.split(":"))
    return float(hours * 3600 + minutes * 60 + seconds)


def _stamped(stamp: str) -> float:
    # Docker's are to the nanosecond.
    return datetime.fromisoformat(f"{stamp[:26]}+00:00").timestamp()
