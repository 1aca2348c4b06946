"""The prices of a pool: variables override LiteLLM's cost map, weighted by deployment; odd prices are reported."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from vibe.routes.pool import pool_of
from vibe.routes.prices import ANSWER_KEY, CACHED_KEY, FRESH_KEY, WRITTEN_KEY, Prices, odd_prices, price_faults

MINI = {FRESH_KEY: 1e-6, ANSWER_KEY: 4e-6}
HAIKU = {**MINI, CACHED_KEY: 1e-7, WRITTEN_KEY: 1.25e-6}


@pytest.fixture
def _cost_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", SimpleNamespace(model_cost={"gpt-mini": MINI, "claude-haiku": HAIKU}))


@pytest.mark.usefixtures("_cost_map")
def test_prices_are_the_cost_maps_with_the_variables_over_them() -> None:
    assert pool_of([("anthropic/claude-haiku", {}, 1)]).prices == Prices(1e-6, 1e-7, 1.25e-6, 4e-6)
    # Without their own prices, cache reads and writes cost as much as input.
    assert pool_of([("openai/gpt-mini", {}, 1)]).prices == Prices(1e-6, 1e-6, 1e-6, 4e-6)
    assert pool_of([("openai/gpt-mini", {CACHED_KEY: 0}, 1)]).prices == Prices(1e-6, 0.0, 1e-6, 4e-6)


@pytest.mark.usefixtures("_cost_map")
def test_a_pool_costs_what_its_deployments_do_by_weight() -> None:
    dear = {FRESH_KEY: 5e-6, ANSWER_KEY: 8e-6}
    prices = pool_of([("openai/gpt-mini", {}, 3), ("openai/gpt-mini", dear, 1)]).prices
    assert prices is not None
    assert (prices.fresh, prices.answer) == pytest.approx((2e-6, 5e-6))


@pytest.mark.usefixtures("_cost_map")
@pytest.mark.parametrize(
    "models",
    [
        [("openai/nobody-knows", {}, 1)],
        [("openai/gpt-mini", {}, 1), ("openai/nobody-knows", {}, 1)],
        [("openai/gpt-mini", {FRESH_KEY: None}, 1)],
        [("openai/gpt-mini", {}, 0)],
        [],
    ],
)
def test_prices_that_one_model_lacks_are_not_known(models: list[tuple[str, dict[str, object], float]]) -> None:
    assert pool_of(models).prices is None


@pytest.mark.parametrize("value", [-1e-6, "1e-6", True, 2.5, float("nan"), [1e-6]])
def test_a_price_that_is_none_is_named_with_its_key(value: object) -> None:
    (fault,) = price_faults({FRESH_KEY: value, ANSWER_KEY: 1e-6})
    assert fault.startswith(f"{FRESH_KEY}: must be dollars a token")


def test_odd_prices_are_said_with_both_pools() -> None:
    usual, dearer = Prices(1e-6, 1e-7, 1e-6, 4e-6), Prices(3e-6, 3e-7, 3e-6, 1.5e-5)
    assert odd_prices("mini", usual, "large", dearer) == []
    (input_odd, output_odd) = odd_prices("mini", dearer, "large", usual)
    assert "the strong pool large costs less than of the cheap pool mini" in input_odd
    assert output_odd.startswith("output")
    (apart,) = odd_prices("mini", usual, "large", Prices(2e-3, 2e-4, 2e-3, 1.5e-5))
    assert "2000 times apart" in apart
    assert "mini" in apart
    assert "large" in apart
    # A self-hosted model that costs nothing is not a mistake.
    assert odd_prices("own", Prices(0.0, 0.0, 0.0, 0.0), "large", dearer) == []
