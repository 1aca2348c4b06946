"""What a request needs of the model that answers it: room for its tokens, pictures, sound, files, tools, a schema.

Counted over the whole conversation, because a picture of ten turns ago is sent again each time. Linear in the number of
turns; texts are measured, not read. Accepts any JSON shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vibe.request.token_estimate import BYTES_PER_TOKEN, CHARS_PER_TOKEN_ASCII, estimate_tokens

IMAGES, AUDIO, FILES, TOOLS, SCHEMA = "images", "audio", "files", "tools", "structured output"
# Tokens reserved for the answer if the client sets none, and at most: clients request far more than they use.
ANSWER_TOKENS, MOST_ANSWER_TOKENS = 4096.0, 16_384.0
# A picture costs some hundred to some thousand tokens, a tool's schema about so many without its description.
PART_TOKENS, TOOL_TOKENS = 1000.0, 100.0
_CONVERSATIONS = ("messages", "input", "prompt", "system", "instructions")
_BY_PART = {
    "image_url": IMAGES,
    "input_image": IMAGES,
    "image": IMAGES,
    "input_audio": AUDIO,
    "audio": AUDIO,
    "file": FILES,
    "input_file": FILES,
    "document": FILES,
}
# Where parts hold parts: a tool's result may be a picture.
_NESTED = ("content", "output")
_SPECIAL = frozenset(("type", "text", "output"))
_DEPTH = 6
_TEXT_PARTS = ("text", "input_text", "output_text")
_SAMPLED_TOOLS = 8


@dataclass(slots=True)
class Needs:
    """``tokens`` that go in, estimated; ``answer`` tokens to leave room for; ``kinds``: what else the model must do."""

    tokens: float = 0.0
    answer: float = ANSWER_TOKENS
    kinds: set[str] = field(default_factory=set)


def needs_of(body: Mapping[str, object]) -> Needs:
    """Return what the request *body*, of any API, needs."""
    needs = Needs(answer=_answer(body))
    for key in _CONVERSATIONS:
        content = body.get(key)
        if content is not None:
            _add(content, needs, _DEPTH)
    tools = body.get("tools")
    if isinstance(tools, list) and tools:
        needs.kinds.add(TOOLS)
        # A long catalogue is estimated from its beginning.
        seen = tools[:_SAMPLED_TOOLS]
        needs.tokens += sum(map(_tool_tokens, seen)) * len(tools) / len(seen)
    if _wants_schema(body):
        needs.kinds.add(SCHEMA)
    return needs


def tokens_in(content: object) -> float:
    """Estimate the tokens of *content*: a text, a turn, or a list of either."""
    needs = Needs()
    _add(content, needs, _DEPTH)
    return needs.tokens


def _add(content: object, needs: Needs, depth: int) -> None:
    """Add what *content* needs: a text, a part, or a list of either, so many levels deep."""
    if isinstance(content, str):
        needs.tokens += len(content) / BYTES_PER_TOKEN if content.isascii() else estimate_tokens(content)
    elif isinstance(content, list):
        if depth:
            for part in content:
                # Most turns are bare text: nothing in them is checked one by one.
                inner = part.get("content") if isinstance(part, dict) and _SPECIAL.isdisjoint(part) else part
                if isinstance(inner, str):
                    needs.tokens += len(inner) / BYTES_PER_TOKEN if inner.isascii() else estimate_tokens(inner)
                elif inner is not None:
                    _add(inner, needs, depth - 1)
    elif isinstance(content, dict):
        # Most parts are texts, and most turns hold texts: both are handled here.
        text = content.get("text")
        if isinstance(text, str):
            needs.tokens += len(text) / BYTES_PER_TOKEN if text.isascii() else estimate_tokens(text)
        kind = content.get("type")
        if isinstance(kind, str) and kind in _BY_PART:
            needs.kinds.add(_BY_PART[kind])
            needs.tokens += PART_TOKENS
        if depth and kind not in _TEXT_PARTS:
            for key in _NESTED:
                if key in content:
                    _add(content[key], needs, depth - 1)


def _tool_tokens(tool: object) -> float:
    described = tool.get("function", tool) if isinstance(tool, dict) else None
    text = described.get("description") if isinstance(described, dict) else None
    return TOOL_TOKENS + (len(text) / CHARS_PER_TOKEN_ASCII if isinstance(text, str) else 0.0)


def _wants_schema(body: Mapping[str, object]) -> bool:
    text, config = body.get("text"), body.get("output_config")
    asked: Iterable[object] = (
        body.get("response_format"),
        text.get("format") if isinstance(text, dict) else None,
        config.get("format") if isinstance(config, dict) else None,
        body.get("output_format"),
    )
    return any(isinstance(one, dict) and one.get("type") == "json_schema" for one in asked)


def _answer(body: Mapping[str, object]) -> float:
    for key in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        value = body.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return min(float(value), MOST_ANSWER_TOKENS)
    return ANSWER_TOKENS
