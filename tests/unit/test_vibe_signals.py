"""An operator's phrases: whole words of the instruction, in any language; they outweigh the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vibe.commands import cli
from vibe.routes.routes_file import RoutesError, load_routes
from vibe.routes.signals import MAX_PHRASES, Signals
from vibe.rules import RULE_NAMES
from vibe.scoring.family_scorers import load_scorers
from vibe.scoring.scorer import load_prior
from vibe.scoring.signals import LOG_ODDS, Signalled
from vibe_fixtures import HARD, HI, routes_document

PRIOR = load_prior()
SIGNALS = Signals(strong=("incident review", "C++", "事故復盤", "bế"), cheap=("release notes", "Grüße"))
SCORER = Signalled(PRIOR, SIGNALS)


def _routes(folder: Path, signals: Any) -> Path:
    document = routes_document()
    document["families"]["chat"]["signals"] = signals
    path = folder / "vibe_routes.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("hi, an Incident\n review please", 1),
        ("write me some c++", 1),
        ("请写一份事故復盤报告", 1),
        (f"Release notes: {HARD}", -1),
        ("schöne grüße aus Köln", -1),
        ("release notes of the incident review", 0),
        ("incident reviews", None),
        ("bế bé", 1),
        ("bến xe", None),
        ("prerelease notes", None),
        (f"Summarize this:\n```\n{'incident review ' * 20}\n```", None),
        ("", None),
    ],
)
def test_a_phrase_of_the_instruction_moves_the_score(text: str, sign: int | None) -> None:
    scored, plain = SCORER.score(text), PRIOR.score(text)
    if sign is None:
        assert scored == plain
    else:
        assert scored.raw == pytest.approx(plain.raw + sign * LOG_ODDS)


@pytest.mark.parametrize("text", ["\0" * 1000, "\ud800 incident review", "incident " * 100_000])
def test_any_text_is_scored(text: str) -> None:
    assert 0 <= SCORER.score(text).value <= 100


def test_only_the_family_that_has_them_follows_and_explain_shows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _routes(tmp_path, {"strong": ["hi"]})
    routes = load_routes(path, RULE_NAMES)
    scorers = load_scorers(routes, tmp_path)
    families = {family.name: family for family in routes.by_virtual_model.values()}
    assert scorers.of(families["codex"]) is scorers.shared
    assert cli.main(["explain", HI, "--routes", str(path)], tmp_path, 50) == 0
    said = capsys.readouterr().out
    assert "signals, strong  hi\nsignals, cheap   none\n" in said
    assert "chat-auto -> pool-chat-standard" in said
    assert "codex-auto -> pool-codex-mini" in said


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ([], "must be an object of strong and cheap"),
        ({"hard": []}, "must be an object of strong and cheap"),
        ({"strong": "x"}, "strong must be a list of phrases"),
        ({"strong": [7]}, "strong must be a list of phrases"),
        ({"cheap": [" - "]}, "cheap has ' - ': a phrase has 1 to 100 characters, a letter or digit among them"),
        ({"cheap": ["x" * 101]}, "a phrase has 1 to 100 characters"),
        ({"strong": ["Review"], "cheap": ["review "]}, "has 'review' twice"),
        ({"strong": [f"w{number}" for number in range(MAX_PHRASES + 1)]}, "has 201 phrases, 200 are allowed"),
    ],
)
def test_signals_that_make_no_sense_are_refused(tmp_path: Path, signals: Any, said: str) -> None:
    with pytest.raises(RoutesError, match=r"families\.chat\.signals: ") as refusal:
        load_routes(_routes(tmp_path, signals), RULE_NAMES)
    assert said in str(refusal.value)
