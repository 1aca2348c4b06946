"""A pool of several deployments: a conversation stays at one, and conversations spread by the weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from e2e.variant import copy_release, serving, wait_until_ready

POOL = "pool-chat-mini"
CONVERSATIONS, TURNS = 40, 4
# Three to one: 30 of 40, and beyond four standard deviations (2.7) a test would be wrong, not unlucky.
WEIGHTS, LEAST, MOST = (3, 1), 19, 40


def _two_deployments(config: dict[str, Any]) -> None:
    (first,) = [row for row in config["model_list"] if row["model_name"] == POOL]
    second = copy.deepcopy(first)
    for row, weight, number in ((first, WEIGHTS[0], 1), (second, WEIGHTS[1], 2)):
        row["litellm_params"] |= {"weight": weight, "model": f"openai/stub-deployment-{number}"}
        row["model_info"]["id"] = f"{POOL}-{number}"
    config["model_list"].append(second)
    # As the template renders it for such a pool (tests/unit/test_router_config.py).
    config["router_settings"]["model_group_affinity_config"] = {
        POOL: ["responses_api_deployment_check", "session_affinity"]
    }


@pytest.fixture(scope="module")
def router(
    deployed: dict[str, str], serving_release: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A router whose cheap pool of the family chat has two deployments, at its own address."""
    release = copy_release(serving_release, tmp_path_factory.mktemp("two"), _two_deployments)
    routes = json.loads((release / "vibe_routes.json").read_text(encoding="utf-8"))
    (entry,) = routes["models"][POOL]
    routes["models"][POOL] = [entry | {"model": f"openai/stub-deployment-{number}"} for number in (1, 2)]
    (release / "vibe_routes.json").write_text(json.dumps(routes), encoding="utf-8")
    with serving(release) as url:
        wait_until_ready(url)
        yield {"url": url, "key": deployed["OPENAI_API_KEY"]}


def _model(router: dict[str, str], turns: list[dict[str, str]], **more: Any) -> str:
    """Send the *turns* of a conversation, add the answer, and return the upstream's model."""
    headers = {"authorization": f"Bearer {router['key']}"}
    body = {"model": "chat-auto", "messages": turns, **more}
    answer = requests.post(f"{router['url']}/v1/chat/completions", json=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.headers["x-vibe-pool"]) == (200, POOL), answer.text
    text = answer.json()["choices"][0]["message"]["content"]
    turns.append({"role": "assistant", "content": text})
    return str(text.split()[4])


def test_a_conversation_stays_and_conversations_spread(router: dict[str, str]) -> None:
    chosen: list[str] = []
    for number in range(CONVERSATIONS):
        turns: list[dict[str, str]] = []
        models = set()
        for turn in range(TURNS):
            turns.append({"role": "user", "content": "thanks" if turn else f"hi, I am number {number}"})
            models.add(_model(router, turns))
        assert len(models) == 1, f"conversation {number} changed its deployment"
        chosen += models
    assert LEAST <= chosen.count("stub-deployment-1") < MOST, chosen


def test_a_session_that_the_client_names_stays_too(router: dict[str, str]) -> None:
    models = {
        _model(router, [{"role": "user", "content": f"hi {turn}"}], metadata={"session_id": "ann-1"})
        for turn in range(12)
    }
    assert len(models) == 1
