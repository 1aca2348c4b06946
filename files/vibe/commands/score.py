"""The command ``score``: JSON lines of prompts in, JSON lines of scores out. The interface of every benchmark.

In: ``{"id", "prompt"}``, or ``{"id", "messages"}`` as a chat request has them. Out, one line each and in their order:
``{"id", "score", "raw", "pool", "reasons"}``; ``raw`` is neither rounded nor cut to 0 to 100, so it orders prompts that
``score`` would tie; ``pool`` is the decision of all rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from vibe.request.prompt import CHAT
from vibe.request.request import read_request
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routing.decision import decide
from vibe.rules.score import reasons_of
from vibe.scoring.score import Score
from vibe.scoring.scorer import Scorer
from vibe.strict_json import read_line

_ID_TYPES = (str, int)


class LineError(ValueError):
    """A line cannot be scored; the message names it and the field."""


def scored_lines(lines: Iterable[bytes], family: Family, routes: Routes, scorer: Scorer) -> Iterator[str]:
    """Yield a JSON line for each of *lines*, except blank ones, for *family*.

    Raises:
        LineError: a line cannot be scored; the first one stops the command.
    """
    once = _Once(scorer)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            name, body = _asked(line)
        except ValueError as error:
            raise LineError(f"line {number}: {error}") from None
        request = read_request(body, CHAT, at=0.0)
        pool = decide(family, routes, once, request)[0].target
        scored = once.score(request.prompt or "")
        found = {"id": name, "score": scored.value, "raw": scored.raw, "pool": pool, "reasons": reasons_of(scored)}
        yield json.dumps(found, ensure_ascii=False)


class _Once:
    """A scorer that reuses the score of a repeated text: a line costs as much as a decision."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._text: str | None = None
        self._scored: Score | None = None

    def score(self, text: str) -> Score:
        """Return the score of *text*."""
        if self._scored is None or text != self._text:
            self._text, self._scored = text, self._scorer.score(text)
        return self._scored


def _asked(line: bytes) -> tuple[object, dict[str, object]]:
    """Return the identifier of a *line* and the request that it describes."""
    entry = read_line(line)
    name = entry.get("id")
    if isinstance(name, bool) or not isinstance(name, _ID_TYPES):
        raise ValueError(f"id: must be a text or a whole number, is {name!r}")
    prompt, messages = entry.get("prompt"), entry.get("messages")
    if (prompt is None) == (messages is None):
        raise ValueError("needs prompt or messages, one of them")
    if messages is None:
        if not isinstance(prompt, str):
            raise ValueError(f"prompt: must be a text, is {type(prompt).__name__}")
        return name, {"messages": [{"role": "user", "content": prompt}]}
    if not isinstance(messages, list):
        raise ValueError(f"messages: must be a list of messages, is {type(messages).__name__}")
    return name, {"messages": messages}
