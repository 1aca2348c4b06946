"""Families in shadow, off, and with an adapter fitted by replay: deployed and rolled back like any release."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
import yaml
from e2e.machine import PLAYBOOK, PROJECT, run
from vibe_labels import HOLIDAY, LAW, PLAIN, made_labels, written

MODELS = yaml.safe_load((PROJECT / "inventory/local/group_vars/all/models.yml").read_text(encoding="utf-8"))
# YAML reads a bare off as false.
ROUTING: dict[str, Any] = {"chat": "shadow", "codex": False}
SERVING = Path("/opt/litellm-vibe-router/router/serving")
APIS = ("chat/completions", "responses", "messages")
PLUG_IN = str(PROJECT / "files/vibe_router.py")
REPORT, PAGES = "playbooks/routing_report.yml", PROJECT / "reports/local/routing"
# The stub's model behind the cheap pool of the family claude.
CHEAP_MODEL = next(
    pool["deployments"][0]["model"].partition("/")[2]
    for pool in MODELS["router_pools"]
    if pool["name"] == "pool-claude-haiku"
)


@dataclass(frozen=True)
class Loop:
    """The output of replay, report and fit for prompts with a planted rule, for the family claude."""

    priced: str
    was_sent_unasked: bool
    labels: list[dict[str, Any]]
    reported: str
    family: dict[str, Any]


@pytest.fixture(scope="module")
def learnt(deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """From saved prompts to an adapter of the family claude, on the deployed stack."""
    folder, labels = tmp_path_factory.mktemp("learnt"), PAGES / "labels/claude.jsonl"
    labels.unlink(missing_ok=True)
    prompts = []
    for index, row in enumerate(made_labels(100, planted=True)):
        # The stub's answers contain their quality, which the stub reads as the judge. All prompts share the same words.
        tags = f"[[stub:quality=0.9]][[stub:model={CHEAP_MODEL},quality={0.9 if row['weak_score'] else 0.2}]]"
        prompts.append({"id": index, "prompt": f"{row['prompt']} {tags}"})
    asked = {
        "replay_prompts": str(written(folder / "prompts.jsonl", prompts)),
        "replay_family": "claude",
        "replay_judge": "pool-chat-standard",
        "replay_criteria": "[[stub:grades]]",
        "replay_answer_tokens": 64,
    }
    variables = folder / "replay.json"
    variables.write_text(json.dumps(asked), encoding="utf-8")
    priced = run(PLAYBOOK, "playbooks/replay.yml", "--extra-vars", f"@{variables}").stdout
    was_sent_unasked = labels.exists()
    variables.write_text(json.dumps({**asked, "replay_most_dollars": 5}), encoding="utf-8")
    run(PLAYBOOK, "playbooks/replay.yml", "--extra-vars", f"@{variables}")
    reported = run(PLAYBOOK, REPORT).stdout
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    # The next report is about clients' feedback.
    labels.unlink()
    out = folder / "adapter.json"
    fitted = ("--labels", str(PAGES / "claude.labels.jsonl"), "--out", str(out), "--family", "claude")
    run(sys.executable, PLUG_IN, "fit", *fitted)
    (point,) = (point for point in json.loads(out.read_text(encoding="utf-8"))["curve"] if point["share"] == 0.4)
    family = {"adapter": str(out), "threshold": point["threshold"]}
    return Loop(priced, was_sent_unasked, rows, reported, family)


@pytest.fixture(scope="module")
def shadowed(
    deployed: dict[str, str], learnt: Loop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A deployment with two families that do not route and one with an adapter; the previous one is restored."""
    changes = {name: {"routing": routing} for name, routing in ROUTING.items()} | {"claude": learnt.family}
    families = [family | changes.get(family["name"], {}) for family in MODELS["router_families"]]
    variables = tmp_path_factory.mktemp("shadow") / "variables.json"
    variables.write_text(json.dumps({"router_families": families, "router_records": 1000}), encoding="utf-8")
    # Slot proof and verification expect what the families are configured for.
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


def test_a_replay_says_its_price_and_its_labels_are_worth_the_switch(learnt: Loop) -> None:
    assert "100 of 100 prompts" in learnt.priced
    assert "Nothing was sent" in learnt.priced
    assert not learnt.was_sent_unasked
    assert len(learnt.labels) == 100
    assert {(row["weak_score"], row["strong_score"]) for row in learnt.labels} == {(0.2, 0.9), (0.9, 0.9)}
    assert "claude: switch on: it gains " in learnt.reported
    assert "chat: not yet, " in learnt.reported


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
def test_the_other_family_routes_on_by_what_it_learnt(shadowed: dict[str, str], learnt: Loop, api: str) -> None:
    law = _headers(shadowed, api, "claude-auto", stream=True, prompt=LAW)
    holiday = _headers(shadowed, api, "claude-auto", stream=True, prompt=HOLIDAY)
    assert law["x-vibe-pool"] == law["x-vibe-served-pool"] == "pool-claude-sonnet"
    assert holiday["x-vibe-pool"] == holiday["x-vibe-served-pool"] == "pool-claude-haiku"
    assert law["x-vibe-adapter"] == holiday["x-vibe-adapter"]
    assert "x-vibe-routing" not in law
    adapted = ("explain", LAW, "--adapter", learnt.family["adapter"], "--json")
    told = json.loads(run(sys.executable, PLUG_IN, *adapted).stdout)
    assert float(law["x-vibe-score"]) == pytest.approx(told["score"], abs=1), told


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
    # The gateway refused that one; the slot refuses requests that reach it directly.
    slot = (SERVING.read_text(encoding="utf-8").partition("VIBE_SLOT_ADDRESS=")[2]).split()[0]
    refused = requests.post(f"http://{slot}/vibe/feedback", json={"request_id": calls[3], "good": True}, timeout=30)
    assert refused.status_code == 401, refused.text
    counters = f"http://127.0.0.1:{int(slot.rpartition(':')[2]) + 100}/metrics"
    counted = requests.get(counters, timeout=30).text
    told = {status: float(said) for status, said in re.findall(r'vibe_feedback_total\{status="(\d+)"\} (\S+)', counted)}
    # Unauthorized feedback was not recorded.
    assert told == {"200": 3.0, "400": 1.0, "404": 1.0, "409": 1.0}
    # Different in every run, because Redis remembers conversations.
    talk = str(uuid4())
    wrong = [{"role": "user", "content": HOLIDAY}, {"role": "assistant", "content": "Well."}]
    _call(shadowed, HOLIDAY, talk=talk)
    _call(shadowed, "No, that's wrong.", wrong, pool="pool-claude-sonnet", talk=talk)
    assert "claude: not yet, " in run(PLAYBOOK, REPORT).stdout
    lines = (PAGES / "claude.labels.jsonl").read_text(encoding="utf-8").splitlines()
    # The last ones, because a kept deployment also has those of earlier runs.
    assert [json.loads(line)["weak_score"] for line in lines][-4:] == [0.0, 0.25, 0.5, 0.0]
    page = (PAGES / "claude.html").read_text(encoding="utf-8")
    assert "<h1>Not yet, " in page
    assert not any("place number" in text for text in (*lines, page))


def _call(
    settings: dict[str, str],
    prompt: str,
    before: Sequence[dict[str, str]] = (),
    pool: str = "pool-claude-haiku",
    talk: str | None = None,
) -> str:
    """Send a request to claude-auto that is routed to *pool*, and return the call's id."""
    turns = [*before, {"role": "user", "content": prompt}]
    headers = {"authorization": f"Bearer {settings['OPENAI_API_KEY']}"} | ({"x-session-id": talk} if talk else {})
    body = {"model": "claude-auto", "messages": turns, "max_tokens": 16}
    answer = requests.post(f"{settings['OPENAI_BASE_URL']}/chat/completions", json=body, headers=headers, timeout=90)
    assert answer.headers["x-vibe-pool"] == pool
    return answer.headers["x-litellm-call-id"]
