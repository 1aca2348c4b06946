"""How many tool results in a row have failed: an agent that is stuck deserves the stronger model.

The tools and arguments do not matter: an agent that fails with something else each time is as stuck as one that
repeats itself. A result that succeeds starts the count again. A failure is ``is_error`` (Messages), the text of an
exit code that is not zero (Codex CLI, shells of other agents), or a text that begins as errors do, in any API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from vibe.request.turns import results_in

# Only so many of the last turns are read, and of a result's text only its ends.
RECENT_TURNS, END_CHARS = 64, 300
_EXIT_CODE = re.compile(
    r"(?:exit(?:ed)?(?: with)?(?: (?:code|status))?|exit_code\"?|returncode|return code)[\s:=]+(-?\d+)", re.IGNORECASE
)
# How an error result begins. A log that a tool has read begins differently: ERROR, then a time.
_BEGINS = re.compile(
    r"\s*(?:<tool_use_error>|<error>|Error:|error:|Failed to |Traceback \(most recent call last\)"
    r'|[\w.]{1,100}(?:Error|Exception): |\{\s*"(?:error|isError|is_error)"\s*:(?!\s*(?:null|false|"")))'
)
_TEXT_KEYS = ("content", "output")


def failures_in_a_row(turns: list[object]) -> int:
    """Return how many of the results that end *turns* failed, 0 if the newest did not."""
    count = 0
    for failed in map(_is_failure, _results(reversed(turns[-RECENT_TURNS:]), newest_first=True)):
        if not failed:
            break
        count += 1
    return count


def most_failures(turns: list[object]) -> int:
    """Return the longest run of failed results in *turns*."""
    most = count = 0
    for failed in map(_is_failure, _results(turns[-RECENT_TURNS:])):
        count = count + 1 if failed else 0
        most = max(most, count)
    return most


def _results(turns: Iterable[object], *, newest_first: bool = False) -> Iterator[Mapping[str, object]]:
    for turn in turns:
        found = list(results_in(turn))
        yield from reversed(found) if newest_first else found


def _is_failure(result: Mapping[str, object]) -> bool:
    stated = result.get("is_error")
    if isinstance(stated, bool):
        return stated
    text = _text_of(result)
    ends = text if len(text) <= 2 * END_CHARS else f"{text[:END_CHARS]} {text[-END_CHARS:]}"
    found = _EXIT_CODE.search(ends)
    return int(found[1]) != 0 if found else bool(_BEGINS.match(ends))


def _text_of(result: Mapping[str, object]) -> str:
    for key in _TEXT_KEYS:
        value = result.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            texts = (part.get("text") for part in value if isinstance(part, dict))
            return "\n".join(text for text in texts if isinstance(text, str))
    return ""
