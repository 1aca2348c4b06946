"""OpenAI Responses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

from stub.answer import Answer
from stub.api import Api, Json, openai_error, server_sent_event
from stub.parameters import RESPONSES_PARAMETERS


def _usage(answer: Answer) -> Json:
    given, made = answer.parsed.prompt_tokens, answer.completion_tokens
    usage: Json = {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": answer.cached_tokens},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + made,
    }
    if answer.is_odd("keys"):
        usage["stub_odd_tokens"] = 7
    if answer.is_odd("values"):
        usage |= {"input_tokens_details": None, "output_tokens_details": None}
    return usage


def _envelope(answer: Answer, status: str, output: list[Json]) -> Json:
    body = answer.parsed.body
    envelope: Json = {
        "id": f"resp_{answer.answer_id}",
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "model": answer.model,
        "output": output,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _usage(answer) if status == "completed" else None,
    }
    if answer.is_odd("keys"):
        envelope |= {"x_stub_odd": {"nested": [1, None]}, "billing": {"payer": "stub"}}
    if answer.is_odd("values"):
        envelope |= {"service_tier": "stub-odd-tier", "truncation": "stub-odd", "temperature": None, "top_p": None}
    return envelope


def _text_item(answer: Answer, text: str, status: str) -> Json:
    part: Json = {"type": "output_text", "text": text, "annotations": []}
    item: Json = {"id": f"msg_{answer.answer_id}", "type": "message", "role": "assistant", "status": status}
    if answer.is_odd("keys"):
        part |= {"x_stub_odd": True}
        item |= {"phase": "stub", "x_stub_odd": {"nested": None}}
    return item | {"content": [part] if text or status == "completed" else []}


def _call_item(answer: Answer, arguments: str, status: str) -> Json:
    call = answer.tool_call
    assert call is not None
    item: Json = {"id": f"fc_{answer.answer_id}", "type": "function_call", "status": status}
    return item | {"call_id": call.call_id, "name": call.name, "arguments": arguments}


def _odd_items(answer: Answer) -> list[Json]:
    if not answer.is_odd("item"):
        return []
    return [{"id": f"odd_{answer.answer_id}", "type": "stub_unknown", "status": "completed", "payload": {"a": [1]}}]


def _items(answer: Answer) -> list[Json]:
    if answer.tool_call:
        return [*_odd_items(answer), _call_item(answer, answer.tool_call.arguments_json, "completed")]
    return [*_odd_items(answer), _text_item(answer, "".join(answer.pieces), "completed")]


def _whole(answer: Answer) -> Json:
    return _envelope(answer, "completed", _items(answer))


async def _stream(answer: Answer) -> AsyncIterator[str]:
    numbers = count()

    def event(kind: str, **fields: object) -> str:
        return server_sent_event({"type": kind, "sequence_number": next(numbers), **fields}, kind)

    yield event("response.created", response=_envelope(answer, "in_progress", []))
    yield event("response.in_progress", response=_envelope(answer, "in_progress", []))
    if answer.is_odd("event"):
        yield event("response.stub_unknown.delta", output_index=0, delta={"stub": 1})
    items = _items(answer)
    for index, odd in enumerate(items[:-1]):
        yield event("response.output_item.added", output_index=index, item=odd | {"status": "in_progress"})
        yield event("response.output_item.done", output_index=index, item=odd)

    item, place = items[-1], {"output_index": len(items) - 1, "item_id": items[-1]["id"]}
    if answer.tool_call:
        opened, arguments = _call_item(answer, "", "in_progress"), answer.tool_call.arguments_json
        yield event("response.output_item.added", output_index=place["output_index"], item=opened)
        yield event("response.function_call_arguments.delta", **place, delta=arguments)
        yield event("response.function_call_arguments.done", **place, name=item["name"], arguments=arguments)
    else:
        opened = _text_item(answer, "", "in_progress")
        yield event("response.output_item.added", output_index=place["output_index"], item=opened)
        place["content_index"] = 0
        part: Json = {"type": "output_text", "text": "", "annotations": []}
        yield event("response.content_part.added", **place, part=part)
        async for piece in answer.paced_pieces():
            yield event("response.output_text.delta", **place, delta=piece, logprobs=[])
        yield event("response.output_text.done", **place, text=item["content"][0]["text"], logprobs=[])
        yield event("response.content_part.done", **place, part=item["content"][0])
    yield event("response.output_item.done", output_index=place["output_index"], item=item)
    yield event("response.completed", response=_envelope(answer, "completed", items))


RESPONSES = Api("/responses", _whole, _stream, openai_error, RESPONSES_PARAMETERS)
