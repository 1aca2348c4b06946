"""Sends every name that LiteLLM knows, in every shape, and checks that nothing changes that is not the client's own.

That is: which pool answers, and the model, host, path, key, headers and number of requests that reach the upstream.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from e2e.machine import run
from vibe.proxy.failure_text import RESPONSE_NOT_FOUND

TIMEOUT_SECONDS = 60
AT_A_TIME = 8
# The stub remembers its last 2,000 requests.
BATCH = 400
# In each prompt, so that a log that contains prompts is found.
MARK = "quixotic"
PROMPT = f"hi {MARK}"
OWN_POOLS = frozenset({"pool-chat-mini", "pool-chat-standard"})
OWN_MODELS = frozenset({"stub-chat-mini", "stub-chat-standard"})
OTHER = "codex-auto"
HOSTILE: dict[str, Any] = {
    "model": OTHER,
    OTHER: [],
    "fallbacks": {OTHER: []},
    "api_base": "http://127.0.0.1:9464",
    "headers": {"Authorization": "Bearer EVIL", "Host": "evil.example"},
    "num_retries": 5,
    "mock_response": "free of charge",
    "callbacks": ["otel"],
}
SHAPES = (OTHER, [OTHER], HOSTILE)
APIS = ("chat/completions", "responses", "messages", "completions", "embeddings")
_READ = """
from urllib.request import Request, urlopen
print(urlopen(Request("http://127.0.0.1:8080/requests", method="{}")).read().decode())
"""


@dataclass
class Probe:
    """One request to an *api*, with fields besides the required ones."""

    api: str
    extra: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """The request's body."""
        return {**bodies()[self.api], **self.extra}


def bodies() -> dict[str, dict[str, Any]]:
    """Return a request that each API answers."""
    messages = [{"role": "user", "content": PROMPT}]
    return {
        "chat/completions": {"model": "chat-auto", "messages": messages},
        "responses": {"model": "chat-auto", "input": PROMPT},
        "messages": {"model": "chat-auto", "max_tokens": 16, "messages": messages},
        "completions": {"model": "chat-auto", "prompt": PROMPT},
        "embeddings": {"model": "chat-auto", "input": PROMPT},
    }


def probes(names: list[str], shapes: tuple[Any, ...] = SHAPES, in_metadata: tuple[str, ...] = APIS) -> Iterator[Probe]:
    """Yield a probe for each API, name and shape, and for each name *in_metadata* of those APIs."""
    for api, own in bodies().items():
        for name in names:
            if name not in own:
                yield from (Probe(api, {name: value}) for value in shapes)
            if api in in_metadata:
                yield Probe(api, {"metadata": {name: OTHER}})


@dataclass
class Outcome:
    """The results of some probes."""

    faults: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


@dataclass
class Matrix:
    """The probes of one client against the router at *url*; its *headers* have the key and the client's name."""

    url: str
    headers: dict[str, str]
    upstream: str = "vibe-stub-upstream"

    def run(self, probes: list[Probe]) -> Outcome:
        """Send all *probes* and return the faults."""
        outcome = Outcome()
        expected = self._expected()
        for start in range(0, len(probes), BATCH):
            asyncio.run(self._batch(probes[start : start + BATCH], expected, outcome))
        return outcome

    def _expected(self) -> dict[str, frozenset[str]]:
        """Return the headers, hosts and keys of ordinary requests at the upstream."""
        self.forget()
        asyncio.run(self._batch([Probe(api, {}) for api in APIS], None, Outcome()))
        honest = self.seen()
        assert len(honest) >= len(APIS) - 1, honest
        return {
            "headers": frozenset(name for request in honest for name in request["headers"]),
            "host": frozenset(request["host"] for request in honest),
            "key": frozenset(request["key"] for request in honest),
            "path": frozenset(request["path"] for request in honest),
        }

    async def _batch(self, probes: list[Probe], expected: dict[str, frozenset[str]] | None, outcome: Outcome) -> None:
        self.forget()
        gate = asyncio.Semaphore(AT_A_TIME)
        limits = httpx.Limits(max_connections=AT_A_TIME)
        async with httpx.AsyncClient(limits=limits, timeout=TIMEOUT_SECONDS) as client:

            async def send(probe: Probe) -> httpx.Response:
                async with gate:
                    return await client.post(
                        f"{self.url}/v1/{probe.api}",
                        headers=self.headers,
                        json=probe.body,
                    )

            answers = await asyncio.gather(*map(send, probes))
        for probe, answer in zip(probes, answers, strict=True):
            outcome.statuses[answer.status_code] = outcome.statuses.get(answer.status_code, 0) + 1
            fault = _answer_fault(answer)
            if fault and expected is not None:
                outcome.faults.append(f"{probe.api} {json.dumps(probe.extra)[:120]}: {fault}")
        if expected is not None:
            outcome.faults += _upstream_faults(self.seen(), answers, expected, probes)

    def seen(self) -> list[dict[str, Any]]:
        """Return the requests that the upstream received."""
        return list(json.loads(self._ask("GET"))["requests"])

    def forget(self) -> None:
        """Clear the upstream's list of requests."""
        self._ask("DELETE")

    def _ask(self, method: str) -> str:
        return run("docker", "exec", self.upstream, "python3", "-c", _READ.format(method)).stdout


def _answer_fault(answer: httpx.Response) -> str | None:
    # An identifier of a stored response that this client was not given.
    if answer.status_code == 404 and RESPONSE_NOT_FOUND in answer.text:
        return None
    if answer.status_code not in {200, 400}:
        return f"{answer.status_code} {answer.text[:200]}"
    decided, served = (answer.headers.get(f"x-vibe-{name}") for name in ("pool", "served-pool"))
    if answer.status_code == 200 and not {decided, served} - {None} <= OWN_POOLS:
        return f"decided {decided}, served by {served}"
    return None


def _upstream_faults(
    seen: list[dict[str, Any]],
    answers: list[httpx.Response],
    expected: dict[str, frozenset[str]],
    probes: list[Probe],
) -> Iterator[str]:
    span = f"{json.dumps(probes[0].extra)[:60]} to {json.dumps(probes[-1].extra)[:60]}"
    for request in seen:
        if request.get("model") not in OWN_MODELS:
            yield f"the upstream was asked for {request.get('model')}: {span}"
        more = set(request["headers"]) - expected["headers"]
        if more:
            yield f"the upstream got the headers {more}: {span}"
        wrong = [name for name in ("host", "key", "path") if request[name] not in expected[name]]
        if wrong:
            yield f"the upstream got another {wrong}: {span}"
    answered = sum(answer.status_code == 200 for answer in answers)
    if len(seen) != answered:
        yield f"the upstream was asked {len(seen)} times for {answered} answers: {span}"
