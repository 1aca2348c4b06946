"""Routing in shadow, and off: deployed and verified like any release, while the safe pool serves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml
from e2e.machine import PLAYBOOK, PROJECT, run

MODELS = yaml.safe_load((PROJECT / "inventory/local/group_vars/all/models.yml").read_text(encoding="utf-8"))
# YAML reads a bare off as false, and so does an operator's file.
ROUTING: dict[str, Any] = {"chat": "shadow", "codex": False}
APIS = ("chat/completions", "responses", "messages")


@pytest.fixture(scope="module")
def shadowed(deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The deployment with two families that do not route; afterwards the one before is back."""
    families = [
        family | ({"routing": ROUTING[family["name"]]} if family["name"] in ROUTING else {})
        for family in MODELS["router_families"]
    ]
    variables = tmp_path_factory.mktemp("shadow") / "variables.json"
    variables.write_text(json.dumps({"router_families": families}), encoding="utf-8")
    # Its smoke requests and its verification expect what the families say.
    run("./deploy.sh", "--extra-vars", f"@{variables}")
    yield deployed
    run(PLAYBOOK, "playbooks/rollback.yml")


def _headers(settings: dict[str, str], api: str, model: str, *, stream: bool) -> dict[str, str]:
    body: dict[str, Any] = {"model": model, "stream": stream}
    body |= (
        {"input": "hi"} if api == "responses" else {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 16}
    )
    key = {"authorization": f"Bearer {settings['OPENAI_API_KEY']}"}
    answer = requests.post(f"{settings['OPENAI_BASE_URL']}/{api}", json=body, headers=key, timeout=90)
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.headers.items() if name.startswith("x-vibe-")}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", APIS)
def test_shadow_tells_what_it_would_do_and_the_safe_pool_serves(
    shadowed: dict[str, str], api: str, stream: bool
) -> None:
    headers = _headers(shadowed, api, "chat-auto", stream=stream)
    assert headers["x-vibe-routing"] == "shadow"
    assert headers["x-vibe-proposed-pool"] == "pool-chat-mini"
    assert headers["x-vibe-pool"] == headers["x-vibe-served-pool"] == "pool-chat-standard"
    assert headers["x-vibe-rule"] == "score"
    assert float(headers["x-vibe-score"]) < 50


@pytest.mark.parametrize("api", APIS)
def test_off_decides_nothing(shadowed: dict[str, str], api: str) -> None:
    headers = _headers(shadowed, api, "codex-auto", stream=False)
    assert (headers["x-vibe-routing"], headers["x-vibe-reason"]) == ("off", "routing is off")
    assert headers["x-vibe-pool"] == headers["x-vibe-served-pool"] == "pool-codex-heavy"
    assert "x-vibe-score" not in headers


def test_the_other_family_routes_on(shadowed: dict[str, str]) -> None:
    headers = _headers(shadowed, "messages", "claude-auto", stream=False)
    assert headers["x-vibe-pool"] == headers["x-vibe-served-pool"] == "pool-claude-haiku"
    assert "x-vibe-routing" not in headers
