"""OpenAI text completions (the old API, which some editors still use)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from stub.answer import Answer
from stub.api import SSE_DONE, Api, Json, openai_error, openai_usage, server_sent_event
from stub.parameters import COMPLETIONS_PARAMETERS


def _envelope(answer: Answer, text: str, finish_reason: str | None) -> Json:
    choice: Json = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}
    if answer.is_odd("keys"):
        choice |= {"x_stub_odd": True}
    return {
        "id": f"cmpl-{answer.answer_id}",
        "object": "text_completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [choice],
    }


def _whole(answer: Answer) -> Json:
    return _envelope(answer, answer.text, "stop") | {"usage": openai_usage(answer)}


async def _stream(answer: Answer) -> AsyncIterator[str]:
    async for piece in answer.paced_pieces():
        yield server_sent_event(_envelope(answer, piece, None))
    yield server_sent_event(_envelope(answer, "", "stop"))
    if (answer.parsed.body.get("stream_options") or {}).get("include_usage"):
        yield server_sent_event(_envelope(answer, "", None) | {"choices": [], "usage": openai_usage(answer)})
    yield SSE_DONE


COMPLETIONS = Api("/completions", _whole, _stream, openai_error, COMPLETIONS_PARAMETERS)
