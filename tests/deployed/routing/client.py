"""A client of the gateway: where it is, and how a request is sent and its answer read on each API."""

from __future__ import annotations

import json
import os
import re
import shlex
import threading
import time
import unittest
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from report.model import CheckFailedError

from routing.prompts import DEFAULT_POOLS

Json = dict[str, Any]

DEFAULT_TIMEOUT_SECONDS = 60.0
CONNECT_TIMEOUT_SECONDS = 10.0
MAX_ANSWER_TOKENS = 16
LONGEST_QUOTE = 300

CHAT, RESPONSES, MESSAGES = "chat", "responses", "messages"
# Claude Code sends its requests with this query string: a gateway that drops it breaks only that client.
PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages?beta=true"}

# What LiteLLM computes from its price list; a streamed answer has none in its headers.
COST_HEADERS = ("x-litellm-response-cost", "x-litellm-response-cost-original")
STUB_ANSWER = re.compile(r"stub answer from model (\S+)")

HINT_UNREACHABLE = "is the gateway up, and is this its address? python3 tests/verify.py on the host says what runs"
HINT_ADDRESS = 'eval "$(./deploy.sh env)", or --url with --env-file or --key, or VIBE_ENV_FILE=FILE'


@dataclass(frozen=True)
class Target:
    """The gateway under test and how to speak to it. `repr` leaves the key out: pytest prints it on a failure."""

    url: str
    key: str = field(repr=False)
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    ca_file: str | None = None
    pools: Mapping[str, tuple[str, str]] = field(default_factory=lambda: DEFAULT_POOLS)
    direct_models: bool = True


def read_env_file(path: str) -> dict[str, str]:
    """Read `export NAME='value'` lines; the rest of the file is neither run nor read."""
    values = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["export"]:
            words = words[1:]
        for word in words:
            name, equals, value = word.partition("=")
            if equals:
                values[name] = value
    return values


def read_pools(source: str) -> dict[str, tuple[str, str]]:
    """Read `{"virtual model": ["pool of simple requests", "pool of complex ones"]}`."""
    pools = json.loads(source if source.lstrip().startswith("{") else Path(source).read_text(encoding="utf-8"))
    return {str(name): (str(cheap), str(strong)) for name, (cheap, strong) in pools.items()}


def find_target(environment: Mapping[str, str], url: str | None = None, key: str | None = None) -> Target:
    """Put the target together from options, the variables and the file that VIBE_ENV_FILE names, in this order."""
    known = dict(environment)
    if environment.get("VIBE_ENV_FILE"):
        known.update(read_env_file(environment["VIBE_ENV_FILE"]))
    url = url or known.get("OPENAI_BASE_URL") or known.get("ANTHROPIC_BASE_URL")
    key = key or known.get("OPENAI_API_KEY") or known.get("ANTHROPIC_AUTH_TOKEN")
    if not url or not key:
        raise unittest.SkipTest(f"no gateway address or no key: {HINT_ADDRESS}")
    root = re.sub(r"/v1/?$", "", url.strip()).rstrip("/")
    pools_file = known.get("VIBE_POOLS_FILE")
    return Target(
        url=root,
        key=key,
        timeout=float(known.get("VIBE_TIMEOUT") or DEFAULT_TIMEOUT_SECONDS),
        ca_file=known.get("VIBE_CA_FILE") or None,
        pools=read_pools(pools_file) if pools_file else DEFAULT_POOLS,
        direct_models=known.get("VIBE_DIRECT_MODELS", "on") != "off",
    )


def target() -> Target:
    """Return the gateway that the environment names; a script's options are put into the environment first."""
    return find_target(os.environ)


@dataclass
class Exchange:
    """One request and its answer; `end` is the API's own word for how the answer ended, empty if it did not."""

    status: int
    headers: Mapping[str, str]
    text: str
    milliseconds: int
    end: str = ""
    problem: str = ""

    @property
    def stub_model(self) -> str | None:
        """The model that the built-in upstream was asked for; None with another upstream."""
        match = STUB_ANSWER.search(self.text)
        return match[1] if match else None


class Ledger:
    """The number of requests with the key, up to a limit, and their cost by LiteLLM's prices in dollars."""

    def __init__(self) -> None:
        self.requests, self.priced, self.dollars = 0, 0, 0.0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Count a request; raise SkipTest after VIBE_MOST_REQUESTS."""
        most = int(os.environ.get("VIBE_MOST_REQUESTS") or 0)
        with self._lock:
            if most and self.requests >= most:
                raise unittest.SkipTest(f"{most} requests were sent, as many as verification_most_requests allows")
            self.requests += 1

    def end(self, headers: Mapping[str, str]) -> None:
        """Add the cost in an answer's headers."""
        cost = next((headers[name] for name in COST_HEADERS if name in headers), None)
        if cost is not None:
            with self._lock:
                self.priced += 1
                self.dollars += float(cost)

    def __str__(self) -> str:
        """Return the sum as text."""
        told = f"{self.requests} requests to models"
        return f"{told}; {self.priced} of them report a cost, ${self.dollars:.4f} in all" if self.priced else told


LEDGER = Ledger()


def call(method: str, path: str, body: Json | None = None, key: str | None = None, **options: Any) -> Any:
    """Send one HTTP request; `key=""` sends none. No answer at all is a failed check."""
    gateway = target()
    key = gateway.key if key is None else key
    headers = {"anthropic-version": "2023-06-01"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    try:
        return requests.request(
            method,
            gateway.url + path,
            json=body,
            headers=headers,
            timeout=(CONNECT_TIMEOUT_SECONDS, gateway.timeout),
            verify=gateway.ca_file or True,
            allow_redirects=False,
            **options,
        )
    except requests.RequestException as error:
        raise CheckFailedError(f"an answer from {gateway.url}{path}", shorten(repr(error)), HINT_UNREACHABLE) from error


def send(api: str, model: str, prompt: str, stream: bool = False, **more: Any) -> Exchange:
    """Send one prompt on one API and read the answer to its end."""
    body: Json = {"model": model, "stream": stream}
    body["max_output_tokens" if api == RESPONSES else "max_tokens"] = MAX_ANSWER_TOKENS
    if api == RESPONSES:
        body["input"] = prompt
    else:
        body["messages"] = [{"role": "user", "content": prompt}]
    LEDGER.begin()
    start = time.monotonic()
    response = call("POST", PATHS[api], {**body, **more}, stream=True)
    LEDGER.end(response.headers)
    exchange = Exchange(response.status_code, response.headers, "", 0)
    try:
        if stream and response.status_code == 200:
            _read_stream(api, response, exchange)
        else:
            exchange.text = response.text
            if response.status_code == 200:
                exchange.end = _end_of_body(api, json.loads(exchange.text))
    except (requests.RequestException, ValueError) as error:
        exchange.problem = shorten(repr(error))
    exchange.milliseconds = round((time.monotonic() - start) * 1000)
    return exchange


def _read_stream(api: str, response: Any, exchange: Exchange) -> None:
    """Read server-sent events. A broken Responses stream ends with [DONE] too, so each API's own last event counts."""
    for line in response.iter_lines():
        if not line.startswith(b"data:"):
            continue
        data = line[5:].decode("utf-8", "replace").strip()
        if data == "[DONE]":
            exchange.end = exchange.end or ("done" if api == CHAT else "")
            continue
        event = json.loads(data)
        kind = str(event.get("type", ""))
        if event.get("error") or kind in ("error", "response.failed"):
            exchange.problem = shorten(data)
        exchange.text += _piece(api, event)
        if kind in ("response.completed", "response.incomplete", "message_stop"):
            exchange.end = kind


def _piece(api: str, event: Json) -> str:
    if api == CHAT:
        return "".join((choice.get("delta") or {}).get("content") or "" for choice in event.get("choices") or [])
    delta = event.get("delta")
    if isinstance(delta, dict):
        return str(delta.get("text") or "")
    return delta if isinstance(delta, str) and event.get("type") == "response.output_text.delta" else ""


def _end_of_body(api: str, body: Json) -> str:
    if api == CHAT:
        return str((body.get("choices") or [{}])[0].get("finish_reason") or "")
    if api == MESSAGES:
        return str(body.get("stop_reason") or "")
    # "incomplete": 16 tokens are not enough.
    return str(body["status"]) if body.get("status") in ("completed", "incomplete") else ""


def shorten(text: str) -> str:
    """Return *text* on one line, cut after LONGEST_QUOTE characters."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
