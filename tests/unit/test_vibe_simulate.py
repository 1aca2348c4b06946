"""The policies of moving conversations, over a thousand of them at three real pairs of prices."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from vibe.cli import SIMULATED, main
from vibe.simulation.billing import Bill, Pair, Tariff
from vibe.simulation.outcome import Outcome, outcomes
from vibe.simulation.pairs import SHIPPED, load_pairs
from vibe.simulation.records import read_records
from vibe.simulation.traffic import ASK, CONTINUATION, KINDS, LOOP, Talk, Turn, conversations
from vibe.verdict import CHEAP, STRONG

THRESHOLD = 50.0
PAIRS = load_pairs()
# These serve hard asks weakly by their nature: what they save is no saving.
CARELESS = ("pinned", "all cheap")


@pytest.fixture(scope="module")
def talks() -> list[Talk]:
    """A thousand conversations."""
    return list(conversations(1000, seed=1))


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: pair.name)
def found(talks: list[Talk], request: pytest.FixtureRequest) -> dict[str, Outcome]:
    """The outcome of each policy."""
    return outcomes(talks, request.param, THRESHOLD)


def test_ours_moves_by_asks_alone(found: dict[str, Outcome]) -> None:
    for name in ("priced", "margins", "upward"):
        assert set(found[name].moves) == {ASK}, name
    assert found["each turn alone"].moves[CONTINUATION] > 0


def test_priced_is_nowhere_dearer_than_the_best_of_the_careful(found: dict[str, Outcome]) -> None:
    others = [one.bill.total for name, one in found.items() if name not in ("priced", *CARELESS)]
    assert found["priced"].bill.total <= 1.02 * min(others)
    assert found["priced"].bill.total < 0.9 * found["upward"].bill.total


def test_priced_serves_no_hard_turn_weakly_that_upward_serves_strongly(found: dict[str, Outcome]) -> None:
    assert found["priced"].served_weakly <= found["upward"].served_weakly
    # So much that saves more is worse.
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
    """Return the bill of one conversation without a system prompt; a turn is (at, tokens before, asked, side)."""
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
    # Haiku keeps no prompt below 4,096 tokens.
    short = _bill((0.0, 0, 2000, CHEAP), (10.0, 2100, 50, CHEAP))
    assert (short.cached, short.written) == (0.0, 0.0)
    assert short.fresh == pytest.approx(4150 * PAIRS[0].cheap.prices.fresh)


def test_what_all_conversations_of_a_client_begin_with_is_kept_once() -> None:
    tariff = Tariff(PAIRS[0].strong.prices, 1024)
    bill = Bill(Pair("one", tariff, tariff, 300.0))
    for number in range(2):
        talk = Talk("coding", 15_000, [Turn(float(number), ASK, 90.0, 90.0, 100, 100)])
        bill.add(talk, float(number), 0, 100, 100, STRONG)
    assert bill.cached == pytest.approx(15_000 * tariff.prices.cached)


def _run(*words: str) -> int:
    return main(["simulate", *words], Path("/nonexistent"), THRESHOLD)


def test_the_command_prints_a_table_for_each_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--conversations", "20") == 0
    said = capsys.readouterr().out
    assert all(pair.name in said for pair in PAIRS)
    assert said.count("priced ") == len(PAIRS)
    assert _run("--conversations", "20", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["pairs"][PAIRS[0].name]["priced"]["moves"]["loop"] == 0


def _spoilt(change: Any) -> str:
    document = json.loads(SHIPPED.read_text(encoding="utf-8"))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not valid JSON"),
        ("[]", 'must have "pairs"'),
        ('{"pairs": []}', 'must have "pairs"'),
        ('{"pairs": [{}]}', "pairs[0]: must be an object with a name"),
        (_spoilt(lambda d: d["pairs"][1].pop("cache_life")), "pairs[1].cache_life: must be a number"),
        (_spoilt(lambda d: d["pairs"][0].pop("strong")), "pairs[0].strong: must be an object"),
        (
            _spoilt(lambda d: d["pairs"][0]["cheap"].update(input_cost_per_token=-1)),
            "pairs[0].cheap.input_cost_per_token: must be dollars a token",
        ),
        (
            _spoilt(lambda d: d["pairs"][0]["cheap"].pop("output_cost_per_token")),
            "pairs[0].cheap: input_cost_per_token and output_cost_per_token are needed",
        ),
    ],
)
def test_a_bad_file_of_prices_is_named_with_its_fault(
    text: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text, encoding="utf-8")
    assert _run("--prices", str(path)) == 1
    said = capsys.readouterr().err
    assert str(path) in said
    assert fault in said


def test_a_count_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--conversations", "0") == 1
    assert "--conversations: must be from 1" in capsys.readouterr().err
    assert _run("--hard-share", "1.5") == 1
    assert "--hard-share: must be from 0 to 1, is 1.5" in capsys.readouterr().err
    assert _run("--prices", "/nonexistent.json") == 1
    assert "/nonexistent.json: cannot be read" in capsys.readouterr().err


def test_a_host_says_that_it_does_without(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "vibe.simulation.command", None)
    assert _run() == 1
    assert "run it in the project's folder" in capsys.readouterr().err


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


def _log(*rows: tuple[str, str, str, str, int, int]) -> str:
    """Return a router's log; a row is (time, conversation, rule, score, input tokens, output tokens)."""
    lines = []
    for number, (at, conversation, rule, score, given, answer) in enumerate(rows):
        reasons = "tool loop" if rule == "inherit" and score == "loop" else "length +2.9, greeting -28.0"
        shown = "-" if rule == "inherit" else score
        call = f"conversation={conversation} request_id=r{number} call_id=c{number}"
        lines += [
            f"{at} [VIBE-ROUTER] [INFO] ROUTING DECISION virtual_model=chat-auto pool=pool-chat-mini rule={rule} "
            f'score={shown} threshold=60 reasons="{reasons}" {call} call_type=acompletion',
            "[17:00:00] [DEPLOY] [INFO] something else",
            f"{at} [VIBE-ROUTER] [INFO] SERVED virtual_model=chat-auto pool=pool-chat-mini input_tokens={given} "
            f"cached_tokens=0 written_tokens=0 output_tokens={answer} cost=- strong_cost=- saved=- {call}",
        ]
    return "\n".join(lines) + "\n"


TALK = (
    ("[23:59:50]", "a", "score", "90.0", 1000, 100),
    ("[23:59:58]", "a", "inherit", "loop", 1300, 50),
    ("[00:00:20]", "a", "inherit", "words", 1400, 60),
    ("[00:01:00]", "b", "score", "10.0", 500, 40),
    ("[00:02:00]", "a", "score", "20.0", 1500, 70),
)


def test_an_operators_own_log_is_simulated(tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    path.write_text(_log(*TALK), encoding="utf-8")
    records = read_records(path)
    assert records.threshold == 60.0
    assert not +records.left_out
    first, second = records.talks
    assert [turn.kind for turn in first.turns] == [ASK, LOOP, CONTINUATION, ASK]
    assert [turn.ask_score for turn in first.turns] == [90.0, 90.0, 90.0, 20.0]
    # Of 1300 tokens sent, 1000 were sent before and 100 came back.
    assert [turn.asked for turn in first.turns] == [1000, 200, 50, 40]
    assert [turn.at - first.turns[0].at for turn in first.turns] == [0, 8, 30, 130], "past midnight"
    assert len(second.turns) == 1


def test_dockers_timestamps_are_taken_where_there_are_any(tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    stamped = [
        (f"2026-11-{day}T10:00:00.123456789Z [10:00:00]", *row[1:]) for day, row in zip((27, 29), TALK[3:], strict=True)
    ]
    path.write_text(_log(*stamped), encoding="utf-8")
    one, other = read_records(path).talks
    assert other.turns[0].at - one.turns[0].at == 2 * 24 * 3600


def test_a_shortened_history_begins_a_conversation(tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    path.write_text(_log(TALK[0], ("[23:59:59]", "a", "inherit", "words", 200, 50)), encoding="utf-8")
    talks = read_records(path).talks
    assert [len(talk.turns) for talk in talks] == [1, 1]
    assert talks[1].turns[0].ask_score == 90.0


def test_what_is_cut_off_or_of_another_version_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "router.log"
    whole = _log(*TALK, ("[00:03:00]", "-", "background", "-", 5, 5), ("[00:04:00]", "c", "inherit", "words", 5, 5))
    lines = whole.splitlines()
    cut = [lines[2][:80], *lines[3:-1], lines[-1].replace("output_tokens", "out")]
    path.write_text("\n".join(cut), encoding="utf-8")
    assert _run("--records", str(path)) == 0
    said = capsys.readouterr().out
    assert "2 lines that are cut off or of another version" in said
    assert "1 requests of no conversation" in said
    assert "hard from 60 on" in said


@pytest.mark.parametrize(
    "spoilt",
    [
        ("input_tokens=1000", "input_tokens=-"),
        ("output_tokens=100", "output_tokens=1.5"),
        ("threshold=60", "threshold=-"),
    ],
)
def test_a_number_that_is_none_makes_a_line_of_no_use(spoilt: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    path.write_text(_log(TALK[0], TALK[3]).replace(*spoilt, 1), encoding="utf-8")
    records = read_records(path)
    assert records.left_out["lines that are cut off or of another version"] == 1
    assert len(records.talks) == 1


def test_the_command_offers_the_kinds_that_there_are() -> None:
    assert SIMULATED == KINDS


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", "no line of the router"), (_log(TALK[0])[:200], "1 lines that are cut off"), ("\x00\xff", "no line of the")],
)
def test_a_log_without_a_conversation_is_refused_by_its_name(
    text: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "router.log"
    path.write_text(text, encoding="utf-8")
    assert _run("--records", str(path)) == 1
    said = capsys.readouterr().err
    assert f"--records {path}: has no conversation to simulate" in said
    assert fault in said
    assert "docker logs --timestamps" in said
    assert _run("--records", str(tmp_path / "none")) == 1
    assert "cannot be read" in capsys.readouterr().err
