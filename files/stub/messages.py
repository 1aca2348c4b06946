"""Anthropic messages and their token count."""

from __future__ import annotations

from collections.abc import AsyncIterator

from stub.answer import Answer
from stub.api import Api, Json, server_sent_event
from stub.parameters import MESSAGES_PARAMETERS

_ERROR_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def _error(status: int, message: str) -> Json:
    kind = _ERROR_BY_STATUS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}}


def _usage(answer: Answer) -> Json:
    read, written = answer.cached_tokens, answer.written_tokens
    # Unlike the OpenAI APIs', this figure is without what the cache had or took in.
    usage: Json = {
        "input_tokens": answer.parsed.prompt_tokens - read - written,
        "output_tokens": answer.completion_tokens,
    }
    usage |= {"cache_creation_input_tokens": written, "cache_read_input_tokens": read}
    if answer.is_odd("keys"):
        usage |= {"stub_odd_tokens": 7}
    if answer.is_odd("values"):
        usage |= {"cache_creation_input_tokens": None, "service_tier": "stub-odd-tier"}
    return usage


def _envelope(answer: Answer, content: list[Json], stop_reason: str | None) -> Json:
    envelope: Json = {"id": f"msg_{answer.answer_id}", "type": "message", "role": "assistant", "model": answer.model}
    envelope |= {"content": content, "stop_reason": stop_reason, "stop_sequence": None, "usage": _usage(answer)}
    if answer.is_odd("keys"):
        envelope |= {"x_stub_odd": {"nested": [1, None]}}
    return envelope


def _stop_reason(answer: Answer) -> str:
    if answer.tool_call:
        return "tool_use"
    return "stub_odd_stop" if answer.is_odd("values") else "end_turn"


def _blocks(answer: Answer) -> list[Json]:
    """Return the content blocks; the last one is the text or the tool call."""
    odd: list[Json] = [{"type": "stub_unknown", "payload": {"a": [1]}}] if answer.is_odd("item") else []
    call = answer.tool_call
    if call:
        call_id = call.call_id.replace("call_", "toolu_")
        return [*odd, {"type": "tool_use", "id": call_id, "name": call.name, "input": call.arguments}]
    return [*odd, {"type": "text", "text": "".join(answer.pieces)}]


def _whole(answer: Answer) -> Json:
    return _envelope(answer, _blocks(answer), _stop_reason(answer))


async def _stream(answer: Answer) -> AsyncIterator[str]:
    def event(kind: str, **fields: object) -> str:
        return server_sent_event({"type": kind, **fields}, kind)

    yield event("message_start", message=_envelope(answer, [], None))
    yield event("ping")
    if answer.is_odd("event"):
        yield event("stub_unknown_event", payload={"a": 1})
    blocks = _blocks(answer)
    for index, odd in enumerate(blocks[:-1]):
        yield event("content_block_start", index=index, content_block=odd)
        yield event("content_block_stop", index=index)

    index, block = len(blocks) - 1, blocks[-1]
    opened = {**block, "input": {}} if answer.tool_call else {**block, "text": ""}
    yield event("content_block_start", index=index, content_block=opened)
    if answer.tool_call:
        delta = {"type": "input_json_delta", "partial_json": answer.tool_call.arguments_json}
        yield event("content_block_delta", index=index, delta=delta)
    else:
        async for piece in answer.paced_pieces():
            yield event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})
    yield event("content_block_stop", index=index)
    end = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
    yield event("message_delta", delta=end, usage={"output_tokens": answer.completion_tokens})
    yield event("message_stop")


def _count(answer: Answer) -> Json:
    return {"input_tokens": answer.parsed.prompt_tokens}


MESSAGES = Api("/messages", _whole, _stream, _error, MESSAGES_PARAMETERS)
COUNT_TOKENS = Api("/messages/count_tokens", _count, None, _error, MESSAGES_PARAMETERS)
