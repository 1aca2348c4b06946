"""OpenAI chat completions."""

from __future__ import annotations

from collections.abc import AsyncIterator

from stub.answer import Answer
from stub.api import SSE_DONE, Api, Json, openai_error, openai_usage, server_sent_event
from stub.parameters import CHAT_PARAMETERS


def _envelope(answer: Answer, kind: str) -> Json:
    envelope: Json = {
        "id": f"chatcmpl-{answer.answer_id}",
        "object": kind,
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": "fp_stub",
    }
    if answer.is_odd("keys"):
        envelope |= {"x_stub_odd": {"nested": [1, None]}, "provider": "stub"}
    if answer.is_odd("values"):
        envelope |= {"service_tier": "stub-odd-tier", "system_fingerprint": None}
    return envelope


def _choice(answer: Answer, part: str, content: Json, finish_reason: str | None) -> Json:
    choice: Json = {"index": 0, part: content, "logprobs": None, "finish_reason": finish_reason}
    if answer.is_odd("keys"):
        choice |= {"matched_stop": None, "native_finish_reason": "stub", "x_stub_odd": True}
        choice[part] = content | {"reasoning_details": [], "x_stub_odd": "field"}
    if answer.is_odd("values") and finish_reason == "stop":
        choice["finish_reason"] = "eos_token"
    if answer.is_odd("annotation") and part == "message":
        choice["message"] |= {"annotations": [{"type": "stub_unknown", "stub_unknown": {}}]}
    return choice


def _tool_calls(answer: Answer, in_stream: bool) -> list[Json]:
    call = answer.tool_call
    if call is None:
        return []
    index = {"index": 0} if in_stream else {}
    function = {"name": call.name, "arguments": call.arguments_json}
    return [index | {"id": call.call_id, "type": "function", "function": function}]


def _whole(answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.tool_call:
        message |= {"content": None, "tool_calls": _tool_calls(answer, in_stream=False)}
    choice = _choice(answer, "message", message, "tool_calls" if answer.tool_call else "stop")
    return _envelope(answer, "chat.completion") | {"choices": [choice], "usage": openai_usage(answer)}


async def _stream(answer: Answer) -> AsyncIterator[str]:
    def chunk(delta: Json, finish_reason: str | None = None) -> str:
        choice = _choice(answer, "delta", delta, finish_reason)
        return server_sent_event(_envelope(answer, "chat.completion.chunk") | {"choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    if answer.is_odd("event"):
        yield ": stub comment\n\n"
        yield server_sent_event(_envelope(answer, "stub.unknown.chunk") | {"choices": []})
    if answer.tool_call:
        yield chunk({"tool_calls": _tool_calls(answer, in_stream=True)})
    else:
        async for piece in answer.paced_pieces():
            yield chunk({"content": piece})
    yield chunk({}, "tool_calls" if answer.tool_call else "stop")
    if (answer.parsed.body.get("stream_options") or {}).get("include_usage"):
        usage = {"choices": [], "usage": openai_usage(answer)}
        yield server_sent_event(_envelope(answer, "chat.completion.chunk") | usage)
    yield SSE_DONE


CHAT = Api("/chat/completions", _whole, _stream, openai_error, CHAT_PARAMETERS)
