"""The cost of a request, from LiteLLM's usage figures and the pools' prices."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from vibe.routes.family import Family
from vibe.routes.pool import Pool
from vibe.routes.prices import Prices
from vibe.routes.routes_file import Routes
from vibe.telemetry.decision_metadata import METADATA_KEY
from vibe.telemetry.spending import Usage, spending_of, usage_of
from vibe_router import VibeIntelligentRouter

HAIKU, SONNET = Prices(1e-6, 1e-7, 1.25e-6, 5e-6), Prices(3e-6, 3e-7, 3.75e-6, 1.5e-5)
FAMILY = Family(
    *("claude", "claude-auto", "pool-haiku", "pool-sonnet", "pool-sonnet"),
    threshold=50.0,
    cheap=Pool(prices=HAIKU),
    strong=Pool(prices=SONNET),
)
KNOWN = {
    "pool-haiku": FAMILY.cheap,
    "pool-sonnet": FAMILY.strong,
    "pool-other": Pool(prices=Prices(2e-6, 2e-6, 2e-6, 1e-5)),
}
# As in LiteLLM 1.106.2 after a streamed Messages request.
FIGURES: dict[str, Any] = {
    "completion_tokens": 7,
    "prompt_tokens": 316,
    "total_tokens": 323,
    "completion_tokens_details": {"reasoning_tokens": 0, "text_tokens": 7},
    "prompt_tokens_details": {"audio_tokens": None, "cached_tokens": 158, "cache_creation_tokens": 79},
    "cost": 0.00022855,
    "cache_creation_input_tokens": 79,
    "cache_read_input_tokens": 158,
}


def _logged(group: object, figures: object = FIGURES) -> dict[str, Any]:
    return {"model_group": group, "metadata": {"usage_object": figures}}


def test_the_cache_is_part_of_the_prompt() -> None:
    assert usage_of(FIGURES) == Usage(fresh=79, cached=158, written=79, answer=7)
    without_details = {key: value for key, value in FIGURES.items() if key != "prompt_tokens_details"}
    assert usage_of(without_details) == Usage(fresh=237, cached=0, written=79, answer=7)


@pytest.mark.parametrize(
    ("figures", "usage"),
    [
        (None, None),
        ([], None),
        ({}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": "many", "completion_tokens": 3}, Usage(0, 0, 0, 3)),
        ({"prompt_tokens": -5, "completion_tokens": 3}, Usage(0, 0, 0, 3)),
        ({"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": "odd"}, Usage(5, 0, 0, 3)),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(0, 9, 0, 0)),
    ],
)
def test_odd_figures_of_an_upstream_are_tolerated(figures: object, usage: Usage | None) -> None:
    assert usage_of(figures) == usage


def test_a_request_costs_what_its_pool_takes_and_saves_against_the_strong_one() -> None:
    spent = spending_of(_logged("pool-haiku"), FAMILY, KNOWN)
    assert spent is not None
    # LiteLLM's figure, from its cost map.
    assert spent.cost == pytest.approx(FIGURES["cost"])
    assert spent.strong_cost == pytest.approx(3 * FIGURES["cost"])
    assert spent.saved == pytest.approx(2 * FIGURES["cost"])
    strong = spending_of(_logged("pool-sonnet"), FAMILY, KNOWN)
    assert strong is not None
    assert strong.saved == 0.0


def test_what_kept_the_virtual_models_name_was_served_by_the_safe_pool() -> None:
    for group in ("claude-auto", None, ""):
        spent = spending_of(_logged(group), FAMILY, KNOWN)
        assert spent is not None
        assert spent.pool == "pool-sonnet"


def test_a_fallback_costs_what_its_own_pool_does() -> None:
    spent = spending_of(_logged("pool-other"), FAMILY, KNOWN)
    assert spent is not None
    assert spent.cost == pytest.approx(316 * 2e-6 + 7 * 1e-5)


def test_prices_that_are_not_known_are_not_guessed() -> None:
    spent = spending_of(_logged("pool-elsewhere"), FAMILY, KNOWN)
    assert spent is not None
    assert (spent.cost, spent.saved) == (None, None)
    assert spent.strong_cost is not None


def _tell(kwargs: dict[str, Any]) -> None:
    router = VibeIntelligentRouter(Routes({FAMILY.virtual_model: FAMILY}, frozenset(KNOWN), KNOWN))
    asyncio.run(router.async_log_success_event(kwargs, None, None, None))


def _kwargs(logged: object, **decision: object) -> dict[str, Any]:
    record = {"virtual_model": "claude-auto", "conversation": "abc", **decision}
    return {
        "litellm_call_id": "call-1",
        "litellm_params": {"metadata": {METADATA_KEY: record}},
        "standard_logging_object": logged,
    }


def test_the_log_says_what_a_request_cost(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(_kwargs(_logged("pool-haiku")))
    said = capsys.readouterr().err
    assert said.rstrip().endswith(
        "[VIBE-ROUTER] [INFO] SERVED virtual_model=claude-auto pool=pool-haiku input_tokens=79 cached_tokens=158 "
        "written_tokens=79 output_tokens=7 cost=0.00022855 strong_cost=0.00068565 saved=0.00045710 "
        "conversation=abc call_id=call-1"
    )


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"litellm_params": None},
        {"litellm_params": {"metadata": {}}, "standard_logging_object": _logged("pool-haiku")},
        _kwargs(None),
        _kwargs(_logged("pool-haiku", None)),
        _kwargs(_logged("pool-haiku"), virtual_model="nobody's"),
    ],
)
def test_what_was_not_routed_or_has_no_figures_is_left_out(
    kwargs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _tell(kwargs)
    assert capsys.readouterr().err == ""
