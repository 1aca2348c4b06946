"""The costs and savings in the router's log match the stub's own usage figures."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from e2e.machine import PROJECT, run, stub_requests, wait_for
from prometheus_client.parser import text_string_to_metric_families

REQUESTS, AT_ONCE, SEED = 1000, 8, 1
MODELS = yaml.safe_load((PROJECT / "inventory/local/group_vars/all/models.yml").read_text(encoding="utf-8"))
SERVED = re.compile(
    r"SERVED virtual_model=(\S+) pool=(\S+) .* cost=(\S+) strong_cost=(\S+) saved=(\S+) .*call_id=(\S+)"
)
APIS = ("chat/completions", "responses", "messages")
HARD = (
    "Design a fault-tolerant, multi-region payment system: it must survive network partitions without losing a "
    "transaction. Compare consistency models and justify the trade-offs."
)
EASY = "What is the capital of France?"
WRITTEN_SECONDS = 60
METRICS_PORTS = {"blue": 4201, "green": 4202}
# Metrics, and the log fields with the same numbers.
COUNTED = {"vibe_spend_dollars": 2, "vibe_strong_spend_dollars": 3}


def _prices() -> dict[str, tuple[str, dict[str, float]]]:
    """Return pool and prices by the stub's model."""
    found = {}
    for pool in MODELS["router_pools"]:
        (deployment,) = pool["deployments"]
        info = deployment["model_info"]
        fresh = info["input_cost_per_token"]
        found[deployment["model"].partition("/")[2]] = (
            pool["name"],
            {
                "fresh": fresh,
                "cached": info["cache_read_input_token_cost"],
                "written": info.get("cache_creation_input_token_cost", fresh),
                "answer": info["output_cost_per_token"],
            },
        )
    return found


def _lines() -> dict[str, tuple[str, ...]]:
    """Return the log's fields of each answered request, by call id."""
    slots = run("docker", "ps", "--filter", "name=litellm-vibe-router", "--format", "{{.Names}}").stdout.split()
    logs = [run("docker", "logs", slot) for slot in slots]
    return {found[5]: found for log in logs for found in SERVED.findall(log.stdout + log.stderr)}


def _bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield requests as API and body: every virtual model, simple and complex, streamed or not, with a cache or not."""
    rng = random.Random(SEED)
    virtual = [family["virtual_model"] for family in MODELS["router_families"]]
    for number in range(REQUESTS):
        tag = rng.choice(("", f"[[stub:cached={rng.random() / 2:.3f},written={rng.random() / 2:.3f}]] "))
        text = f"{tag}{rng.choice((EASY, HARD))} {number}"
        api, stream = rng.choice(APIS), rng.random() < 0.5
        asked = {"input": text} if api == "responses" else {"messages": [{"role": "user", "content": text}]}
        limit = {"max_output_tokens" if api == "responses" else "max_tokens": 64}
        yield api, {"model": rng.choice(virtual), "stream": stream, **limit, **asked}


def _counted(name: str) -> dict[str, float]:
    """Return the sum of a metric over the serving slot's workers, by pool."""
    serving = Path("/opt/litellm-vibe-router/router/serving").readlink().stem
    said = requests.get(f"http://127.0.0.1:{METRICS_PORTS[serving]}/metrics", timeout=10).text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(said):
        for sample in family.samples:
            if sample.name == f"{name}_total":
                pool = sample.labels["pool"]
                found[pool] = found.get(pool, 0.0) + sample.value
    return found


@pytest.fixture(scope="module")
def counted_before(deployed: dict[str, str]) -> dict[str, dict[str, float]]:
    """What the counters said before the thousand requests."""
    return {name: _counted(name) for name in COUNTED}


@pytest.fixture(scope="module")
def served(
    deployed: dict[str, str], counted_before: dict[str, dict[str, float]]
) -> tuple[list[dict[str, Any]], list[tuple[str, ...]]]:
    """The stub's figures of a thousand requests, and the log's."""
    before = _lines()
    stub_requests("DELETE")
    session = requests.Session()
    session.headers["authorization"] = f"Bearer {deployed['OPENAI_API_KEY']}"

    def ask(api: str, body: dict[str, Any]) -> int:
        with session.post(f"{deployed['OPENAI_BASE_URL']}/{api}", json=body, timeout=120, stream=True) as answer:
            # Read a stream to its end, where the usage is.
            assert answer.content
            return answer.status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert set(threads.map(lambda one: ask(*one), _bodies())) == {200}
    new: dict[str, tuple[str, ...]] = {}

    def all_written() -> bool:
        new.update({call: line for call, line in _lines().items() if call not in before})
        return len(new) >= REQUESTS

    # LiteLLM calls its loggers after the answer.
    wait_for(all_written, WRITTEN_SECONDS, lambda: f"{len(new)} of {REQUESTS} requests are in the log")
    assert len(new) == REQUESTS
    seen = stub_requests("GET")
    assert len(seen) == REQUESTS
    return seen, list(new.values())


def test_the_counters_of_all_workers_say_what_the_log_does(
    served: tuple[list[dict[str, Any]], list[tuple[str, ...]]], counted_before: dict[str, dict[str, float]]
) -> None:
    _, lines = served
    for name, column in COUNTED.items():
        now = _counted(name)
        assert set(now) == {line[1] for line in lines}
        for pool, value in now.items():
            told = sum(float(line[column]) for line in lines if line[1] == pool)
            assert value - counted_before[name].get(pool, 0.0) == pytest.approx(told, abs=1e-4), (name, pool)


def test_the_counters_are_for_this_host_alone(deployed: dict[str, str]) -> None:
    serving = Path("/opt/litellm-vibe-router/router/serving").readlink().stem
    published = run("docker", "port", f"litellm-vibe-router-{serving}", "9464").stdout.split()
    assert published == [f"127.0.0.1:{METRICS_PORTS[serving]}"]


def test_costs_and_savings_are_what_the_stubs_figures_come_to(
    served: tuple[list[dict[str, Any]], list[tuple[str, ...]]],
) -> None:
    seen, lines = served
    prices = _prices()
    strong_of = {
        family[side]: family["strong_pool"]
        for family in MODELS["router_families"]
        for side in ("cheap_pool", "strong_pool")
    }
    by_pool = dict(prices.values())
    cost: dict[str, float] = {}
    strong_cost: dict[str, float] = {}
    for request in seen:
        pool, own = prices[request["model"]]
        strong = by_pool[strong_of[pool]]
        cost[pool] = cost.get(pool, 0.0) + sum(own[kind] * count for kind, count in request["tokens"].items())
        strong_cost[pool] = strong_cost.get(pool, 0.0) + sum(
            strong[kind] * count for kind, count in request["tokens"].items()
        )
    assert {pool for _, pool, *_ in lines} == set(cost) == set(by_pool)
    for pool in cost:
        told = [line for line in lines if line[1] == pool]
        # To a hundredth of a cent; the log rounds each request to a millionth of one.
        assert sum(float(line[2]) for line in told) == pytest.approx(cost[pool], abs=1e-4), pool
        assert sum(float(line[3]) for line in told) == pytest.approx(strong_cost[pool], abs=1e-4), pool
        saved = sum(float(line[4]) for line in told)
        assert saved == pytest.approx(strong_cost[pool] - cost[pool], abs=1e-4), pool
        assert (saved == 0) == (pool in strong_of.values())
    assert sum(request["tokens"]["cached"] for request in seen) > 1000, "the cache had something"
