"""The built-in upstream: its answers, its streams, its faults, and what it does not reveal."""

from __future__ import annotations

import base64
import json
import re
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from stub.controls import MAX_DELAY_SECONDS, parse_controls
from stub.refused import RefusedError
from stub_service import Client, running_stub

pytest.importorskip("starlette", reason="the stub needs starlette")
pytest.importorskip("uvicorn", reason="the stub is served by uvicorn")

Json = dict[str, Any]

APIS = ["chat/completions", "completions", "responses", "messages"]
END_OF_STREAM = {
    "chat/completions": "data: [DONE]",
    "completions": "data: [DONE]",
    "responses": "event: response.completed",
    "messages": "event: message_stop",
}
SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "depth": {"type": "integer"}, "mode": {"enum": ["r", "w"]}},
    "required": ["path", "depth", "mode"],
}
TOOLS: dict[str, Json] = {
    "chat/completions": {"type": "function", "function": {"name": "ls", "parameters": SCHEMA}},
    "responses": {"type": "function", "name": "ls", "parameters": SCHEMA},
    "messages": {"name": "ls", "input_schema": SCHEMA},
}
ARGUMENTS = {"path": "stub", "depth": 1, "mode": "r"}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with running_stub() as (running, log):
        yield running
    assert not [line for line in log if "Traceback" in line or ("[ERROR]" in line and "without completing" not in line)]


def request_body(api: str, text: str, model: str = "gpt-mini", **more: Any) -> Json:
    if api == "completions":
        prompt: Json = {"prompt": text}
    elif api == "responses":
        prompt = {"input": text}
    else:
        prompt = {"messages": [{"role": "user", "content": text}]}
    if api == "messages":
        prompt["max_tokens"] = 16
    return {"model": model, **prompt, **more}


def ask(client: Client, api: str, text: str, **more: Any) -> Any:
    return client.post(f"/v1/{api}", json=request_body(api, text, **more))


def events(text: str) -> list[Json]:
    lines = (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    return [json.loads(line) for line in lines if line != "[DONE]"]


def answer_text(api: str, body: Json) -> str:
    if api == "chat/completions":
        return str(body["choices"][0]["message"]["content"])
    if api == "completions":
        return str(body["choices"][0]["text"])
    blocks = body["output"][-1]["content"] if api == "responses" else body["content"]
    return str(blocks[-1]["text"])


def streamed_text(api: str, stream: str) -> str:
    if api == "chat/completions":
        return "".join(event["choices"][0]["delta"].get("content") or "" for event in events(stream))
    if api == "completions":
        return "".join(event["choices"][0]["text"] for event in events(stream))
    if api == "responses":
        return "".join(event["delta"] for event in events(stream) if event["type"] == "response.output_text.delta")
    deltas = [event["delta"] for event in events(stream) if event["type"] == "content_block_delta"]
    return "".join(delta["text"] for delta in deltas)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_answer_names_the_model_in_its_field_and_in_its_text(client: Client, api: str, prefix: str) -> None:
    body = client.post(f"{prefix}/{api}", json=request_body(api, "hi", model="gpt-standard")).json()
    assert body["model"] == "gpt-standard"
    assert answer_text(api, body) == f"stub answer from model gpt-standard on {api}"


@pytest.mark.parametrize("api", APIS)
def test_stream_says_the_same_and_ends_as_its_api_ends(client: Client, api: str) -> None:
    response = ask(client, api, "hi", stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert streamed_text(api, response.text) == f"stub answer from model gpt-mini on {api}"
    assert END_OF_STREAM[api] in response.text.strip().split("\n\n")[-1]


@pytest.mark.parametrize("api", APIS)
def test_usage_adds_up(client: Client, api: str) -> None:
    usage = ask(client, api, "hi " * 100).json()["usage"]
    given = usage.get("prompt_tokens", usage.get("input_tokens"))
    made = usage.get("completion_tokens", usage.get("output_tokens"))
    assert given > 20
    assert made > 0
    assert usage.get("total_tokens", given + made) == given + made


@pytest.mark.parametrize("api", APIS)
def test_an_answer_says_what_it_is_worth_and_a_judge_reads_it(client: Client, api: str) -> None:
    good = answer_text(api, ask(client, api, "hi [[stub:quality=0.75]]").json())
    bad = answer_text(api, ask(client, api, "hi [[stub:quality=0]]").json())
    assert good.endswith(" worth:0.75")
    body = ask(client, api, f"<first>{bad}</first> <second>{good}</second> [[stub:grades]]").json()
    assert json.loads(answer_text(api, body)) == {"first": 0.0, "second": 7.5}
    assert ask(client, api, "hi [[stub:quality=1.5]]").status_code == 400
    assert ask(client, api, "hi [[stub:grades=1]]").status_code == 400


@pytest.mark.parametrize("api", ["chat/completions", "responses", "messages"])
def test_usage_says_what_the_cache_had(client: Client, api: str) -> None:
    usage = ask(client, api, f"[[stub:cached=0.5,written=0.25]] {'hi ' * 1000}").json()["usage"]
    if api == "messages":
        read, written, fresh = (
            usage[key] for key in ("cache_read_input_tokens", "cache_creation_input_tokens", "input_tokens")
        )
        assert read == pytest.approx(2 * written, abs=2)
        assert fresh == pytest.approx(written, abs=2)
        return
    details = usage.get("prompt_tokens_details") or usage["input_tokens_details"]
    assert details["cached_tokens"] == usage.get("prompt_tokens", usage.get("input_tokens")) // 2


def test_chat_stream_ends_with_usage_only_when_asked(client: Client) -> None:
    without = events(ask(client, "chat/completions", "hi", stream=True).text)
    asked = events(ask(client, "chat/completions", "hi", stream=True, stream_options={"include_usage": True}).text)
    assert "usage" not in without[-1]
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"]["total_tokens"] > 0


def test_responses_stream_numbers_its_events_and_closes_what_it_opens(client: Client) -> None:
    stream = events(ask(client, "responses", "hi", stream=True).text)
    kinds = [event["type"] for event in stream]
    assert [event["sequence_number"] for event in stream] == list(range(len(stream)))
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done") == 1
    assert stream[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("tag", ["[[tool]]", "[[stub:tool]]", "[[stub:tool=2]]"])
@pytest.mark.parametrize("api", sorted(TOOLS))
def test_tool_is_called_with_arguments_that_fit_its_schema(client: Client, api: str, tag: str) -> None:
    body = ask(client, api, f"list it {tag}", tools=[TOOLS[api]]).json()
    if api == "chat/completions":
        call = body["choices"][0]["message"]["tool_calls"][0]["function"]
        assert body["choices"][0]["finish_reason"] == "tool_calls"
        arguments = json.loads(call["arguments"])
    elif api == "responses":
        call = body["output"][-1]
        arguments = json.loads(call["arguments"])
    else:
        call = body["content"][-1]
        assert body["stop_reason"] == "tool_use"
        arguments = call["input"]
    assert (call["name"], arguments) == ("ls", ARGUMENTS)


@pytest.mark.parametrize("api", sorted(TOOLS))
def test_tool_call_is_streamed(client: Client, api: str) -> None:
    stream = ask(client, api, "list it [[tool]]", stream=True, tools=[TOOLS[api]]).text
    assert json.dumps(json.dumps(ARGUMENTS)) in stream
    assert END_OF_STREAM[api] in stream


@pytest.mark.parametrize("api", sorted(TOOLS))
def test_no_tool_is_called_when_none_is_offered_or_none_was_asked_for(client: Client, api: str) -> None:
    assert "stub answer" in answer_text(api, ask(client, api, "[[tool]]").json())
    assert "stub answer" in answer_text(api, ask(client, api, "hi", tools=[TOOLS[api]]).json())


def test_tool_loop_ends_after_as_many_results_as_were_asked_for(client: Client) -> None:
    messages: list[Json] = [{"role": "user", "content": "go [[stub:tool=2]]"}]
    for _ in range(2):
        body = request_body("chat/completions", "", tools=[TOOLS["chat/completions"]]) | {"messages": messages}
        message = client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]
        assert message["tool_calls"]
        messages += [message, {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "ok"}]
    body = request_body("chat/completions", "", tools=[TOOLS["chat/completions"]]) | {"messages": messages}
    answer = client.post("/v1/chat/completions", json=body).json()
    assert "after 2 tool result(s)" in answer_text("chat/completions", answer)


def test_tool_results_of_messages_and_responses_end_the_loop(client: Client) -> None:
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
    reminder = {"type": "text", "text": "a client's reminder [[tool]]"}
    messages = [{"role": "user", "content": "[[tool]]"}, {"role": "user", "content": [result, reminder]}]
    body = request_body("messages", "", tools=[TOOLS["messages"]]) | {"messages": messages}
    assert client.post("/v1/messages", json=body).json()["stop_reason"] == "end_turn"
    items: list[Json] = [
        {"role": "user", "content": [{"type": "input_text", "text": "[[tool]]"}]},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
    ]
    body = request_body("responses", "", tools=[TOOLS["responses"]]) | {"input": items}
    assert client.post("/v1/responses", json=body).json()["output"][-1]["type"] == "message"


@pytest.mark.parametrize("api", APIS)
def test_status_fault_has_the_error_shape_of_its_api(client: Client, api: str) -> None:
    response = ask(client, api, "hi [[stub:status=529]]", stream=True)
    assert response.status_code == 529
    error = response.json()["error"]
    assert error["type"] == ("overloaded_error" if api == "messages" else "server_error")
    assert "529" in error["message"]


def test_fault_for_one_model_leaves_the_others_alone(client: Client) -> None:
    text = "hi [[stub:model=gpt-mini,status=503]]"
    assert ask(client, "chat/completions", text, model="gpt-mini").status_code == 503
    assert ask(client, "chat/completions", text, model="gpt-standard").status_code == 200


def test_fault_in_an_older_turn_or_in_the_system_prompt_is_over(client: Client) -> None:
    old = {"role": "user", "content": "[[stub:status=503]]"}
    messages = [{"role": "system", "content": "[[stub:status=503]]"}, old, {"role": "user", "content": "hi"}]
    body = {"model": "gpt-mini", "messages": messages}
    assert client.post("/v1/chat/completions", json=body).status_code == 200


@pytest.mark.parametrize(
    "tag",
    [
        "status=200",
        "status=abc",
        "delay=1e9",
        "delay=nan",
        "chunks=0",
        "chunks=1e9",
        "interval=-1",
        "chunks=5000,interval=60",
        "odd=typo",
        "typo=1",
        "model=gpt-mini,stauts=503",
    ],
)
def test_control_that_cannot_be_obeyed_is_refused(client: Client, tag: str) -> None:
    response = ask(client, "chat/completions", f"hi [[stub:{tag}]]")
    assert response.status_code == 400
    assert "control tag" in response.json()["error"]["message"]


def test_delay_is_bounded_and_read_as_seconds() -> None:
    assert parse_controls(f"[[stub:delay={MAX_DELAY_SECONDS:g}]]", "m").delay == MAX_DELAY_SECONDS
    with pytest.raises(RefusedError):
        parse_controls(f"[[stub:delay={MAX_DELAY_SECONDS + 1:g}]]", "m")


def test_chunks_sets_how_many_pieces_are_streamed(client: Client) -> None:
    for count in (1, 3, 40):
        stream = events(ask(client, "responses", f"hi [[stub:chunks={count}]]", stream=True).text)
        assert sum(event["type"] == "response.output_text.delta" for event in stream) == count


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", ["chat/completions", "responses", "messages"])
def test_odd_fields_are_added_and_the_answer_stays_readable(client: Client, api: str, stream: bool) -> None:
    text = ask(client, api, "hi [[stub:odd]]", stream=stream).text
    assert "x_stub_odd" in text
    assert ("stub_unknown" in text) == (api != "chat/completions")
    read = streamed_text(api, text) if stream and api != "chat/completions" else text
    assert "stub" in read


def test_strict_refuses_what_the_api_does_not_document(client: Client) -> None:
    assert ask(client, "chat/completions", "hi [[stub:strict]]", seed=1).status_code == 200
    refused = ask(client, "chat/completions", "hi [[stub:strict]]", thinking={"type": "enabled"})
    assert refused.status_code == 400
    assert "thinking" in refused.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"model": "m"}', b'{"messages": [{"role": "user"}]}', b"\xff"])
def test_body_that_is_no_request_is_a_400(client: Client, body: bytes) -> None:
    assert client.post("/v1/chat/completions", data=body).status_code == 400


def test_embeddings_are_the_same_for_the_same_text_in_both_encodings(client: Client) -> None:
    body = {"model": "emb", "input": ["a", "b", "a"], "dimensions": 8}
    plain = [row["embedding"] for row in client.post("/v1/embeddings", json=body).json()["data"]]
    packed = client.post("/v1/embeddings", json=body | {"encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert plain[0] == plain[2] != plain[1]
    assert struct.unpack("<8f", base64.b64decode(packed)) == pytest.approx(plain[0])


def test_models_are_listed_and_tokens_are_counted(client: Client) -> None:
    assert [row["id"] for row in client.get("/v1/models").json()["data"]] == ["gpt-mini", "gpt-standard"]
    counted = client.post("/v1/messages/count_tokens", json=request_body("messages", "hi")).json()
    assert counted["input_tokens"] > 0


def test_neither_the_log_nor_the_summaries_hold_prompts_or_keys() -> None:
    headers = {"authorization": "Bearer sk-hidden"}
    with running_stub() as (client, log):
        for text in ("secret prompt", "secret prompt [[stub:status=503]]", "[[stub:secret prompt]]"):
            client.post("/v1/chat/completions", json=request_body("chat/completions", text), headers=headers)
        client.post("/v1/messages", json=request_body("messages", "secret prompt", model="bad\nname"))
        summaries = client.get("/requests")
        forgotten = requests.delete(f"{client.url}/requests", timeout=10).json()
    for shown in ("\n".join(log), summaries.text):
        assert "gpt-mini" in shown
        assert "secret" not in shown
        assert "hidden" not in shown
    assert all(re.match(r"\[\d\d:\d\d:\d\d\] \[STUB\] \[[A-Z]+\] ", line) for line in log)
    seen = summaries.json()["requests"]
    assert [entry["status"] for entry in seen] == [200, 503, 400, 200]
    assert [entry["authorization"] for entry in seen] == [True, True, True, False]
    assert (seen[0]["endpoint"], seen[0]["messages"], seen[0]["stream"]) == ("chat/completions", 1, False)
    assert seen[3]["model"] == "bad?name"
    assert forgotten == {"requests": []}


@pytest.mark.parametrize("api", APIS)
def test_cut_stream_breaks_off_after_its_pieces(client: Client, api: str) -> None:
    body = request_body(api, "hi [[stub:chunks=9,cut=2]]", stream=True)
    received = b""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for part in requests.post(f"{client.url}/v1/{api}", json=body, stream=True, timeout=10).iter_content(None):
            received += part
    assert streamed_text(api, received.decode()) == "stub answer"
    assert END_OF_STREAM[api] not in received.decode()


def test_cut_body_breaks_off(client: Client) -> None:
    body = request_body("chat/completions", "hi [[stub:cut=0]]")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        requests.post(f"{client.url}/v1/chat/completions", json=body, timeout=10)


def test_delay_and_interval_take_their_time(client: Client) -> None:
    body = request_body("chat/completions", "hi [[stub:delay=0.3]] [[stub:chunks=4,interval=0.1]]", stream=True)
    start = time.monotonic()
    response = requests.post(f"{client.url}/v1/chat/completions", json=body, stream=True, timeout=10)
    first_byte = time.monotonic() - start
    assert END_OF_STREAM["chat/completions"] in response.text
    assert first_byte >= 0.3
    assert time.monotonic() - start >= 0.6
