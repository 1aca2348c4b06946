"""The client's explicit choice: the side or the pool that is to serve this request.

Three places, the nearest to the request first:

* the header ``x-vibe-choice``,
* the field ``vibe_choice`` of the body's ``metadata``,
* a tag at the beginning or the end of the last human prompt: ``[[vibe:strong]]``. Quoted or in code it is only text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HEADER, METADATA, TAG = "header", "metadata", "tag"
SOURCES = (HEADER, METADATA, TAG)
HEADER_NAME, METADATA_KEY = "x-vibe-choice", "vibe_choice"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}"
_VALUE = re.compile(_NAME)
# Not after a quotation mark of a mail, a back quote or a quotation sign: somebody writes about the tag there.
_LEADING_TAG = re.compile(rf"\[\[vibe:({_NAME})\]\](?![`\"'])")
_TRAILING_TAG = re.compile(rf"(?:^|(?<=\s))\[\[vibe:({_NAME})\]\]$")
_TAG_OPENING, _TAG_CLOSING, _LONGEST_TAG, _FENCE = "[[vibe:", "]]", 220, "```"


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: where it came from, and the ``value``, "" where it is not a name."""

    source: str
    value: str


def choices_of(body: Mapping[str, object], headers: Mapping[str, object], prompt: str | None) -> tuple[Choice, ...]:
    """Return the choices in a request, the most important first."""
    return tuple(_choices(body, headers, prompt))


def forget_choice(data: Mapping[str, object]) -> None:
    """Remove the field from the metadata before it goes upstream: Anthropic refuses fields that it does not know."""
    metadata = data.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop(METADATA_KEY, None)


def _choices(body: Mapping[str, object], headers: Mapping[str, object], prompt: str | None) -> Iterator[Choice]:
    if HEADER_NAME in headers:
        yield Choice(HEADER, _name(headers[HEADER_NAME]))
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and METADATA_KEY in metadata:
        yield Choice(METADATA, _name(metadata[METADATA_KEY]))
    # Searched at both ends only: searching a long text costs more than scoring it.
    if prompt is not None and (prompt.startswith(_TAG_OPENING) or prompt.endswith(_TAG_CLOSING)):
        found = _LEADING_TAG.match(prompt) or _trailing(prompt)
        if found:
            yield Choice(TAG, found[1])


def _trailing(prompt: str) -> re.Match[str] | None:
    last = prompt[-_LONGEST_TAG:].rpartition("\n")[2]
    found = _TRAILING_TAG.search(last)
    if found is None or last.lstrip().startswith(">") or prompt.count(_FENCE) % 2:
        return None
    return found


def _name(value: object) -> str:
    return value.strip() if isinstance(value, str) and _VALUE.fullmatch(value.strip()) else ""
