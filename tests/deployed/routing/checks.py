"""The checks of a deployed gateway: every virtual model, on every API, streamed and not, reaches its pool.

A check is a function named `test_…`, so that pytest finds it in tests/test_route.py.
"""

from __future__ import annotations

import itertools
import os
import re
import unittest
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deployed_names import HOOK
from report.model import require

from routing.client import (
    CHAT,
    HINT_UNREACHABLE,
    MESSAGES,
    PATHS,
    RESPONSES,
    Exchange,
    Json,
    call,
    read_pools,
    send,
    shorten,
    target,
)
from routing.prompts import COMPLEX, DEFAULT_POOLS, LANGUAGES, PICTURE, PROMPTS, SIMPLE

LONG_CONVERSATION_TURNS = 60
POOL_HEADER, SCORE_HEADER, SERVED_HEADER = "x-vibe-pool", "x-vibe-score", "x-litellm-model-group"
REASON_HEADER, RULE_HEADER, ADAPTER_HEADER = "x-vibe-reason", "x-vibe-rule", "x-vibe-adapter"
REVEALING_HEADERS = re.compile(r"x-litellm-model-api-base|x-vibe-worker|llm_provider-.*", re.IGNORECASE)
CLOSED_PATHS = ("/ui/", "/openapi.json", "/config/yaml", "/routes", "/fallback/login", "/sso/key/generate", "/test")

HINT_LOG = "on the router host: docker logs litellm-vibe-router-<blue|green> 2>&1 | tail -50"
HINT_DECISION = "docker logs litellm-vibe-router-<blue|green> 2>&1 | grep 'ROUTING DECISION' says why"
HINT_PLUGIN = f"the plug-in did not run: litellm_settings.callbacks must name {HOOK}"
HINT_GATEWAY = (
    "the request must go through the gateway (HAProxy), not to a router slot; see the gateway role's allow-list"
)
HINT_KEYS = (
    "the gateway judges keys (gateway_clients), in the words of the API; a router slot asked directly has its own"
)
HINT_DROP_PARAMS = "litellm_settings.drop_params must be true: clients send parameters that not every model takes"


def require_whole(exchange: Exchange, hint: str = HINT_LOG) -> None:
    """Require HTTP 200 and an answer that came to its end without an error on the way."""
    require(exchange.status == 200, "HTTP 200", f"HTTP {exchange.status}: {shorten(exchange.text)}", hint)
    require(not exchange.problem, "an answer without an error in it", exchange.problem, hint)
    require(bool(exchange.end), "a complete answer", f"one without its end: {shorten(exchange.text)!r}", hint)


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
    found = f"HTTP {response.status_code}: {shorten(response.text)}"
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
        found = f"HTTP {exchange.status}: {shorten(exchange.text)}"
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
        require(kind in (error.get("type"), error.get("code")), kind, shorten(response.text), HINT_KEYS)


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
        require(exchange.stub_model is not None, "the answer's text", shorten(exchange.text), hint)


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
        raise unittest.SkipTest(f"no pool of {model} takes pictures: {shorten(exchange.text)}")
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
