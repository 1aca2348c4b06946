"""What the stub answers, before an API gives it its shape: a text in pieces or one tool call, and usage figures."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from stub.controls import Controls
from stub.instance import instance_of
from stub.parsed_request import ParsedRequest
from stub.structure import forced_tool, wanted_schema

# How an answer says of itself what it is worth, for a stub that is the judge of it.
_QUALITY_MARK = "worth:"
_QUALITY = re.compile(_QUALITY_MARK + r"([0-9.]+)")


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

    parsed: ParsedRequest
    controls: Controls
    text: str
    tool_call: ToolCall | None
    answer_id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return self.parsed.model

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

    @property
    def cached_tokens(self) -> int:
        """How many of the prompt's tokens were in the cache."""
        return int(self.parsed.prompt_tokens * self.controls.cached)

    @property
    def written_tokens(self) -> int:
        """How many of the prompt's tokens were written into the cache."""
        return int(self.parsed.prompt_tokens * self.controls.written)

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


def make_answer(parsed: ParsedRequest, controls: Controls) -> Answer:
    """Decide what is said: a call of the tool that is demanded, JSON by a schema, else a text with the model's name."""
    forced = forced_tool(parsed.body) if not parsed.tool_results else None
    # LiteLLM asks some models for JSON by a tool that they must call; a judge's text does as well.
    called = not controls.grades and (forced is not None or parsed.tool_results < controls.tool)
    tool = _tool(parsed.body.get("tools"), forced or "") if called else None
    return Answer(parsed, controls, _text(parsed, controls), tool)


def _text(parsed: ParsedRequest, controls: Controls) -> str:
    if controls.grades:
        first, second = [*_QUALITY.findall(parsed.text), "0", "0"][:2]
        return json.dumps({"first": 10 * float(first), "second": 10 * float(second)})
    schema = wanted_schema(parsed.body)
    if schema is not None:
        return json.dumps(instance_of(schema) if schema else {"model": parsed.model})
    after = f" after {parsed.tool_results} tool result(s)" if parsed.tool_results else ""
    worth = "" if controls.quality is None else f" {_QUALITY_MARK}{controls.quality:g}"
    return f"stub answer from model {parsed.model} on {parsed.endpoint}{after}{worth}"


def _tool(tools: object, name: str) -> ToolCall | None:
    """Return a call of the tool *name*, or of the first one that has a name."""
    for tool in tools if isinstance(tools, list) else []:
        # Chat nests the description under "function"; Responses and Messages do not, and built-in tools have no name.
        described = tool.get("function", tool) if isinstance(tool, dict) else {}
        if isinstance(described, dict) and isinstance(described.get("name"), str) and name in ("", described["name"]):
            arguments = instance_of(described.get("parameters") or described.get("input_schema") or {"type": "object"})
            return ToolCall(described["name"], arguments if isinstance(arguments, dict) else {})
    return None
