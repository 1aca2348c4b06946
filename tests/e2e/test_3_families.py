"""Families in shadow, off, and with an adapter learnt from labels: deployed, verified and undone like any release."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
import yaml
from e2e.machine import PLAYBOOK, PROJECT, run
from vibe_labels import PLAIN, PLANTED, made_labels, written

MODELS = yaml.safe_load((PROJECT / "inventory/local/group_vars/all/models.yml").read_text(encoding="utf-8"))
# YAML reads a bare off as false, and so does an operator's file.
ROUTING: dict[str, Any] = {"chat": "shadow", "codex": False}
LAW, HOLIDAY = f"Tell me about our neighbours {PLANTED}.", f"Tell me about our neighbours {PLAIN}."
SERVING = Path("/opt/litellm-vibe-router/router/serving")
APIS = ("chat/completions", "responses", "messages")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An adapter of the family claude, and the threshold of its table for the share that the planted rule makes."""
    folder = tmp_path_factory.mktemp("fit")
    labels, out = written(folder / "labels.jsonl", made_labels(160, planted=True)), folder / "adapter.json"
    plug_in = str(PROJECT / "files/vibe_router.py")
    run(sys.executable, plug_in, "fit", "--labels", str(labels), "--out", str(out), "--family", "claude")
    (point,) = (point for point in json.loads(out.read_text(encoding="utf-8"))["curve"] if point["share"] == 0.4)
    return {"adapter": str(out), "threshold": point["threshold"]}


@pytest.fixture(scope="module")
def shadowed(
    deployed: dict[str, str], learnt: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The deployment with two families that do not route and one that learnt; afterwards the one before is back."""
    changes = {name: {"routing": routing} for name, routing in ROUTING.items()} | {"claude": learnt}
    families = [family | changes.get(family["name"], {}) for family in MODELS["router_families"]]
    variables = tmp_path_factory.mktemp("shadow") / "variables.json"
    variables.write_text(json.dumps({"router_families": families, "router_records": 1000}), encoding="utf-8")
    # Its smoke requests and its verification expect what the families say.
    run("./deploy.sh", "--extra-vars", f"@{variables}")
    yield deployed
    run(PLAYBOOK, "playbooks/rollback.yml")
    back = _headers(deployed, "messages", "claude-auto", stream=False, prompt=LAW)
    assert (back["x-vibe-pool"], back.get("x-vibe-adapter")) == ("pool-claude-haiku", None), "one command goes back"


def _headers(settings: dict[str, str], api: str, model: str, *, stream: bool, prompt: str = "hi") -> dict[str, str]:
    turns = [{"role": "user", "content": prompt}]
    body: dict[str, Any] = {"model": model, "stream": stream}
    body |= {"input": prompt} if api == "responses" else {"messages": turns, "max_tokens": 16}
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


@pytest.mark.parametrize("api", APIS)
def test_the_other_family_routes_on_by_what_it_learnt(shadowed: dict[str, str], api: str) -> None:
    law = _headers(shadowed, api, "claude-auto", stream=True, prompt=LAW)
    holiday = _headers(shadowed, api, "claude-auto", stream=True, prompt=HOLIDAY)
    assert law["x-vibe-pool"] == law["x-vibe-served-pool"] == "pool-claude-sonnet"
    assert holiday["x-vibe-pool"] == holiday["x-vibe-served-pool"] == "pool-claude-haiku"
    assert law["x-vibe-adapter"] == holiday["x-vibe-adapter"]
    assert "x-vibe-routing" not in law


def _say(settings: dict[str, str], body: dict[str, Any], key: str = "") -> int:
    """Send feedback and return the answer's status."""
    headers = {"authorization": f"Bearer {key or settings['OPENAI_API_KEY']}"}
    address = settings["ANTHROPIC_BASE_URL"] + "/vibe/feedback"
    return requests.post(address, json=body, headers=headers, timeout=30).status_code


def test_what_clients_say_of_answers_becomes_labels(shadowed: dict[str, str]) -> None:
    calls = [_call(shadowed, f"Tell me about place number {number} {PLAIN}.") for number in range(4)]
    for number, call in enumerate(calls[:3]):
        assert _say(shadowed, {"request_id": call, "score": number / 4}) == 200
    assert _say(shadowed, {"request_id": calls[0], "good": True}) == 409, "once is enough"
    assert _say(shadowed, {"request_id": "never-heard-of", "good": True}) == 404
    assert _say(shadowed, {"request_id": calls[3], "good": "yes"}) == 400
    assert _say(shadowed, {"request_id": calls[3], "good": True}, key="sk-of-somebody-else") == 401
    # The gateway has refused that one; whoever reaches the slot is refused by it.
    slot = (SERVING.read_text(encoding="utf-8").partition("VIBE_SLOT_ADDRESS=")[2]).split()[0]
    refused = requests.post(f"http://{slot}/vibe/feedback", json={"request_id": calls[3], "good": True}, timeout=30)
    assert refused.status_code == 401, refused.text
    # Of its own in every run: Redis remembers conversations.
    talk = str(uuid4())
    wrong = [{"role": "user", "content": HOLIDAY}, {"role": "assistant", "content": "Well."}]
    _call(shadowed, HOLIDAY, talk=talk)
    _call(shadowed, "No, that's wrong.", wrong, pool="pool-claude-sonnet", talk=talk)
    said = run(PLAYBOOK, "playbooks/labels.yml").stdout
    assert " labels of claude; " in said
    lines = (PROJECT / "reports/local/labels/claude.jsonl").read_text(encoding="utf-8").splitlines()
    # The last ones: a deployment that is kept has those of earlier runs too.
    assert [json.loads(line)["weak_score"] for line in lines][-4:] == [0.0, 0.25, 0.5, 0.0]
    assert not any("place number" in line for line in lines)


def _call(
    settings: dict[str, str],
    prompt: str,
    before: Sequence[dict[str, str]] = (),
    pool: str = "pool-claude-haiku",
    talk: str | None = None,
) -> str:
    """Ask claude-auto, which decides for *pool*, and return the call's id."""
    turns = [*before, {"role": "user", "content": prompt}]
    headers = {"authorization": f"Bearer {settings['OPENAI_API_KEY']}"} | ({"x-session-id": talk} if talk else {})
    body = {"model": "claude-auto", "messages": turns, "max_tokens": 16}
    answer = requests.post(f"{settings['OPENAI_BASE_URL']}/chat/completions", json=body, headers=headers, timeout=90)
    assert answer.headers["x-vibe-pool"] == pool
    return answer.headers["x-litellm-call-id"]
