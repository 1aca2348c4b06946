"""Checks of a deployed gateway: every virtual model, on every API, streamed and not, reaches its pool.

tests/test_route.py runs them, as a script and under pytest. They read OPENAI_BASE_URL (or ANTHROPIC_BASE_URL) and
OPENAI_API_KEY (or ANTHROPIC_AUTH_TOKEN), or VIBE_ENV_FILE, a file of `export NAME='value'` lines, as ./deploy.sh env
prints them. They send about sixty requests of at most 16 output tokens; --most-requests limits them. Needs Python 3.9
and `requests`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shlex
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import requests
from report.model import FAILED, OK, SKIPPED, CheckFailedError, Result, require

Json = dict[str, Any]

DEFAULT_TIMEOUT_SECONDS = 60.0
CONNECT_TIMEOUT_SECONDS = 10.0
MAX_ANSWER_TOKENS = 16
CONCURRENT_REQUESTS = 4
LONGEST_QUOTE = 300

CHAT, RESPONSES, MESSAGES = "chat", "responses", "messages"
# Claude Code sends its requests with this query string: a gateway that drops it breaks only that client.
PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages?beta=true"}

# virtual model -> (pool of simple requests, pool of complex ones); --pools FILE replaces it
DEFAULT_POOLS = {
    "chat-auto": ("pool-chat-mini", "pool-chat-standard"),
    "codex-auto": ("pool-codex-mini", "pool-codex-heavy"),
    "claude-auto": ("pool-claude-haiku", "pool-claude-sonnet"),
}
SIMPLE, COMPLEX = "simple", "complex"
PROMPTS = {
    SIMPLE: "hi",
    COMPLEX: (
        "Design a distributed rate limiter for 200 services in 3 regions. It must never admit more than 1.5 times the "
        "configured limit, must keep working when one region is cut off for up to 10 minutes, and must add less than "
        "2 ms at the 99th percentile. Compare a token bucket with a sliding window under clock skew of 500 ms, prove "
        "the upper bound on what is admitted during a partition, derive the memory needed for 10 million keys, then "
        "implement the merge step after the partition heals so that it is idempotent, commutative and linearizable per "
        "key. Explain step by step why each alternative that you reject fails, including the failure modes of Redis "
        "replication, and analyse the worst-case complexity of every operation."
    ),
}

# Our own prompts by language: small talk, and a task that deserves the strong pool.
LANGUAGES = {
    "German": (
        "hallo",
        "Entwirf einen verteilten Ratenbegrenzer für 200 Dienste in 3 Regionen, beweise die obere Schranke während "
        "einer Partition und vergleiche zwei Verfahren; begründe jede Abwägung Schritt für Schritt.",
    ),
    "French": (
        "bonjour",
        "Conçois un limiteur de débit distribué pour 200 services dans 3 régions, démontre la borne supérieure pendant "
        "une partition et compare deux algorithmes ; justifie chaque compromis étape par étape.",
    ),
    "Spanish": (
        "¡hola!",
        "Diseña un limitador de tasa distribuido para 200 servicios en 3 regiones, demuestra la cota superior durante "
        "una partición y compara dos algoritmos; justifica cada decisión paso a paso.",
    ),
    "Russian": (
        "привет",
        "Спроектируй распределённый ограничитель запросов для 200 сервисов в 3 регионах, докажи верхнюю границу при "
        "разделении сети и сравни два алгоритма; обоснуй каждый компромисс по шагам.",
    ),
    "Chinese": (
        "你好",
        "为3个地区的200个服务设计一个分布式限流器，证明网络分区期间的上界，并比较两种算法，逐步论证每个取舍。",
    ),
    "Japanese": (
        "ありがとう",
        "3つのリージョンにある200のサービスのための分散レートリミッターを設計し、ネットワーク分断時の上限を証明し、"
        "二つのアルゴリズムを比較して、各トレードオフを段階的に説明してください。",
    ),
}
# A picture of one red point, PNG.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
LONG_CONVERSATION_TURNS = 60
# Requests beside the matrix, with an upstream that costs money.
OTHER_REQUESTS = 25
CHARACTERS_PER_TOKEN = 4

POOL_HEADER, SCORE_HEADER, SERVED_HEADER = "x-vibe-pool", "x-vibe-score", "x-litellm-model-group"
REASON_HEADER, RULE_HEADER, ADAPTER_HEADER = "x-vibe-reason", "x-vibe-rule", "x-vibe-adapter"
# What LiteLLM computes from its price list; a streamed answer has none in its headers.
COST_HEADERS = ("x-litellm-response-cost", "x-litellm-response-cost-original")
REVEALING_HEADERS = re.compile(r"x-litellm-model-api-base|x-vibe-worker|llm_provider-.*", re.IGNORECASE)
CLOSED_PATHS = ("/ui/", "/openapi.json", "/config/yaml", "/routes", "/fallback/login", "/sso/key/generate", "/test")
STUB_ANSWER = re.compile(r"stub answer from model (\S+)")

HINT_UNREACHABLE = "is the gateway up, and is this its address? python3 tests/verify.py on the host says what runs"
HINT_LOG = "on the router host: docker logs litellm-vibe-router-<blue|green> 2>&1 | tail -50"
HINT_DECISION = "docker logs litellm-vibe-router-<blue|green> 2>&1 | grep 'ROUTING DECISION' says why"
HINT_PLUGIN = "the plug-in did not run: litellm_settings.callbacks must name vibe_router.router_instance"
HINT_GATEWAY = (
    "the request must go through the gateway (HAProxy), not to a router slot; see the gateway role's allow-list"
)
HINT_KEYS = (
    "the gateway judges keys (gateway_clients), in the words of the API; a router slot asked directly has its own"
)
HINT_DROP_PARAMS = "litellm_settings.drop_params must be true: clients send parameters that not every model takes"
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
        return f"{told}; {self.priced} of them tell a cost, ${self.dollars:.4f} in all" if self.priced else told


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
        raise CheckFailedError(f"an answer from {gateway.url}{path}", _short(repr(error)), HINT_UNREACHABLE) from error


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
        exchange.problem = _short(repr(error))
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
            exchange.problem = _short(data)
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


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def require_whole(exchange: Exchange, hint: str = HINT_LOG) -> None:
    """Require HTTP 200 and an answer that came to its end without an error on the way."""
    require(exchange.status == 200, "HTTP 200", f"HTTP {exchange.status}: {_short(exchange.text)}", hint)
    require(not exchange.problem, "an answer without an error in it", exchange.problem, hint)
    require(bool(exchange.end), "a complete answer", f"one without its end: {_short(exchange.text)!r}", hint)


@dataclass(frozen=True)
class Case:
    """One line of the routing matrix."""

    virtual_model: str
    prompt: str
    api: str
    stream: bool

    def __str__(self) -> str:
        """Name the line, for pytest and for the progress lines."""
        return f"{self.virtual_model}-{self.prompt}-{self.api}-{'stream' if self.stream else 'whole'}"


def cases(pools: Mapping[str, tuple[str, str]]) -> list[Case]:
    """Return every virtual model x simple and complex x every API x whole and streamed; the most telling ones first."""
    lines = itertools.product(PATHS, (False, True), pools, PROMPTS)
    return [Case(model, prompt, api, stream) for api, stream, model, prompt in lines]


def pytest_generate_tests(metafunc: Any) -> None:
    """Give each case of the matrix a test of its own (a hook of pytest, so that pytest need not be imported here)."""
    if "case" in metafunc.fixturenames:
        pools_file = os.environ.get("VIBE_POOLS_FILE")
        metafunc.parametrize("case", cases(read_pools(pools_file) if pools_file else DEFAULT_POOLS), ids=str)


def test_routed(case: Case) -> None:
    """The request is decided for, and served by, the pool that its prompt deserves."""
    check_route(case, send(case.api, case.virtual_model, PROMPTS[case.prompt], case.stream))


def check_route(case: Case, exchange: Exchange) -> None:
    """Require a whole answer, the right pool decided, a score, and that very pool as the one that served."""
    require_whole(exchange)
    cheap, strong = target().pools[case.virtual_model]
    pool = deserved(strong if case.prompt == COMPLEX else cheap, (cheap, strong), exchange)
    decided, served = exchange.headers.get(POOL_HEADER), exchange.headers.get(SERVED_HEADER)
    score = exchange.headers.get(SCORE_HEADER, "")
    require(decided is not None, f"{POOL_HEADER}: {pool}", f"no such header (served by {served})", HINT_PLUGIN)
    require(decided == pool, f"{POOL_HEADER}: {pool}", f"{decided} with score {score}", HINT_DECISION)
    # With routing off, one pool serves both and nothing is scored.
    scored = _is_score(score) or (cheap == strong and not score)
    require(scored, f"{SCORE_HEADER} from 0 to 100", repr(score), HINT_PLUGIN)
    fallbacks = exchange.headers.get("x-litellm-attempted-fallbacks", "0")
    hint = f"{fallbacks} fallback(s) were tried: is the upstream of {pool} well? {HINT_LOG}"
    require(served == pool, f"{SERVED_HEADER}: {pool}", str(served), hint)


def deserved(pool: str, pools: tuple[str, str], exchange: Exchange) -> str:
    """Return the pool that a prompt deserves: *pool*, or the one of the operator's own labels where they judge."""
    decided = exchange.headers.get(POOL_HEADER)
    return decided if ADAPTER_HEADER in exchange.headers and decided in pools else pool


def _is_score(text: str) -> bool:
    try:
        return 0 <= float(text) <= 100
    except ValueError:
        return False


def test_health() -> None:
    """The gateway has a router that is ready."""
    response = call("GET", "/health/readiness", key="")
    found = f"HTTP {response.status_code}: {_short(response.text)}"
    require(response.status_code == 200, "HTTP 200 on /health/readiness", found, HINT_UNREACHABLE)


def test_virtual_models_are_listed() -> None:
    """Clients that list models find the virtual ones."""
    response = call("GET", "/v1/models")
    require(response.status_code == 200, "HTTP 200 on /v1/models", f"HTTP {response.status_code}", HINT_LOG)
    listed = {row.get("id") for row in response.json()["data"]}
    missing = sorted(set(target().pools) - listed)
    hint = "router_settings.model_group_alias of the release's config.yaml must name each virtual model"
    require(not missing, "every virtual model in /v1/models", f"{', '.join(missing)} missing", hint)


def test_unknown_model_is_refused() -> None:
    """A model that does not exist is a 404 in the form of the called API."""
    for api in PATHS:
        exchange = send(api, "no-such-model", "hi")
        found = f"HTTP {exchange.status}: {_short(exchange.text)}"
        require(exchange.status == 404, f"HTTP 404 for an unknown model ({api})", found, HINT_PLUGIN)
        kind = "not_found_error" if api == MESSAGES else "model_not_found"
        require(f'"{kind}"' in exchange.text, f"{kind} ({api})", found, HINT_GATEWAY)


def test_missing_key_is_refused() -> None:
    """A request without a key is refused with a 401."""
    _require_refusals("")


def test_wrong_key_is_refused() -> None:
    """A wrong key is refused with a 401 in the form of the called API, so that its SDK understands it."""
    _require_refusals("sk-not-the-key-of-this-gateway")


def _require_refusals(key: str) -> None:
    for api, path in PATHS.items():
        body = {"model": "chat-auto", "messages": [{"role": "user", "content": "hi"}], "input": "hi", "max_tokens": 16}
        response = call("POST", path, body, key=key)
        what = f"HTTP 401 {'with a wrong key' if key else 'without a key'} ({api})"
        require(response.status_code == 401, what, f"HTTP {response.status_code}", HINT_KEYS)
        error = response.json().get("error") or {}
        kind = "authentication_error" if api == MESSAGES else "invalid_api_key"
        require(kind in (error.get("type"), error.get("code")), kind, _short(response.text), HINT_KEYS)


def test_directly_named_pool_is_left_alone() -> None:
    """A pool named by the client serves the request whatever its prompt; if that is switched off, it is refused."""
    _, strong = next(iter(target().pools.values()))
    exchange = send(CHAT, strong, PROMPTS[SIMPLE])
    if not target().direct_models:
        refused = 400 <= exchange.status < 500
        require(refused, f"HTTP 4xx for {strong}", f"HTTP {exchange.status}", "direct models should be switched off")
        return
    require_whole(exchange, f"if direct models are switched off here: VIBE_DIRECT_MODELS=off. {HINT_LOG}")
    served = exchange.headers.get(SERVED_HEADER)
    require(served == strong, f"{SERVED_HEADER}: {strong}", str(served), HINT_DECISION)


def test_upstream_is_not_revealed() -> None:
    """Neither the upstream's address nor its own headers reach a client."""
    for api in PATHS:
        exchange = send(api, next(iter(target().pools)), PROMPTS[SIMPLE], stream=api == MESSAGES)
        revealing = sorted(name for name in exchange.headers if REVEALING_HEADERS.fullmatch(name))
        require(
            not revealing, f"no headers that are between gateway and router ({api})", ", ".join(revealing), HINT_GATEWAY
        )


def test_paths_outside_the_allow_list_are_closed() -> None:
    """The router's administration pages cannot be reached through the gateway."""
    answers = {path: call("GET", path, key="").status_code for path in CLOSED_PATHS}
    found = ", ".join(f"{path} {status}" for path, status in answers.items() if status not in (403, 404))
    require(not found, "HTTP 403 or 404 on the router's own pages", found, HINT_GATEWAY)


def _stub_model(prompt: str) -> str:
    """Return the model that the stub is asked for when the first virtual model gets this prompt."""
    exchange = send(CHAT, next(iter(target().pools)), prompt)
    require_whole(exchange)
    if exchange.stub_model is None:
        raise unittest.SkipTest("the upstream is not the built-in one, which alone can be made to misbehave")
    decided, served = exchange.headers.get(POOL_HEADER), exchange.headers.get(SERVED_HEADER)
    # Otherwise it is another pool's model, and making that one fail proves nothing.
    require(served == decided, f"{SERVED_HEADER}: {decided}, before anything was made to fail", str(served), HINT_LOG)
    return exchange.stub_model


def test_odd_upstream_fields_are_tolerated() -> None:
    """Unknown keys, output items and stream events of an upstream do not turn its answer into an error."""
    _stub_model(PROMPTS[SIMPLE])
    for virtual_model, api, stream in itertools.product(target().pools, PATHS, (False, True)):
        exchange = send(api, virtual_model, "hi [[stub:odd]]", stream)
        hint = f"{virtual_model}, {api}, {'streamed' if stream else 'whole'}; {HINT_LOG}"
        require_whole(exchange, hint)
        require(exchange.stub_model is not None, "the answer's text", _short(exchange.text), hint)


def test_parameters_that_a_model_does_not_take_are_dropped() -> None:
    """Fields that coding agents always send (thinking, reasoning effort) do not fail on a plain model."""
    _stub_model(PROMPTS[SIMPLE])
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    extra: dict[str, Json] = {CHAT: thinking, RESPONSES: {"reasoning": {"effort": "high"}}, MESSAGES: thinking}
    for virtual_model, api in itertools.product(target().pools, PATHS):
        require_whole(send(api, virtual_model, PROMPTS[SIMPLE], **extra[api]), f"{HINT_DROP_PARAMS} ({virtual_model})")


def _judged_model() -> tuple[str, tuple[str, str]]:
    """Return a virtual model whose requests go to different pools, and its pools."""
    for model, (cheap, strong) in target().pools.items():
        if cheap != strong:
            return model, (cheap, strong)
    raise unittest.SkipTest("no virtual model is routed actively")


def test_other_languages_are_judged_too() -> None:
    """Small talk goes cheap and a hard task strong in other languages than English."""
    model, pools = _judged_model()
    for prompts in LANGUAGES.values():
        for pool, prompt in ((pools[0], prompts[0]), (pools[1], prompts[1])):
            exchange = send(CHAT, model, prompt)
            require_whole(exchange)
            decided, score = exchange.headers.get(POOL_HEADER), exchange.headers.get(SCORE_HEADER)
            pool = deserved(pool, pools, exchange)
            require(decided == pool, f"{pool} for {prompt[:20]!r}", f"{decided} with score {score}", HINT_DECISION)


def test_tool_loop_stays_in_its_pool() -> None:
    """Three turns of a tool loop are served by the pool of their prompt, whatever the tools return."""
    model, pools = _judged_model()
    pool = pools[0]
    tool = {"name": "look", "description": "Look at a file.", "parameters": {"type": "object", "properties": {}}}
    turns: list[Json] = [{"role": "user", "content": PROMPTS[SIMPLE]}]
    for number in range(3):
        exchange = send(CHAT, model, "", messages=turns, tools=[{"type": "function", "function": tool}])
        require_whole(exchange)
        decided, rule = exchange.headers.get(POOL_HEADER), exchange.headers.get(RULE_HEADER)
        if number == 0:
            pool = deserved(pool, pools, exchange)
        require(decided == pool, f"{pool} in turn {number + 1}", f"{decided} by rule {rule}", HINT_DECISION)
        call_id = f"call_{number}"
        made = {"id": call_id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        turns.append({"role": "assistant", "content": None, "tool_calls": [made]})
        turns.append({"role": "tool", "tool_call_id": call_id, "content": PROMPTS[COMPLEX]})


def test_long_conversation_is_served() -> None:
    """A conversation of many turns is decided and answered."""
    model = next(iter(target().pools))
    turns: list[Json] = []
    for number in range(LONG_CONVERSATION_TURNS // 2):
        turns.append({"role": "user", "content": "And then?"})
        turns.append({"role": "assistant", "content": f"Then comes step {number}."})
    exchange = send(CHAT, model, "", messages=[*turns, {"role": "user", "content": "thanks"}])
    require_whole(exchange)
    require(POOL_HEADER in exchange.headers, f"{POOL_HEADER} of {LONG_CONVERSATION_TURNS} turns", "none", HINT_PLUGIN)


def test_picture_goes_where_it_can_be_seen() -> None:
    """A picture is answered by the pool that was decided for it."""
    model = next(iter(target().pools))
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    exchange = send(CHAT, model, "", messages=[{"role": "user", "content": content}])
    if exchange.status == 400:
        raise unittest.SkipTest(f"no pool of {model} takes pictures: {_short(exchange.text)}")
    require_whole(exchange)
    decided, served = exchange.headers.get(POOL_HEADER), exchange.headers.get(SERVED_HEADER)
    found = f"decided {decided}, served {served}"
    require(decided is not None and decided == served, "one pool, decided and served", found, HINT_LOG)


def test_failing_pool_is_stood_in_for() -> None:
    """When the decided pool's upstream fails, another pool serves, and the headers say both.

    Must be the last test: its failures count towards the pool's cooldown.
    """
    virtual_model, pools = next(iter(target().pools.items()))
    for index, prompt in enumerate((PROMPTS[SIMPLE], PROMPTS[COMPLEX])):
        model = _stub_model(prompt)
        exchange = send(CHAT, virtual_model, f"{prompt} [[stub:model={model},status=503]]")
        pool = deserved(pools[index], pools, exchange)
        hint = f"router_settings.fallbacks must have an entry for {pool}"
        require_whole(exchange, hint)
        served, decided = exchange.headers.get(SERVED_HEADER), exchange.headers.get(POOL_HEADER)
        require(served not in (None, pool), f"a pool other than {pool}", str(served), hint)
        require(exchange.stub_model != model, f"an upstream model other than {model}", str(exchange.stub_model), hint)
        require(decided == pool, f"{POOL_HEADER}: {pool}, as it was decided", str(decided), HINT_PLUGIN)


CHECKS: tuple[Callable[[], None], ...] = (
    test_health,
    test_virtual_models_are_listed,
    test_unknown_model_is_refused,
    test_missing_key_is_refused,
    test_wrong_key_is_refused,
    test_directly_named_pool_is_left_alone,
    test_upstream_is_not_revealed,
    test_paths_outside_the_allow_list_are_closed,
    test_odd_upstream_fields_are_tolerated,
    test_parameters_that_a_model_does_not_take_are_dropped,
    test_other_languages_are_judged_too,
    test_tool_loop_stays_in_its_pool,
    test_long_conversation_is_served,
    test_picture_goes_where_it_can_be_seen,
    test_failing_pool_is_stood_in_for,
)


# --- the script -----------------------------------------------------------------------------------------------------


def say(level: str, message: str) -> None:
    """Write one progress line; it may contain text from upstreams and hosts, which must not act on the terminal."""
    shown = "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in message)
    print(f"[{time.strftime('%H:%M:%S')}] [TEST] [{level}] {shown}", file=sys.stderr, flush=True)


def run_case(case: Case) -> Result:
    """Run one line of the routing matrix."""
    kind = "cheap" if case.prompt == SIMPLE else "strong"
    how = "streamed" if case.stream else "whole"
    sentence = f"A {case.prompt} request for {case.virtual_model} is served by its {kind} pool ({case.api}, {how})"
    result = Result(host_name(), "routing", sentence, **asdict(case))

    def check() -> None:
        exchange = send(case.api, case.virtual_model, PROMPTS[case.prompt], case.stream)
        result.pool = exchange.headers.get(SERVED_HEADER, "")
        result.score = exchange.headers.get(SCORE_HEADER, "")
        result.reason = exchange.headers.get(REASON_HEADER, "")
        check_route(case, exchange)

    return _run(result, check)


def host_name() -> str:
    """Return the gateway's name in the results: VIBE_HOST_NAME, else its address."""
    return os.environ.get("VIBE_HOST_NAME") or target().url.partition("://")[2]


def run_check(check: Callable[[], None]) -> Result:
    """Run one check of the gateway; the first line of its docstring is the sentence."""
    return _run(Result(host_name(), "requests", (check.__doc__ or "").partition("\n")[0].rstrip(".")), check)


def _run(result: Result, check: Callable[[], None]) -> Result:
    start = time.monotonic()
    try:
        check()
    except unittest.SkipTest as reason:
        result.verdict, result.found = SKIPPED, str(reason)
    except CheckFailedError as failure:
        result.verdict = FAILED
        result.expected, result.found, result.hint = failure.expected, failure.found, failure.hint
    except (ValueError, KeyError, TypeError) as error:  # a body of another shape than the API's
        result.verdict, result.expected, result.found = FAILED, "an answer of the API's shape", _short(repr(error))
        result.hint = HINT_LOG
    result.milliseconds = round((time.monotonic() - start) * 1000)
    return result


def run() -> Iterator[Result]:
    """Run all checks: health first, a few requests at a time; the check that makes a pool fail comes last, alone."""
    yield run_check(CHECKS[0])
    with ThreadPoolExecutor(max_workers=CONCURRENT_REQUESTS) as threads:
        yield from threads.map(run_case, cases(target().pools))
        yield from threads.map(run_check, CHECKS[1:-1])
    yield run_check(CHECKS[-1])


def table(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Return the heading and the rows of the result table."""
    heading = ["virtual model", "prompt", "API", "stream", "pool", "score", "ms", "verdict"]
    rows = []
    for result in results:
        if result.virtual_model:
            stream = "yes" if result.stream else "no"
            row = [result.virtual_model, result.prompt, result.api, stream, result.pool or "-", result.score or "-"]
        else:
            row = [result.check, "", "", "", "", ""]
        rows.append([*row, str(result.milliseconds), result.verdict])
    return heading, rows


def print_table(results: Sequence[Result]) -> None:
    """Print the result table, with rich on a terminal that has it, else as plain columns."""
    heading, rows = table(results)
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass  # rich is optional; the plain columns have the same content
        else:
            shown = Table(*heading)
            for row in rows:
                shown.add_row(*row, style={FAILED: "red", SKIPPED: "dim"}.get(row[-1]))
            Console().print(shown)
            return
    # A check's name spans the columns that only the routing matrix fills.
    matrix = [row for row in rows if row[1]] or [heading]
    widths = [max(len(line[column]) for line in [heading, *matrix]) for column in range(len(heading))]
    span = max([sum(widths[:6]) + 10, *(len(row[0]) for row in rows)])
    widths[5] += span - sum(widths[:6]) - 10
    for row in [heading, *rows]:
        cells = [row[column].ljust(widths[column]) for column in range(6)]
        first = "  ".join(cells) if row[1] else row[0].ljust(span)
        print(f"{first}  {row[6].rjust(widths[6])}  {row[7]}")


def report(results: Sequence[Result]) -> Json:
    """Return the report for machines. It names the gateway and no key."""
    count = {verdict: sum(result.verdict == verdict for result in results) for verdict in (OK, FAILED, SKIPPED)}
    return {
        "suite": "routing",
        "host": host_name(),
        "url": target().url,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "verdict": FAILED if count[FAILED] else OK,
        "counts": count,
        "notes": [str(LEDGER)],
        "results": [asdict(result) for result in results],
    }


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Routing suite over a deployed gateway.")
    parser.add_argument("--url", help="the gateway's address, without /v1 (default: from the environment)")
    parser.add_argument("--key", help="its key; others on this machine see it in the process list: prefer --env-file")
    parser.add_argument("--env-file", metavar="FILE", help="a file with what `./deploy.sh env` prints")
    parser.add_argument("--ca-file", metavar="FILE", help="the authority that signed the gateway's certificate")
    parser.add_argument("--pools", metavar="JSON", help="{virtual model: [cheap pool, strong pool]}, or a file with it")
    parser.add_argument("--direct-models", choices=["on", "off"], help="whether clients may name a pool (default: on)")
    parser.add_argument("--most-requests", type=int, metavar="N", help="send no more than so many (default: all)")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="the longest silence within a request")
    parser.add_argument("--json", metavar="FILE", help="also write the report as JSON; - writes it to stdout instead")
    parser.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    parser.add_argument("--page", metavar="FILE", help="also write an HTML page (needs Jinja2 and pygal as well)")
    return parser.parse_args(arguments)


def write_faces(summary: Json, options: argparse.Namespace) -> None:
    """Write JUnit XML and the page, if asked for."""
    if options.junit or options.page:
        try:
            from report.single import write_faces as write

            write(summary, options.junit, options.page)
        except (ImportError, OSError) as error:
            say(
                "ERROR",
                f"--junit and --page: {error}. Fix: install Jinja2 and pygal, which --page needs",
            )
            sys.exit(2)


def put_into_environment(options: argparse.Namespace) -> None:
    """Put the options where `target` reads them, so that script and pytest find the gateway in one way."""
    if (options.most_requests or 0) < 0:
        raise ValueError(f"--most-requests {options.most_requests} (verification_most_requests): 0 for all, or more")
    variables = {
        "VIBE_ENV_FILE": options.env_file,
        "VIBE_CA_FILE": options.ca_file,
        "VIBE_POOLS_FILE": options.pools,
        "VIBE_DIRECT_MODELS": options.direct_models,
        "VIBE_TIMEOUT": options.timeout,
        "VIBE_MOST_REQUESTS": options.most_requests,
    }
    os.environ.update({name: str(value) for name, value in variables.items() if value is not None})
    found = find_target(os.environ, options.url, options.key)
    os.environ.pop("VIBE_ENV_FILE", None)  # it has been read; left there it would overrule --url and --key
    os.environ.update({"OPENAI_BASE_URL": f"{found.url}/v1", "OPENAI_API_KEY": found.key})
    if found.ca_file:
        os.environ.setdefault("VIBE_CA_FILE", found.ca_file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite and return the exit code: 0 when nothing failed, 1 when something did, 2 for wrong options."""
    options = parse_arguments(arguments)
    try:
        put_into_environment(options)
    except (unittest.SkipTest, OSError, ValueError) as error:
        say("ERROR", str(error))
        return 2
    lines = cases(target().pools)
    tokens = sum(len(PROMPTS[line.prompt]) for line in lines) // CHARACTERS_PER_TOKEN
    say("INFO", f"routing suite over {target().url}")
    say(
        "INFO",
        f"{len(lines)} requests and some {OTHER_REQUESTS} more: {tokens} tokens in, {MAX_ANSWER_TOKENS} out of each",
    )
    results = []
    for result in run():
        results.append(result)
        if result.verdict == FAILED:
            say("ERROR", f"{result.check}: expected {result.expected}; found {result.found}. Fix: {result.hint}")
        else:
            detail = result.found or f"{result.pool} {result.milliseconds} ms".strip()
            say("INFO", f"{result.check}: {result.verdict} ({detail})")
    summary = report(results)
    if options.json == "-":
        print(json.dumps(summary, indent=2))
    else:
        print_table(results)
    if options.json and options.json != "-":
        path = Path(options.json)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    write_faces(summary, options)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in summary["counts"].items())
    say("INFO", str(LEDGER))
    say("ERROR" if summary["counts"][FAILED] else "INFO", f"{len(results)} checks: {counts}")
    return 1 if summary["counts"][FAILED] else 0


if __name__ == "__main__":
    sys.exit(main())
