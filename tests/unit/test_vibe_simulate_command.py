"""The command simulate: tables or one JSON document, and refused input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from vibe.commands.cli import SIMULATED, main
from vibe.simulation.price_pairs import SHIPPED, load_pairs
from vibe.simulation.synthetic_traffic import KINDS

PAIRS = load_pairs()


def _run(*words: str) -> int:
    return main(["simulate", *words], Path("/nonexistent"), 50.0)


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
    monkeypatch.setitem(sys.modules, "vibe.commands.simulate", None)
    assert _run() == 1
    assert "run it in the project's folder" in capsys.readouterr().err


def test_the_command_offers_the_kinds_that_there_are() -> None:
    assert SIMULATED == KINDS
