"""The outgoing gate: only calls to the release's deployments leave, and only to those that the request may use."""

from __future__ import annotations

from typing import Any

import pytest
from vibe.proxy.deployment_gate import DeploymentGate, DeploymentRefusedError, gate_of, install, narrow
from vibe.proxy.passage import Passage, passing
from vibe.proxy.reach import reach_of
from vibe.proxy.stopped import DEPLOYMENT, count_with
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes

ENVIRONMENT = {"KEY": "upstream-key", "BASE": "http://upstream:8080/v1"}


def _deployment(group: str, **parameters: Any) -> dict[str, Any]:
    settings = {"model": f"openai/{group}", "api_base": "os.environ/BASE", "api_key": "os.environ/KEY", **parameters}
    return {"model_name": group, "litellm_params": settings}


CONFIG: dict[str, Any] = {
    "model_list": [
        _deployment("mini"),
        _deployment("standard"),
        _deployment("heavy"),
        _deployment("spare", api_base="http://spare:1/v1"),
        _deployment("own-headers", extra_headers={"Authorization": "Bearer of-the-release", "x-team": "a"}),
        _deployment("bedrock", model="bedrock/claude", api_base=None, api_key=None),
        _deployment("openai/*", model="openai/*"),
    ],
    "router_settings": {
        "model_group_alias": {"chat-auto": "standard", "codex-auto": {"model": "heavy", "hidden": True}},
        "fallbacks": [{"mini": ["standard"]}, {"chat-auto": ["mini"]}],
        "context_window_fallbacks": [{"standard": ["spare"]}],
    },
}
GATE = gate_of(CONFIG, ENVIRONMENT)


def _call(group: str, **changed: Any) -> dict[str, Any]:
    call = {"model": f"openai/{group}", "api_base": ENVIRONMENT["BASE"], "api_key": ENVIRONMENT["KEY"]}
    return {**call, "custom_llm_provider": "openai", "headers": None, **changed}


@pytest.fixture(autouse=True)
def stopped() -> list[str]:
    """The gates that refused a call."""
    found: list[str] = []
    count_with(found.append)
    return found


def test_a_call_to_the_decided_pool_and_to_its_fallbacks_leaves(stopped: list[str]) -> None:
    with passing(Passage("team-a", GATE.groups_from(["mini"]))):
        for call in (
            _call("mini"),
            _call("mini", model="mini"),
            _call("mini", model="openai/responses/mini"),
            _call("mini", model="responses/mini"),
            _call("standard"),
            _call("spare", api_base="http://spare:1/v1"),
            _call("mini", headers={"anthropic-beta": "x", "x-stainless-lang": "python"}),
        ):
            GATE.check(call)
    assert stopped == []


@pytest.mark.parametrize(
    "call",
    [
        _call("heavy"),
        _call("mini", api_key="EVIL"),
        _call("mini", api_key=None),
        _call("mini", api_base="http://evil.example/v1"),
        _call("mini", api_base=None),
        _call("mini", base_url="http://evil.example/v1", api_base=None),
        _call("mini", custom_llm_provider="anthropic", model="mini-2"),
        _call("mini", model="oobabooga/http://127.0.0.1:9464/metrics?x="),
        _call("mini", model="openai/gpt-5-pro"),
        _call("mini", headers={"Authorization": "Bearer EVIL"}),
        _call("mini", extra_headers={"HOST": "evil.example"}),
        _call("mini", headers={"x-api-key": "EVIL"}),
        _call("mini", provider_specific_header={"extra_headers": {"Authorization": "EVIL"}}),
        _call("mini", provider_specific_header=[{"extra_headers": {"authorization": "EVIL"}}]),
    ],
)
def test_any_other_call_is_stopped_and_so_is_all_that_its_request_does_then(
    call: dict[str, Any], stopped: list[str]
) -> None:
    passage = Passage("team-a", GATE.groups_from(["mini"]))
    with passing(passage):
        with pytest.raises(DeploymentRefusedError, match="would have left the models"):
            GATE.check(call)
        # LiteLLM would try the fallbacks next.
        with pytest.raises(DeploymentRefusedError):
            GATE.check(_call("standard"))
    assert passage.is_stopped
    assert stopped == [DEPLOYMENT, DEPLOYMENT]


def test_what_is_stopped_is_logged_with_the_client_and_without_keys(capsys: pytest.CaptureFixture[str]) -> None:
    with passing(Passage("team-a", frozenset({"mini"}))), pytest.raises(DeploymentRefusedError):
        GATE.check(_call("mini", model="x\n[00:00:00] forged \x1b[2J", api_key="EVIL"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "ATTACK STOPPED gate=deployment client=team-a model=x?[00:00:00] forged ?[2J" in line
    assert "EVIL" not in line


def test_headers_of_the_release_are_the_releases_own() -> None:
    headers = {"Authorization": "Bearer of-the-release", "x-team": "a"}
    with passing(Passage("team-a", frozenset({"own-headers"}))):
        GATE.check(_call("own-headers", extra_headers=headers))
        with pytest.raises(DeploymentRefusedError):
            GATE.check(_call("own-headers", extra_headers={**headers, "Authorization": "Bearer EVIL"}))


def test_a_deployment_without_address_and_key_is_called_without_them() -> None:
    with passing(Passage("team-a", frozenset({"bedrock"}))):
        GATE.check({"model": "bedrock/claude"})
        with pytest.raises(DeploymentRefusedError):
            GATE.check({"model": "bedrock/claude", "api_base": "http://evil.example"})


def test_a_pattern_reaches_what_it_matches() -> None:
    with passing(Passage("team-a", frozenset({"openai/gpt-5"}))):
        GATE.check(_call("gpt-5"))
        with pytest.raises(DeploymentRefusedError):
            GATE.check(_call("heavy", model="azure/heavy"))


def test_outside_of_a_request_every_deployment_of_the_release_is_reached_and_nothing_else() -> None:
    GATE.check(_call("heavy"))
    with pytest.raises(DeploymentRefusedError):
        GATE.check(_call("heavy", api_key="EVIL"))


def test_a_virtual_model_reaches_its_family_until_the_router_has_decided() -> None:
    chat = Family("chat", "chat-auto", "mini", "standard", "standard", threshold=50)
    reach = reach_of(GATE, Routes({"chat-auto": chat}, frozenset()))
    assert reach(("chat-auto",)) == {"chat-auto", "mini", "standard", "spare"}
    assert reach(()) >= {"mini", "standard", "heavy", "openai/*"}
    install(GATE)
    passage = Passage("team-a", reach(("chat-auto",)))
    with passing(passage):
        narrow("standard")
    assert passage.groups == {"standard", "spare"}
    install(DeploymentGate())
