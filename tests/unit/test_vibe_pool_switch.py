"""When a prompt moves its conversation: up if the prompt needs it, down if that saves money."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from vibe.memory.conversation_state import State
from vibe.memory.standing import NEW, Standing
from vibe.memory.verdict import CHEAP, STRONG
from vibe.request import request
from vibe.request.prompt import CHAT, MESSAGES, RESPONSES
from vibe.request.request import read_request
from vibe.request.turns import Dialogue
from vibe.routes.family import OFF, PRICED, UPWARD, Family
from vibe.routes.pool import Pool
from vibe.routes.prices import Prices
from vibe.routes.routes_file import Routes
from vibe.routing.decision import decide
from vibe.rules import pool_switch
from vibe.rules.cost_forecast import USUAL_ANSWER, USUAL_GROWTH, USUAL_TURNS, CostForecast, forecast_cost
from vibe.rules.pool_switch import cost, side_for
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD

# Claude Haiku 4.5 and Sonnet 4.6, dollars per token.
HAIKU, SONNET = Prices(1e-6, 1e-7, 1.25e-6, 5e-6), Prices(3e-6, 3e-7, 3.75e-6, 1.5e-5)
FAMILY = Family(
    *("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard"),
    threshold=50.0,
    cheap=Pool(prices=HAIKU),
    strong=Pool(prices=SONNET),
)
NOW = 1_000_000
EASY_SCORE, HARD_SCORE = 10.0, 90.0
SHORT, LONG = CostForecast(prefix=500, prompt=50), CostForecast(prefix=80_000, prompt=50, turns=1.0)
WARM = State(STRONG, False, 0, 0, at=NOW - 60)


def _side(score: float, state: State | None, ahead: CostForecast, **family: Any) -> str:
    standing = NEW if state is None else Standing(state)
    return side_for(score, standing, replace(FAMILY, **family), NOW, lambda: ahead)


def test_a_short_conversation_comes_down_and_a_long_one_stays_where_its_cache_is() -> None:
    assert _side(EASY_SCORE, WARM, SHORT) == CHEAP
    assert _side(EASY_SCORE, WARM, LONG) == STRONG


def test_a_long_conversation_comes_down_where_it_pays_all_the_same() -> None:
    # The cache has expired: either pool reads it again.
    assert _side(EASY_SCORE, replace(WARM, at=NOW - 301), LONG) == CHEAP
    # The cheap pool still has it in its cache.
    assert _side(EASY_SCORE, replace(WARM, left_at=NOW - 200, left_tokens=79_000), LONG) == CHEAP
    # The prompt will take many turns, each of which reads everything.
    assert _side(EASY_SCORE, WARM, replace(LONG, turns=12.0)) == CHEAP


@pytest.mark.parametrize("affinity", [PRICED, UPWARD])
def test_a_hard_prompt_goes_up_whatever_that_costs(affinity: str) -> None:
    assert _side(HARD_SCORE, State(CHEAP, False, 0, 0, at=NOW), LONG, affinity=affinity) == STRONG


def test_what_came_down_goes_up_without_a_margin() -> None:
    assert _side(52.0, State(CHEAP, False, 0, 0, at=NOW), SHORT) == CHEAP
    assert _side(52.0, State(CHEAP, False, 0, 0, at=NOW, left_at=NOW - 1000), SHORT) == STRONG


def test_upward_never_comes_down() -> None:
    assert _side(EASY_SCORE, WARM, SHORT, affinity=UPWARD) == STRONG


def test_without_prices_margins_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_switch, "cost", None)
    for unknown in ({"cheap": Pool()}, {"strong": Pool()}):
        assert _side(EASY_SCORE, WARM, LONG, **unknown) == CHEAP
        assert _side(45.0, WARM, LONG, **unknown) == STRONG


def test_what_was_escalated_stays() -> None:
    assert _side(EASY_SCORE, replace(WARM, escalated=True), SHORT) == STRONG


def test_a_bill_is_what_the_providers_would_send() -> None:
    ahead = CostForecast(prefix=1000, prompt=100, answer=200, growth=500, turns=3)
    read, written, answer = HAIKU.cached, HAIKU.written, HAIKU.answer
    turns = [
        600 * read + (400 + 100) * written,
        1100 * read + 500 * written,
        1600 * read + 500 * written,
    ]
    assert cost(ahead, HAIKU, 600) == pytest.approx(sum(turns) + 3 * 200 * answer)
    assert cost(ahead, HAIKU, 5000) == pytest.approx(cost(ahead, HAIKU, 1000))


def _turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def test_the_outlook_is_read_from_the_conversation() -> None:
    before = [_turn("user", "x" * 400), _turn("assistant", "y" * 4000), _turn("assistant", "y" * 4000)]
    seen = forecast_cost(read_request({"messages": [*before, _turn("user", "z" * 80)]}, CHAT).dialogue)
    assert (seen.prefix, seen.prompt) == (2100.0, 20.0)
    assert seen.answer == (USUAL_ANSWER + 2000) / 3
    assert seen.growth == (USUAL_GROWTH + 2100) / 3
    assert seen.turns == (USUAL_TURNS + 2) / 2
    empty = forecast_cost(read_request({"messages": [_turn("user", "hi")]}, CHAT).dialogue)
    assert (empty.prefix, empty.answer, empty.turns) == (0.0, USUAL_ANSWER, USUAL_TURNS)


@pytest.mark.parametrize(
    ("turn", "call_type"),
    [
        ({"role": "assistant", "content": None, "tool_calls": [{"function": {"arguments": "x" * 4000}}]}, CHAT),
        ({"role": "assistant", "content": [{"type": "tool_use", "input": {"text": "x" * 4000, "n": 1}}]}, MESSAGES),
        ({"type": "function_call", "name": "edit", "arguments": "x" * 4000}, RESPONSES),
        ({"type": "custom_tool_call", "name": "patch", "input": "x" * 4000}, RESPONSES),
    ],
)
def test_what_a_model_gave_to_tools_is_part_of_the_conversation(turn: dict[str, Any], call_type: str) -> None:
    field = "input" if call_type == RESPONSES else "messages"
    seen = forecast_cost(read_request({field: [_turn("user", "hi"), turn, _turn("user", "hi")]}, call_type).dialogue)
    assert seen.prefix == pytest.approx(1000, rel=0.01)
    assert seen.answer == pytest.approx((USUAL_ANSWER + 1000) / 2, rel=0.01)


@pytest.mark.parametrize("odd", [None, 7, "x", [None], [{"function": None}], [{"function": {"arguments": None}}]])
def test_odd_calls_are_tolerated(odd: object) -> None:
    turns = [
        {"role": "assistant", "type": {"a": 1}, key: odd} for key in ("tool_calls", "arguments", "input", "content")
    ]
    assert forecast_cost(Dialogue("hi", [*turns, "x", None], len(turns) + 2)).prefix < 3


def test_with_affinity_off_each_turn_is_scored_by_itself() -> None:
    family = replace(FAMILY, affinity=OFF)
    routes = Routes({family.virtual_model: family}, frozenset((family.cheap_pool, family.strong_pool)))
    headers = {"proxy_server_request": {"headers": {"x-session-id": "one"}}}
    hard = [_turn("user", HARD)]
    first, state = decide(family, routes, load_prior(), read_request({"messages": hard, **headers}, CHAT))
    assert first.pool == family.strong_pool
    going_on = [*hard, _turn("assistant", "Done."), _turn("user", "ok go ahead")]
    asked = read_request({"messages": going_on, **headers}, CHAT)
    assert decide(family, routes, load_prior(), asked, state)[0].pool == family.cheap_pool
    assert decide(FAMILY, routes, load_prior(), asked, state)[0].pool == family.strong_pool


def test_the_times_of_a_conversation_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    routes = Routes({FAMILY.virtual_model: FAMILY}, frozenset((FAMILY.cheap_pool, FAMILY.strong_pool)))
    clock = float(NOW)
    monkeypatch.setattr(request, "time", lambda: clock)
    turns: list[dict[str, str]] = []
    state: State | None = None

    def ask(text: str) -> State | None:
        nonlocal state
        turns.append(_turn("user", text))
        body = {"messages": turns, "proxy_server_request": {"headers": {"x-session-id": "one"}}}
        new = decide(FAMILY, routes, load_prior(), read_request(body, CHAT), state)[1]
        turns.append(_turn("assistant", "a" * 400))
        state = new or state
        return new

    assert ask(HARD) == State(STRONG, False, 0, state.prompt if state else 0, at=NOW)
    clock += 10
    assert ask("ok go ahead") is None, "what says nothing new is not written again"
    clock += 30
    new = ask("ok go ahead")
    assert new is not None
    assert new.at == NOW + 40
    clock += 5
    new = ask("What is the capital of Peru?")
    assert new is not None
    assert (new.side, new.at, new.left_at) == (CHEAP, NOW + 45, NOW + 40)
    assert new.left_tokens > 300
