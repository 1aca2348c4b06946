"""A request, whichever of the APIs it came by: one reading for all their shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stub.refused import RefusedError

CHARACTERS_PER_TOKEN = 4
_TEXT_BLOCKS = frozenset({"text", "input_text"})
_TOOL_RESULTS = frozenset({"tool_result", "function_call_output", "custom_tool_call_output"})


@dataclass(frozen=True)
class ParsedRequest:
    """A request, reduced to what the stub decides by."""

    endpoint: str
    body: dict[str, Any]
    model: str
    stream: bool
    turns: int
    text: str
    tool_results: int

    @property
    def prompt_tokens(self) -> int:
        """A rough count of the whole body: the figure only has to be plausible and to grow with the prompt."""
        sent = (self.body.get(key) for key in ("system", "instructions", "messages", "input", "prompt", "tools"))
        return max(1, sum(len(str(value)) for value in sent if value) // CHARACTERS_PER_TOKEN)


def read_request(endpoint: str, body: object) -> ParsedRequest:
    """Read a request body of any of the APIs; one without a model or a prompt is refused."""
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is not a JSON object")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RefusedError(400, "'model' is missing")
    prompt = next((body[key] for key in ("messages", "input", "prompt") if body.get(key)), None)
    if prompt is None:
        raise RefusedError(400, "one of 'messages', 'input', 'prompt' is missing or empty")
    turns = prompt if isinstance(prompt, list) else [prompt]
    text, tool_results = _last_human_text(turns)
    return ParsedRequest(endpoint, body, model, body.get("stream") is True, len(turns), text, tool_results)


def _last_human_text(turns: list[Any]) -> tuple[str, int]:
    """Return the last text a person wrote, and how many tool results have come since.

    Only that text may hold control tags: one in an older turn must not fail every later turn of a conversation.
    """
    text, tool_results = "", 0
    for turn in turns:
        if isinstance(turn, str):
            text, tool_results = turn, 0
            continue
        if not isinstance(turn, dict):
            continue
        results = sum(block.get("type") in _TOOL_RESULTS for block in _blocks(turn))
        results += turn.get("role") == "tool" or turn.get("type") in _TOOL_RESULTS
        if results:
            # Text beside tool results is a client's reminder, not a new prompt.
            tool_results += results
        elif turn.get("role") == "user":
            text, tool_results = "\n".join(_texts(turn)), 0
    return text, tool_results


def _blocks(turn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    content = turn.get("content")
    yield from (block for block in content if isinstance(block, dict)) if isinstance(content, list) else ()


def _texts(turn: dict[str, Any]) -> Iterator[str]:
    if isinstance(turn.get("content"), str):
        yield turn["content"]
    yield from (str(block.get("text", "")) for block in _blocks(turn) if block.get("type") in _TEXT_BLOCKS)
