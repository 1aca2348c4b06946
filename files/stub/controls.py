"""Control tags: what a prompt asks the stub to do wrong, slowly or oddly.

A tag is `[[stub:name=value,name=value]]`; several tags add up. `[[tool]]` is short for `[[stub:tool]]`.
A tag with `model=NAME` counts for that model only: a fallback is forced by making one pool's model fail.

    status=503          answer with this HTTP error (400 to 599) in the API's own error shape
    delay=3             wait this many seconds before the first byte
    chunks=20           send the text in exactly this many pieces (streams)
    interval=0.25       wait this many seconds before each piece but the first (streams)
    cut=2               drop the connection after this many pieces (streams), or in the middle of the body
    odd                 odd fields of every kind in ODD_KINDS; odd=keys, odd=values, … for one kind
    strict              refuse request parameters that the API does not know, with a 400, as strict providers do
    tool                call the first tool that was offered; tool=3 calls it until three results have come back
    cached=0.6          this share of the prompt was in the provider's cache, by the usage figures
    written=0.2         this share was written into it (Messages; the other APIs have no such figure)
    quality=0.4         say in the text that the answer is worth so much, 0 to 1
    grades              be a judge: answer JSON with the qualities, times ten, that the prompt's two answers say
    model=gpt-mini      the other controls of this tag count only when this model is asked for
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from stub.refused import RefusedError

MAX_DELAY_SECONDS = 300.0
MAX_INTERVAL_SECONDS = 60.0
MAX_CHUNKS = 5000
MAX_STREAM_SECONDS = 1800.0
MAX_TOOL_ROUNDS = 20

# keys: fields no API document names. values: known fields with values outside their documented range.
# item: an output item or content block of an unknown type. event: a stream event of an unknown type.
ODD_KINDS = frozenset({"keys", "values", "item", "event"})
# annotation: a chat annotation of an unknown type. Only when named: LiteLLM 1.106.2 answers 500 to it, with drop_params
# or without, so it would hide whether the other kinds are tolerated.
NAMED_ODD_KINDS = ODD_KINDS | {"annotation"}

_TAG = re.compile(r"\[\[(?:stub:([^\[\]\n]{1,300})|(tool))\]\]")


@dataclass(frozen=True)
class Controls:
    """Everything the control tags of one request ask for; the defaults are a quick, sound answer."""

    status: int = 200
    delay: float = 0.0
    chunks: int | None = None
    interval: float = 0.0
    cut: int | None = None
    odd: frozenset[str] = frozenset()
    strict: bool = False
    tool: int = 0
    cached: float = 0.0
    written: float = 0.0
    quality: float | None = None
    grades: bool = False


def parse_controls(text: str, model: str) -> Controls:
    """Read the control tags in `text` that count for `model`.

    One that cannot be obeyed is refused aloud: a typo must not turn a fault test into a green one.
    """
    controls = Controls()
    for match in _TAG.finditer(text):
        fields = dict(_split(part) for part in (match[1] or match[2]).split(","))
        if fields.pop("model", model) == model:
            controls = replace(controls, **{name: _read(name, value) for name, value in fields.items()})
    if controls.cached + controls.written > 1:
        raise RefusedError(400, "control tag: cached and written are more than the prompt")
    if (controls.chunks or 0) * controls.interval > MAX_STREAM_SECONDS:
        raise RefusedError(400, f"control tag: chunks x interval is more than {MAX_STREAM_SECONDS:g} seconds")
    return controls


def _split(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(), value.strip()


def _read(name: str, value: str) -> Any:
    if name == "status":
        return int(_number(name, value, 400, 599))
    if name == "delay":
        return _number(name, value, 0, MAX_DELAY_SECONDS)
    if name == "interval":
        return _number(name, value, 0, MAX_INTERVAL_SECONDS)
    if name == "chunks":
        return int(_number(name, value, 1, MAX_CHUNKS))
    if name == "cut":
        return int(_number(name, value, 0, MAX_CHUNKS))
    if name == "tool":
        return int(_number(name, value or "1", 0, MAX_TOOL_ROUNDS))
    if name in ("cached", "written", "quality"):
        return _number(name, value, 0, 1)
    if name in ("strict", "grades") and not value:
        return True
    if name == "odd" and (not value or value in NAMED_ODD_KINDS):
        return frozenset({value}) if value else ODD_KINDS
    raise RefusedError(400, f"control tag: unknown control {name!r} or value {value!r}")


def _number(name: str, value: str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        raise RefusedError(400, f"control tag: {name}={value!r} is not a number") from None
    if not low <= number <= high:  # also false for nan
        raise RefusedError(400, f"control tag: {name}={value} is outside {low:g} to {high:g}")
    return number
