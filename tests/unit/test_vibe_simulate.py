"""The policies for moving conversations, over a thousand conversations at three real pairs of prices."""

from __future__ import annotations

from pathlib import Path

import pytest
from vibe.memory.verdict import CHEAP, STRONG
from vibe.simulation.billing import Bill, Pair, Tariff
from vibe.simulation.outcome import Outcome, outcomes
from vibe.simulation.price_pairs import load_pairs
from vibe.simulation.synthetic_traffic import CONTINUATION, LOOP, PROMPT, Talk, Turn, conversations

THRESHOLD = 50.0
PAIRS = load_pairs()
# These serve hard prompts with the weak model by design, so they save nothing.
CARELESS = ("pinned", "all cheap")


@pytest.fixture(scope="module")
def talks() -> list[Talk]:
    """A thousand conversations."""
    return list(conversations(1000, seed=1))


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: pair.name)
def found(talks: list[Talk], request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """The outcome of each policy."""
    return outcomes(talks, request.param, THRESHOLD)


def test_ours_moves_by_prompts_alone(found: dict[str, Outcome]) -> None:
    for name in ("priced", "margins", "upward"):
        assert set(found[name].moves) == {PROMPT}, name
    assert found["each turn alone"].moves[CONTINUATION] > 0


def test_priced_is_nowhere_dearer_than_the_best_of_the_careful(found: dict[str, Outcome]) -> None:
    others = [one.bill.total for name, one in found.items() if name not in ("priced", *CARELESS)]
    assert found["priced"].bill.total <= 1.02 * min(others)
    assert found["priced"].bill.total < 0.9 * found["upward"].bill.total


def test_priced_serves_no_hard_turn_weakly_that_upward_serves_strongly(found: dict[str, Outcome]) -> None:
    assert found["priced"].served_weakly <= found["upward"].served_weakly
    # At this point, saving more is worse.
    assert all(found[name].weak > 10 * found["priced"].weak for name in CARELESS)


def test_long_documents_with_short_questions_are_what_prices_are_for() -> None:
    talks = list(conversations(1000, seed=1, kinds=("document",), hard_share=0.5))
    found = outcomes(talks, PAIRS[0], THRESHOLD)
    best_of_the_others = min(found[name].bill.total for name in ("margins", "upward", "each turn alone"))
    assert found["priced"].bill.total < 0.96 * best_of_the_others


def test_the_traffic_is_what_it_is_said_to_be(talks: list[Talk]) -> None:
    chats = [talk for talk in talks if talk.client == "chat" and talk.turns[0].asked < 5000]
    turns = [turn for talk in talks for turn in talk.turns]
    assert 3.0 < sum(len(talk.turns) for talk in chats) / len(chats) < 4.1, "between 2.5 of chats and 4.6 of mixed ones"
    calls = [turn.answered for turn in turns if turn.kind == LOOP]
    assert sum(calls) / len(calls) == pytest.approx(182, rel=0.05)
    assert list(conversations(20, seed=3)) == list(conversations(20, seed=3))
    assert list(conversations(20, seed=3)) != list(conversations(20, seed=4))


def _bill(*turns: tuple[float, int, int, str]) -> Bill:
    """Return the cost of one conversation without a system prompt; a turn is (time, before, asked, side)."""
    bill, talk = Bill(PAIRS[0]), Talk("chat", 0)
    for at, before, asked, side in turns:
        bill.add(talk, at, before, asked, 100, side)
    return bill


def test_a_provider_bills_what_its_cache_has_and_what_it_takes_in() -> None:
    prices = PAIRS[0].strong.prices
    bill = _bill((0.0, 0, 2000, STRONG), (299.0, 2100, 50, STRONG))
    assert bill.written == pytest.approx((2000 + 150) * prices.written)
    assert bill.cached == pytest.approx(2000 * prices.cached)
    assert bill.answer == pytest.approx(200 * prices.answer)
    late = _bill((0.0, 0, 2000, STRONG), (300.0, 2100, 50, STRONG))
    assert late.cached == 0.0
    assert late.written == pytest.approx((2000 + 2150) * prices.written)
    # Haiku caches no prompt below 4,096 tokens.
    short = _bill((0.0, 0, 2000, CHEAP), (10.0, 2100, 50, CHEAP))
    assert (short.cached, short.written) == (0.0, 0.0)
    assert short.fresh == pytest.approx(4150 * PAIRS[0].cheap.prices.fresh)


def test_what_all_conversations_of_a_client_begin_with_is_kept_once() -> None:
    tariff = Tariff(PAIRS[0].strong.prices, 1024)
    bill = Bill(Pair("one", tariff, tariff, 300.0))
    for number in range(2):
        talk = Talk("coding", 15_000, [Turn(float(number), PROMPT, 90.0, 90.0, 100, 100)])
        bill.add(talk, float(number), 0, 100, 100, STRONG)
    assert bill.cached == pytest.approx(15_000 * tariff.prices.cached)


def test_the_table_of_the_docs_is_what_comes_out(found: dict[str, Outcome]) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/routing.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if "| $" in line]
    assert len(rows) == len(found)
    pair = next(iter(found.values())).bill.pair
    column = 1 + [one.name for one in PAIRS].index(pair.name)
    for row, (name, one) in zip(rows, found.items(), strict=True):
        assert row[0].startswith(name)
        assert row[column] == f"${one.bill.total:.2f}"
        assert int(row[-1]) == one.weak
