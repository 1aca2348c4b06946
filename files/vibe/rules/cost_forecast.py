"""The expected cost of a prompt: the length of its conversation, and how many turns the prompt will take.

Read from the conversation itself: how many turns its prompts took so far, how long its answers were. The
system prompt and tools that all conversations of a client share are left out: every pool has them in its cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vibe.request.prompt import prompt_in
from vibe.request.required_capabilities import tokens_in
from vibe.request.token_estimate import BYTES_PER_TOKEN
from vibe.request.turns import Dialogue

# The assumption about a conversation without a history, and its weight against the history: one prompt.
USUAL_TURNS, USUAL_ANSWER, USUAL_GROWTH = 1.5, 300.0, 450.0
# This many last turns are read for the length of an answer.
_READ_TURNS = 24
_OWN_ROLE = "assistant"
# In the Responses API a call is an item of its own, without a role.
_CALL_SUFFIX = "_call"
_USE_BLOCK = "tool_use"


@dataclass(frozen=True, slots=True)
class CostForecast:
    """All in tokens: ``prefix``, the turns before the prompt; ``prompt`` itself; ``answer``, a turn's output.

    ``growth``: by how much a turn lengthens the conversation, answer included; ``turns``: that the prompt will take.
    """

    prefix: float
    prompt: float
    answer: float = USUAL_ANSWER
    growth: float = USUAL_GROWTH
    turns: float = USUAL_TURNS


def forecast_cost(dialogue: Dialogue) -> CostForecast:
    """Return the forecast for the last prompt of *dialogue*."""
    before = dialogue.turns[: dialogue.position]
    recent = before[-_READ_TURNS:]
    given = [turn for turn in recent if _is_given_back(turn)]
    prompts = sum(bool(prompt_in(turn)) for turn in recent)
    prompt = tokens_in(dialogue.prompt or "")
    return expected(_tokens(before), prompt, _tokens(given), _tokens(recent), len(given), prompts)


def expected(prefix: float, prompt: float, given: float, recent: float, answers: int, prompts: int) -> CostForecast:
    """Return the outlook of a *prompt* after *prefix* tokens, by the last turns: *recent* tokens, *given* back of them.

    *answers* and *prompts*: how many of those turns are which.
    """
    return CostForecast(
        prefix=prefix,
        prompt=prompt,
        answer=(USUAL_ANSWER + given) / (1 + answers),
        growth=(USUAL_GROWTH + recent) / (1 + answers),
        turns=(USUAL_TURNS + answers) / (1 + prompts),
    )


def _tokens(turns: list[object]) -> float:
    """Estimate the tokens of *turns*, including tool arguments: an edit is as long as its text.

    This takes longer than everything else, so it is not part of what every request is read for
    (``vibe.request.required_capabilities``).
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
    # An object, in Messages: only its values are long.
    texts = given.values() if isinstance(given, Mapping) else (given,)
    return sum(len(text) for text in texts if isinstance(text, str))


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _is_given_back(turn: object) -> bool:
    """Whether *turn* is a model's output: a text, or a tool call."""
    if not isinstance(turn, Mapping):
        return False
    kind = turn.get("type")
    return turn.get("role") == _OWN_ROLE or (isinstance(kind, str) and kind.endswith(_CALL_SUFFIX))
