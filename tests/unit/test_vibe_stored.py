"""What continues a stored response stays in the pool that gave it, whatever is asked; an unknown one goes on."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from fake_litellm import install_litellm
from vibe.proxy.stored_response import answering_pool
from vibe.request.prompt import RESPONSES
from vibe.request.request import read_request
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routing.decision import decide
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD

FAMILY = Family("codex", "codex-auto", "pool-mini", "pool-heavy", "pool-heavy", 50)
ROUTES = Routes({"codex-auto": FAMILY}, frozenset(("pool-mini", "pool-heavy")))


@pytest.mark.parametrize("prompt", ["ok go ahead", HARD, "hi"])
@pytest.mark.parametrize("pool", ["pool-mini", "pool-heavy"])
def test_its_pool_serves_whatever_is_asked(pool: str, prompt: str) -> None:
    request = read_request({"input": prompt, "previous_response_id": "resp_1"}, RESPONSES)
    decision, _ = decide(FAMILY, ROUTES, load_prior(), replace(request, answered_by=pool))
    assert (decision.target, decision.rule) == (pool, "stored")


@pytest.mark.parametrize("pool", [None, "pool-of-another-family"])
def test_a_response_of_an_unknown_pool_goes_on_to_the_next_rules(pool: str | None) -> None:
    request = read_request({"input": "ok go ahead", "previous_response_id": "resp_1"}, RESPONSES)
    decision, _ = decide(FAMILY, ROUTES, load_prior(), replace(request, answered_by=pool))
    assert (decision.target, decision.rule) == ("pool-heavy", "inherit")


class Security:
    """LiteLLM's hook, as far as it is read: an id is its original in capitals."""

    def _decrypt_response_id(self, response_id: str) -> tuple[str, None, None]:
        return response_id.lower(), None, None


class Utils:
    """LiteLLM's ids, as far as they are read: the deployment is behind the colon."""

    @staticmethod
    def decode_responses_api_response_id(response_id: str) -> dict[str, Any]:
        """Return the deployment of a response."""
        return {"model_id": response_id.partition(":")[2] or None}


@pytest.fixture
def _litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM with the one deployment pool-mini-1."""
    known = {"pool-mini-1": SimpleNamespace(model_name="pool-mini")}
    router = SimpleNamespace(get_deployment=lambda model_id: known.get(model_id))
    contents: dict[str, dict[str, Any]] = {
        "litellm.proxy.proxy_server": {"llm_router": router},
        "litellm.proxy.hooks.responses_id_security": {"ResponsesIDSecurity": Security},
        "litellm.responses.utils": {"ResponsesAPIRequestUtils": Utils},
    }
    install_litellm(monkeypatch, contents)


@pytest.mark.usefixtures("_litellm")
@pytest.mark.parametrize(
    ("response_id", "pool"),
    [("RESP:POOL-MINI-1", "pool-mini"), ("RESP:POOL-GONE-1", None), ("RESP", None), (None, None), (["a"], None)],
)
def test_the_pool_is_read_from_the_id(response_id: object, pool: str | None) -> None:
    assert answering_pool({"previous_response_id": response_id}) == pool


def test_without_litellm_nothing_is_known() -> None:
    assert answering_pool({"previous_response_id": "resp_1"}) is None
