"""The turns of a request, as far as it sends them: where its last human prompt is, and what came before it.

Positions are indexes into the list of ``messages`` or ``input``. Accepts any JSON shape, raises on none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from vibe.request.prompt import FIELD_OF_CALL_TYPE, prompt_in, sole_prompt

# Fields that refer to turns that the request does not include.
_ELSEWHERE = ("previous_response_id", "conversation")
_RESULT_ROLES = ("tool", "function")
_OWN_ROLE = "assistant"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """``prompt``: the last human prompt, None where none is visible; ``position``: of its turn, 0 for a bare text.

    ``in_tool_loop``: results of tools follow the prompt. ``whole``: every turn was sent.
    """

    prompt: str | None
    turns: list[object]
    position: int = 0
    in_tool_loop: bool = False
    whole: bool = True

    @property
    def is_opening(self) -> bool:
        """Whether nothing was answered before the prompt."""
        return self.whole and not any(map(_is_answer, islice(self.turns, self.position)))

    def prompt_at(self, position: int) -> str:
        """Return the human prompt in the turn at *position*, "" where there is none."""
        return prompt_in(self.turns[position]) if 0 <= position < len(self.turns) else ""

    def prompt_before(self) -> str:
        """Return the human prompt before the last one, "" where none was sent."""
        return next((text for _, text in self.prompts_between(0, self.position, 1)), "")

    def answer_before(self) -> str:
        """Return the text of the answer before the last prompt, "" where none was sent."""
        answers = (turn for turn in reversed(self.turns[: self.position]) if _is_answer(turn))
        return next((text for text in map(text_of, answers) if text), "")

    def prompts_between(self, start: int, end: int, most: int) -> list[tuple[int, str]]:
        """Return the human prompts from position *start* up to, not including, *end*, each after its position.

        Oldest first, and of more than *most* the last.
        """
        prompts = ((position, prompt_in(self.turns[position])) for position in range(end - 1, start - 1, -1))
        return list(islice((found for found in prompts if found[1]), most))[::-1]


NO_DIALOGUE = Dialogue(None, [])


def dialogue_of(body: Mapping[str, object], call_type: str) -> Dialogue:
    """Return the turns of the request *body*."""
    turns = body.get(FIELD_OF_CALL_TYPE.get(call_type, ""))
    whole = not any(map(body.get, _ELSEWHERE))
    text = sole_prompt(turns, call_type)
    if text is not None or not isinstance(turns, list):
        return Dialogue(text or None, [], whole=whole)
    in_tool_loop = False
    for position in range(len(turns) - 1, -1, -1):
        turn = turns[position]
        text = prompt_in(turn)
        if text:
            return Dialogue(text, turns, position, in_tool_loop, whole)
        if not in_tool_loop:
            in_tool_loop = is_result(turn)
    return Dialogue(None, turns, 0, in_tool_loop, whole)


def is_result(turn: object) -> bool:
    """Whether *turn* carries a tool's result, in the form of any API."""
    return next(results_in(turn), None) is not None


def results_in(turn: object) -> Iterator[Mapping[str, object]]:
    """Yield the results of tools in *turn*, each as the object that holds it."""
    if not isinstance(turn, dict):
        return
    kind = turn.get("type")
    if turn.get("role") in _RESULT_ROLES or (isinstance(kind, str) and kind.endswith("_call_output")):
        yield turn
        return
    content = turn.get("content")
    if isinstance(content, list):
        for part in content:
            if isinstance(part, dict) and part.get("type") == "tool_result":
                yield part


def text_of(turn: object) -> str:
    """Return the text of an assistant's *turn*, "" where it has none."""
    content = turn.get("content") if isinstance(turn, dict) else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def _is_answer(turn: object) -> bool:
    return isinstance(turn, dict) and turn.get("role") == _OWN_ROLE
