"""Attacks with a client's key, one request of each kind: none gets anything or takes anything from others.

From an authorized penetration test of LiteLLM 1.106.2 behind this gateway. Each gate is also tested alone: with the
first open, the second stops the attack; with both open, the process can reach no other host.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from e2e import variant
from e2e.load import traffic_to
from e2e.machine import chat, containers, haproxy, router_processes, run
from e2e.parameter_matrix import Matrix
from host.measures import read_servers

GATEWAY = ("127.0.0.1", 4000)
CHAT, RESPONSES, MESSAGES, EMBEDDINGS = "chat/completions", "responses", "messages", "embeddings"
TIMEOUT_SECONDS = 60
# Processor time of its worker, which does not depend on how busy the machine is.
MOST_SECONDS = 1.0
# The address that the attack reached: the slot's own metrics.
COUNTERS = "oobabooga/http://127.0.0.1:9464/metrics?x="
SLOW_CONNECTIONS = 30


def _router() -> str:
    (name,) = [name for name in containers() if name.startswith("litellm-vibe-router-")]
    return name


def _body(api: str, **extra: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}]
    own: dict[str, dict[str, Any]] = {
        CHAT: {"messages": messages},
        RESPONSES: {"input": "hi"},
        MESSAGES: {"messages": messages, "max_tokens": 16},
        EMBEDDINGS: {"input": "hi"},
    }
    return {"model": "chat-auto", **own[api], **extra}


class Slot:
    """A router, with requests as the gateway sends them for a client that may only use chat-auto."""

    def __init__(self, url: str, key: str) -> None:
        """Remember the router's *url* and *key*."""
        self.url = url
        self.upstream = Matrix(url, {})
        self._key = key

    def ask(
        self, api: str, body: object = None, *, client: str = "attacker", method: str = "POST", raw: bytes = b""
    ) -> requests.Response:
        """Send one request of *client*."""
        return requests.request(
            method,
            f"{self.url}/v1/{api}",
            data=raw or (b"" if body is None else json.dumps(body).encode()),
            headers={
                "Authorization": f"Bearer {self._key}",
                "Content-Type": "application/json",
                "x-vibe-client": client,
                "x-vibe-client-models": "chat-auto",
            },
            timeout=TIMEOUT_SECONDS,
        )


@pytest.fixture
def slot(deployed: dict[str, str]) -> Slot:
    """The router that serves."""
    return Slot(f"http://{run('docker', 'port', _router(), '4000').stdout.strip()}", deployed["OPENAI_API_KEY"])


# Number of the vulnerability, and the request; the upstream must not receive it.
HOLES: list[tuple[str, dict[str, Any]]] = [
    ("1 fallbacks as an object", {"fallbacks": {"codex-auto": []}, "seed": 1e400}),
    ("1 of a pool", {"fallbacks": {"pool-codex-heavy": []}}),
    ("1 in an override", {"router_settings_override": {"fallbacks": {"claude-auto": []}}}),
    ("1 inside a fallback", {"fallbacks": [{"model": "chat-auto", "fallbacks": {"claude-auto": []}}]}),
    ("2 an address", {"headers": {"a": ["b"]}, "passthrough_on_no_deployment": True, "fallbacks": {COUNTERS: []}}),
    ("2 a provider", {"passthrough_on_no_deployment": True, "fallbacks": {"openai/gpt-5": []}}),
    ("3 a callback", {"fallbacks": [{"model": "chat-auto", "litellm_logging_obj": None, "callbacks": ["otel"]}]}),
    ("3 a deployment", {"fallbacks": [{"model": "chat-auto", "deployment_id": "x"}]}),
    ("3 another payer", {"fallbacks": [{"model": "chat-auto", "metadata": {"user_api_key_alias": "victim"}}]}),
    ("3 no log", {"fallbacks": [{"model": "chat-auto", "no-log": True}]}),
    ("4 headers", {"headers": {"Authorization": "Bearer EVIL", "Host": "evil.example"}}),
    ("4 a key", {"api_key": "EVIL"}),
    ("4 headers of a provider", {"provider_specific_header": {"custom_llm_provider": "openai", "extra_headers": {}}}),
    ("6 a model many times", {"model": ",".join(["chat-auto"] * 20)}),
    ("6 many fallbacks", {"fallbacks": [{"model": "chat-auto", "seed": seed} for seed in range(20)]}),
    ("7 retries", {"router_settings_override": {"num_retries": 6, "timeout": 0.05}}),
    ("11 loggers", {"success_callback": ["langfuse"], "failure_callback": ["lago"]}),
    ("5 commas", {"model": "," * 20_000}),
    ("5 a list of names", {"model": ["chat-auto"] * 300_000}),
    ("5 tags", {"tags": ["a"] * 100_000, "metadata": {"tags": ["a"] * 100_000}}),
]


@pytest.mark.parametrize("api", [CHAT, RESPONSES, MESSAGES, EMBEDDINGS])
@pytest.mark.parametrize(("hole", "extra"), HOLES, ids=[name for name, _ in HOLES])
def test_a_hole_is_closed_before_anything_is_asked(hole: str, extra: dict[str, Any], api: str, slot: Slot) -> None:
    slot.upstream.forget()
    answer = slot.ask(api, _body(api, **extra))
    assert answer.status_code in {400, 403, 413}, answer.text
    assert slot.upstream.seen() == []


def test_everybody_else_is_served_after_all_that(slot: Slot, deployed: dict[str, str]) -> None:
    for _, extra in HOLES:
        for _ in range(4):
            slot.ask(CHAT, _body(CHAT, **extra))
    answer = chat(deployed, "hi", disable_fallbacks=True)
    assert (answer.status_code, answer.headers["x-vibe-served-pool"]) == (200, "pool-chat-mini")


def _turns(number: int) -> list[dict[str, str]]:
    return [{"role": "user" if turn % 2 == 0 else "assistant", "content": "a"} for turn in range(number)]


def _listed(start: bytes, entry: bytes, number: int) -> bytes:
    return (
        b'{"model":"chat-auto","messages":[{"role":"user","content":"hi"}],"' + start + b'":[' + entry * number + b"0]}"
    )


def test_litellm_takes_the_body_that_the_gate_has_parsed(deployed: dict[str, str]) -> None:
    # The body has been consumed: if LiteLLM parsed it again, it would fail.
    script = """
import asyncio
from litellm.proxy.common_utils.http_parsing_utils import read_request_body
from starlette.requests import Request
scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
print(asyncio.run(read_request_body(Request({**scope, "parsed_body": (("a",), {"a": 1})}))))
"""
    assert run("docker", "exec", "-i", _router(), "python3", "-", given=script).stdout.strip() == "{'a': 1}"


# The largest accepted request of each kind, and requests that are refused only after they were read.
LARGE: dict[str, tuple[str, Any]] = {
    "messages": (CHAT, _body(CHAT, messages=_turns(4_000))),
    "messages, Anthropic": (MESSAGES, _body(MESSAGES, messages=_turns(4_000))),
    "items": (RESPONSES, _body(RESPONSES, input=_turns(10_000))),
    "parts": (CHAT, _body(CHAT, messages=[{"role": "user", "content": [{"type": "text", "text": "a"}] * 5_000}])),
    "system": (MESSAGES, _body(MESSAGES, system=[{"type": "text", "text": "a"}] * 5_000)),
    "inputs": (EMBEDDINGS, _body(EMBEDDINGS, input=["a"] * 4_000)),
    "a large tool": (
        CHAT,
        _body(CHAT, tools=[{"type": "function", "function": {"name": "f", "parameters": {"p": [{}] * 190_000}}}]),
    ),
    "a field of numbers": (CHAT, _listed(b"top_a", b"0,", 10_000_000)),
    "a field of objects": (CHAT, _listed(b"top_a", b"{},", 8_000_000)),
    "too many messages": (CHAT, _body(CHAT, messages=_turns(100_000))),
    "a long text": (CHAT, _body(CHAT, messages=[{"role": "user", "content": "word " * 6_000_000}])),
}


def _processor_seconds(processes: list[int]) -> float:
    """Return the processor time of *processes*, in seconds."""
    fields = [
        Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split() for process in processes
    ]
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("kind", LARGE)
def test_no_request_keeps_others_waiting(kind: str, slot: Slot, deployed: dict[str, str]) -> None:
    api, body = LARGE[kind]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    _, workers = router_processes(_router())
    with traffic_to(deployed) as victim:
        before = _processor_seconds(workers)
        assert slot.ask(api, raw=raw).status_code in {200, 400, 413}
        spent = _processor_seconds(workers) - before
        served = victim.sent
    # Includes the victim's few requests: about 10 ms each.
    assert spent < MOST_SECONDS + 0.03 * served
    assert victim.failed == [], victim.story()
    assert router_processes(_router())[1] == workers, "a worker died"


@contextmanager
def _dribbling(key: str) -> Iterator[list[socket.socket]]:
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 1000\r\n"
        f"Authorization: Bearer {key}\r\n\r\n{{"
    )
    connections = [socket.create_connection(GATEWAY, TIMEOUT_SECONDS) for _ in range(SLOW_CONNECTIONS)]
    done = threading.Event()

    def dribble() -> None:
        while not done.wait(0.5):
            for connection in connections:
                connection.sendall(b" ")

    thread = threading.Thread(target=dribble)
    try:
        for connection in connections:
            connection.sendall(head.encode())
        thread.start()
        yield connections
    finally:
        done.set()
        thread.join()
        for connection in connections:
            connection.close()


def test_a_body_that_dribbles_takes_no_connection_of_a_router(deployed: dict[str, str]) -> None:
    with _dribbling(deployed["OPENAI_API_KEY"]):
        time.sleep(3)
        taken = [int(row["scur"]) for row in read_servers(haproxy("show stat")).values()]
        frontend = [line for line in haproxy("show stat").splitlines() if line.startswith("clients,FRONTEND")]
        assert int(frontend[0].split(",")[4]) >= SLOW_CONNECTIONS, "they are not held by the gateway"
        assert sum(taken) == 0
        assert chat(deployed, "hi").status_code == 200


@pytest.mark.parametrize("trailer", ["x-litellm-call-id: its-own", "x-vibe-client-models: nothing", "x-session-id: s"])
def test_a_trailer_becomes_no_header(trailer: str, deployed: dict[str, str]) -> None:
    content = json.dumps(_body(CHAT)).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {deployed['OPENAI_API_KEY']}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(GATEWAY, TIMEOUT_SECONDS) as connection:
        connection.sendall(head.encode() + b"%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(content), content, trailer.encode()))
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 200 ")
    assert "x-vibe-pool: pool-chat-mini" in answer
    assert "its-own" not in answer
    if "session" in trailer:
        named = chat(deployed, "hi", session_id="s").headers["x-vibe-conversation"]
        assert f"x-vibe-conversation: {named}" not in answer


@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items"), ("POST", None)]
)
def test_a_stored_response_is_its_owners(method: str, rest: str | None, slot: Slot) -> None:
    made = slot.ask(RESPONSES, _body(RESPONSES), client="victim").json()["id"]

    def asked(client: str, response: str) -> requests.Response:
        if rest is None:
            return slot.ask(RESPONSES, _body(RESPONSES, previous_response_id=response), client=client)
        return slot.ask(f"responses/{response}{rest}", method=method, client=client)

    for response in (made, "resp_of_the_provider"):
        slot.upstream.forget()
        answer = asked("attacker", response)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"].startswith("There is no such response")
        assert slot.upstream.seen() == []
    if rest is None:
        assert asked("victim", made).status_code == 200


def test_what_a_client_sends_writes_no_line_and_no_escape(slot: Slot) -> None:
    forged = "x\n[23:59:51] [VIBE-ROUTER] [INFO] SERVED cost=99999.0 \x1b[2J\u202eabc\r"
    for body in (
        _body(CHAT, model=forged),
        _body(CHAT, messages=[{"role": forged, "content": "[[stub:status=422]]"}]),
        _body(CHAT, metadata={forged: "a"}, user=forged, tags=[forged]),
        {**_body(CHAT), forged: 1},
    ):
        answer = slot.ask(CHAT, body)
        assert all(one.isprintable() for one in answer.text), answer.text
    logged = run("docker", "logs", "--since", "60s", _router())
    lines = (logged.stdout + logged.stderr).split("\n")
    assert [line for line in lines if "99999" in line and line.startswith("[23:59:51]")] == []
    assert all(line.replace("\t", "").isprintable() for line in lines if "99999" in line)


@pytest.mark.parametrize("api", [CHAT, RESPONSES, MESSAGES])
def test_an_error_names_nothing_of_the_inside(api: str, slot: Slot) -> None:
    text = "hi [[stub:status=503]] [[stub:odd=annotation]]"
    said = {"input": text} if api == RESPONSES else {"messages": [{"role": "user", "content": text}]}
    answer = slot.ask(api, _body(api, **said))
    assert answer.status_code >= 500
    assert not re.search(r"vibe-stub-upstream|Traceback|site-packages|\.py\b|SSLContext|pool-codex", answer.text)


# What would get past LiteLLM if the first gate were open.
PAST_THE_FIRST: list[tuple[str, dict[str, Any]]] = [
    (CHAT, {"fallbacks": {"pool-codex-heavy": []}, "messages": [{"role": "user", "content": "[[stub:status=400]]"}]}),
    (MESSAGES, {"headers": {"a": ["b"]}, "passthrough_on_no_deployment": True, "fallbacks": {COUNTERS: []}}),
    (RESPONSES, {"headers": {"a": ["b"]}, "passthrough_on_no_deployment": True, "fallbacks": {COUNTERS: []}}),
    (CHAT, {"headers": {"Authorization": "Bearer EVIL"}}),
    (CHAT, {"api_key": "EVIL"}),
]
# A file, the original code, and the code with the gate open.
FIRST_OPEN = ("vibe/proxy/request_check.py", "    kept = {", "    return dict(body)\n    kept = {")
SECOND_OPEN = ("vibe_launch.py", "    install(gate)\n", "")


@pytest.fixture(scope="module", params=[(FIRST_OPEN,), (FIRST_OPEN, SECOND_OPEN)], ids=["second gate", "third gate"])
def opened(
    request: pytest.FixtureRequest, deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Slot]]:
    """A router with its first gates open, and their number."""
    release = Path("/opt/litellm-vibe-router/router/current").resolve()
    copy = variant.copy_release(release, tmp_path_factory.mktemp("opened"), lambda config: None)
    for name, said, says in request.param:
        text = (copy / name).read_text(encoding="utf-8")
        assert text.count(said) == 1
        (copy / name).write_text(text.replace(said, says), encoding="utf-8")
    with variant.serving(copy) as url:
        variant.wait_until_ready(url)
        yield len(request.param), Slot(url, deployed["OPENAI_API_KEY"])


@pytest.mark.parametrize(("api", "extra"), PAST_THE_FIRST, ids=[" ".join(extra) for _, extra in PAST_THE_FIRST])
def test_what_gets_past_one_gate_is_stopped_by_the_next(
    api: str, extra: dict[str, Any], opened: tuple[int, Slot]
) -> None:
    gates_open, slot = opened
    slot.upstream.forget()
    answer = slot.ask(api, _body(api, **extra))
    asked = slot.upstream.seen()
    stopped = [line for line in run("docker", "logs", variant.NAME).stderr.splitlines() if "ATTACK STOPPED" in line]
    assert "python_info" not in answer.text, "the counters of the slot were read"
    assert "405" not in answer.text, "the counters of the slot answered"
    if gates_open == 1:
        assert {request["model"] for request in asked} <= {"stub-chat-mini", "stub-chat-standard"}
        assert len({request["key"] for request in asked}) <= 1
        assert answer.status_code >= 400, answer.text
        assert any("gate=deployment client=attacker" in line for line in stopped)
    elif api == RESPONSES:
        assert any("gate=egress client=attacker host=127.0.0.1 port=9464" in line for line in stopped)
