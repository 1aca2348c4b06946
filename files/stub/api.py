"""What every API of the stub has to offer, and what the OpenAI ones share."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from stub.answer import Answer

Json = dict[str, Any]

SSE_DONE = "data: [DONE]\n\n"


@dataclass(frozen=True)
class Api:
    """One API: its path below the base address, its answers, its errors, and the request parameters it knows."""

    path: str
    whole: Callable[[Answer], Json]
    stream: Callable[[Answer], AsyncIterator[str]] | None
    error: Callable[[int, str], Json]
    parameters: frozenset[str]


def server_sent_event(data: Json, event: str | None = None) -> str:
    """Write one server-sent event; OpenAI's chat streams have no event names, the other APIs do."""
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data)}\n\n"


def openai_error(status: int, message: str) -> Json:
    """Return the error body of the OpenAI APIs."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": f"stub_{status}"}}


def openai_usage(answer: Answer) -> Json:
    """Return the usage figures of chat and text completions."""
    prompt, completion = answer.parsed.prompt_tokens, answer.completion_tokens
    usage: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if answer.cached_tokens:
        usage["prompt_tokens_details"] = {"cached_tokens": answer.cached_tokens}
    if answer.is_odd("keys"):
        usage |= {"stub_odd_tokens": 7, "prompt_tokens_details": {"stub_odd": 1}}
    if answer.is_odd("values"):
        usage |= {"completion_tokens_details": None, "cost": "0.00"}
    return usage
