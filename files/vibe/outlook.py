"""What an ask is expected to bring: how much its conversation has behind it, and how many turns it will take.

Read from the conversation itself: how many turns its asks took so far, how long its answers were. What all
conversations of a client share, its system prompt and its tools, is left out: every pool has it in its cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vibe.ask import ask_in
from vibe.dialogue import Dialogue
from vibe.needs import tokens_in
from vibe.tokens import BYTES_PER_TOKEN

# What a conversation that has no history is taken for, and so much weight has that against what it shows: one ask.
USUAL_TURNS, USUAL_ANSWER, USUAL_GROWTH = 1.5, 300.0, 450.0
# So many turns at the end of the history are read for the length of an answer.
_READ_TURNS = 24
_OWN_ROLE = "assistant"
# In the Responses API a call is an item of its own, without a role.
_CALL_SUFFIX = "_call"
_USE_BLOCK = "tool_use"


@dataclass(frozen=True, slots=True)
class Outlook:
    """All in tokens: ``prefix``, the turns before the ask; ``ask`` itself; ``answer``, what a turn gives back.

    ``growth``: by how much a turn lengthens the conversation, its answer included; ``turns``: that the ask will take.
    """

    prefix: float
    ask: float
    answer: float = USUAL_ANSWER
    growth: float = USUAL_GROWTH
    turns: float = USUAL_TURNS


def outlook_of(dialogue: Dialogue) -> Outlook:
    """Return what the last ask of *dialogue* is expected to bring."""
    before = dialogue.turns[: dialogue.position]
    recent = before[-_READ_TURNS:]
    given = [turn for turn in recent if _is_given_back(turn)]
    asks = sum(bool(ask_in(turn)) for turn in recent)
    ask = tokens_in(dialogue.ask or "")
    return expected(_tokens(before), ask, _tokens(given), _tokens(recent), len(given), asks)


def expected(prefix: float, ask: float, given: float, recent: float, answers: int, asks: int) -> Outlook:
    """Return the outlook of an *ask* after *prefix* tokens, by the last turns: *recent* tokens, *given* back of them.

    *answers* and *asks*: how many of those turns are which.
    """
    return Outlook(
        prefix=prefix,
        ask=ask,
        answer=(USUAL_ANSWER + given) / (1 + answers),
        growth=(USUAL_GROWTH + recent) / (1 + answers),
        turns=(USUAL_TURNS + answers) / (1 + asks),
    )


def _tokens(turns: list[object]) -> float:
    """Estimate the tokens of *turns*, with what a model gave to tools: an edit is as long as what it writes.

    Which takes longer to count than all else: so not what every request is looked at for (``vibe.needs``).
    """
    return tokens_in(turns) + sum(map(_call_chars, turns)) / BYTES_PER_TOKEN


def _call_chars(turn: object) -> int:
    if not isinstance(turn, Mapping):
        return 0
    calls, content = turn.get("tool_calls"), turn.get("content")
    functions = [call.get("function") for call in _objects(calls)]
    blocks = [block for block in _objects(content) if block.get("type") == _USE_BLOCK]
    return sum(map(_given_chars, [*_objects(functions), *blocks, turn]))


def _given_chars(call: Mapping[str, object]) -> int:
    given = call.get("arguments", call.get("input"))
    # An object, in Messages: its values are what is long.
    texts = given.values() if isinstance(given, Mapping) else (given,)
    return sum(len(text) for text in texts if isinstance(text, str))


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _is_given_back(turn: object) -> bool:
    """Whether *turn* is what a model gave back: a text, or a call of a tool."""
    if not isinstance(turn, Mapping):
        return False
    kind = turn.get("type")
    return turn.get("role") == _OWN_ROLE or (isinstance(kind, str) and kind.endswith(_CALL_SUFFIX))
