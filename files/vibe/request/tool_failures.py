"""How often the same tool call has failed: an agent that is stuck deserves the stronger model.

A call is the same when tool and arguments are; one that succeeds in between starts the count again. A failure is
``is_error`` (Messages) or the text of an exit code that is not zero (Codex CLI, shells of other agents), in any API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from vibe.request.turns import results_in

# Only so many of the last turns are looked at, and of a result's text only its ends.
RECENT_TURNS, END_CHARS = 64, 300
_EXIT_CODE = re.compile(
    r"(?:exit(?:ed)?(?: with)?(?: (?:code|status))?|exit_code\"?|returncode|return code)[\s:=]+(-?\d+)", re.IGNORECASE
)
_ID_KEYS = ("tool_use_id", "tool_call_id", "call_id")
_TEXT_KEYS = ("content", "output")


def repeated_failures(turns: list[object]) -> int:
    """Return how often the call that failed last has failed, 0 where the newest results are no failures."""
    recent = turns[-RECENT_TURNS:]
    newest = [result for result in _newest_results(recent) if _is_failure(result)]
    if not newest:
        return 0
    calls = _calls(recent)
    # Of each call, the last count stays.
    counts = dict(_counts(recent, calls))
    return max(counts.get(calls.get(_id_of(result), ""), 0) for result in newest)


def most_failures(turns: list[object]) -> int:
    """Return how often at most a call failed in *turns* without success in between."""
    recent = turns[-RECENT_TURNS:]
    return max((count for _, count in _counts(recent, _calls(recent))), default=0)


def _calls(turns: list[object]) -> dict[str, str]:
    return {identifier: call for turn in turns for identifier, call in _calls_in(turn)}


def _counts(turns: list[object], calls: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield, for each result in *turns*, its call and how often that has failed by then."""
    counts: dict[str, int] = {}
    for turn in turns:
        for result in results_in(turn):
            call = calls.get(_id_of(result))
            if call is not None:
                counts[call] = counts.get(call, 0) + 1 if _is_failure(result) else 0
                yield call, counts[call]


def _newest_results(turns: list[object]) -> Iterator[Mapping[str, object]]:
    """Yield the results that end *turns*: several where calls were made side by side."""
    for turn in reversed(turns):
        found = list(results_in(turn))
        if found:
            yield from found
        # Messages of the client's own may follow (Claude Code's system message); a call or an answer ends it.
        elif isinstance(turn, dict) and turn.get("role") not in ("system", "developer"):
            return


def _calls_in(turn: object) -> Iterator[tuple[str, str]]:
    """Yield the tool calls of *turn*, each as its identifier and what makes it the same as another."""
    if not isinstance(turn, dict):
        return
    kind = turn.get("type")
    if isinstance(kind, str) and kind.endswith("_call"):
        yield _id_of(turn), _same(turn.get("name"), turn.get("arguments", turn.get("input", turn.get("action"))))
    calls = turn.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield str(call.get("id")), _same(function.get("name"), function.get("arguments"))
    content = turn.get("content")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == "tool_use":
            yield str(part.get("id")), _same(part.get("name"), part.get("input"))


def _same(name: object, arguments: object) -> str:
    if not isinstance(arguments, str):
        try:
            arguments = json.dumps(arguments, sort_keys=True)
        except (TypeError, ValueError, RecursionError):
            # Not JSON, or nested beyond measure: the same as no other.
            arguments = str(id(arguments))
    return f"{name} {arguments}"


def _id_of(result: Mapping[str, object]) -> str:
    return next((str(result[key]) for key in _ID_KEYS if key in result), "")


def _is_failure(result: Mapping[str, object]) -> bool:
    stated = result.get("is_error")
    if isinstance(stated, bool):
        return stated
    text = _text_of(result)
    ends = text if len(text) <= 2 * END_CHARS else f"{text[:END_CHARS]} {text[-END_CHARS:]}"
    found = _EXIT_CODE.search(ends)
    return found is not None and int(found[1]) != 0


def _text_of(result: Mapping[str, object]) -> str:
    for key in _TEXT_KEYS:
        value = result.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            texts = (part.get("text") for part in value if isinstance(part, dict))
            return "\n".join(text for text in texts if isinstance(text, str))
    return ""
