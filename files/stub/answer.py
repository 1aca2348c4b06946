"""What the stub answers, before an API gives it its shape: a text in pieces or one tool call, and usage figures."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from stub.ask import Ask
from stub.controls import Controls

# What a tool is called with, by the type its schema asks for: a real client validates the arguments.
_EXAMPLE_BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


class StreamCutError(Exception):
    """The stream ends here, without its closing events and without a proper end of the response."""


@dataclass(frozen=True)
class ToolCall:
    """A call of one of the tools that the request offered."""

    name: str
    arguments: dict[str, Any]
    call_id: str = field(default_factory=lambda: f"call_{secrets.token_hex(8)}")

    @property
    def arguments_json(self) -> str:
        """The arguments as the JSON text that the OpenAI APIs carry."""
        return json.dumps(self.arguments)


@dataclass(frozen=True)
class Answer:
    """One answer. The model's name is in the text too, so that a test can prove which pool served."""

    ask: Ask
    controls: Controls
    text: str
    tool_call: ToolCall | None
    answer_id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return self.ask.model

    @property
    def pieces(self) -> list[str]:
        """The text in the pieces in which it is streamed: a word each, or as many as `chunks` asks for."""
        words = self.text.split(" ")
        count = self.controls.chunks or len(words)
        words += [f"tick{number}" for number in range(len(words), count)]
        words = [*words[: count - 1], " ".join(words[count - 1 :])]
        return [word if index == 0 else f" {word}" for index, word in enumerate(words)]

    @property
    def completion_tokens(self) -> int:
        """One token a piece is near enough."""
        return len(self.pieces)

    def is_odd(self, kind: str) -> bool:
        """Say whether odd fields of this kind (controls.ODD_KINDS) were asked for."""
        return kind in self.controls.odd

    async def paced_pieces(self) -> AsyncIterator[str]:
        """Yield the pieces at the pace the controls ask for; raise StreamCutError where they cut the stream."""
        pieces = self.pieces
        for index, piece in enumerate(pieces):
            if index == self.controls.cut:
                raise StreamCutError
            if index:
                await asyncio.sleep(self.controls.interval)
            yield piece
        if self.controls.cut is not None:  # as many pieces as there are, or more: still no closing events
            raise StreamCutError


def make_answer(ask: Ask, controls: Controls) -> Answer:
    """Decide what is said: a tool call while the controls ask for one and tools are offered, else a text."""
    text = f"stub answer from model {ask.model} on {ask.endpoint}"
    if ask.tool_results:
        text += f" after {ask.tool_results} tool result(s)"
    tool = _first_tool(ask.body.get("tools")) if ask.tool_results < controls.tool else None
    return Answer(ask, controls, text, tool)


def _first_tool(tools: object) -> ToolCall | None:
    for tool in tools if isinstance(tools, list) else []:
        # Chat nests the description under "function"; Responses and Messages do not, and built-in tools have no name.
        described = tool.get("function", tool) if isinstance(tool, dict) else {}
        if isinstance(described, dict) and isinstance(described.get("name"), str):
            schema = described.get("parameters") or described.get("input_schema") or {}
            return ToolCall(described["name"], _example_arguments(schema))
    return None


def _example_arguments(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    return {name: _example(properties.get(name) or {}) for name in schema.get("required") or []}


def _example(schema: dict[str, Any]) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    return _EXAMPLE_BY_TYPE.get(str(schema.get("type")), "stub")
