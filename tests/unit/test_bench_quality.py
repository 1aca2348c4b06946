"""The benchmark of routing quality, on labels with a planted rule: it finds the rule, and knows the chance level."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from bench.routing import quality
from bench.routing.data import Outcome
from vibe.scoring.scorer import load_prior
from vibe_labels import made_labels


@pytest.fixture(scope="module")
def rows() -> list[Outcome]:
    """Prompts of two projects, 200 each; the weak model fails those about the law."""
    made = made_labels(400, planted=True)
    return [
        Outcome(f"{name}_x", row["prompt"], row["weak_score"], row["strong_score"])
        for name, part in (("one", made[:200]), ("two", made[200:]))
        for row in part
    ]


def test_a_head_on_a_sources_own_labels_finds_what_the_prior_cannot(rows: list[Outcome]) -> None:
    labels = [quality.labelled(row) for row in rows]
    found = quality.with_labels(rows, labels, load_prior(), draws=2)
    learnt = found["ours, 100 labels"]
    assert learnt["sources"] == 2
    # A perfect order reaches 0.8 if 40 % of the prompts gain.
    assert learnt["ours"] > 0.7
    assert learnt[quality.OURS] < 0.6
    assert found["ours, 400 labels"] == {"sources": 0}, "no source has so many"


def test_the_interval_of_chance_holds_nothing_gained_and_that_of_the_truth_does_not(rows: list[Outcome]) -> None:
    chance = random.Random(3)
    length = [float(len(row.prompt)) for row in rows]
    low, high = quality.intervals([chance.random() for _ in rows], length, rows)
    assert low < 0 < high
    low, _ = quality.intervals([row.gain for row in rows], length, rows)
    assert low > 0.1


def test_without_the_prompts_it_runs_on_our_own_and_says_that_they_are_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIBE_DATA", str(tmp_path / "missing"))
    # Its image is not there in a unit test.
    monkeypatch.setattr(quality, "litellm", lambda image, prompts: {})
    monkeypatch.setattr("sys.argv", ["quality.py", "--image", "none"])
    assert quality.main() == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["rows"], found["made up"], found["labels"]) == (64, True, {})
    assert "whose outcomes are made up" in said.err
    # Half of them gain, so no order reaches more than 0.75.
    assert 0.5 < found["scorers"][quality.OURS]["macro APGR"] <= 0.75
