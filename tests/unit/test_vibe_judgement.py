"""The judgement model: it judges the instruction, in any language, regardless of material; its file is small."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from bench.routing.judgement_data import COMPOSED, PAIRS, prompts, rows
from hypothesis import given
from hypothesis import strategies as st
from vibe.scoring.judgement import Judgement
from vibe.scoring.judgement_features import STRUCTURE_NAMES, features_of
from vibe.scoring.prompt_parts import split
from vibe.scoring.said import named_phrases, pieces_of, words_in
from vibe.scoring.scorer import PRIOR_FILE, load_prior
from vibe.scoring.weights_file import WeightsFileError, checksum_of
from vibe_router import COMPLEXITY_THRESHOLD

PRIOR = load_prior()
MODEL = PRIOR.judgement
MAX_FILE_BYTES = 400_000
PROOF = "Theorem. There are infinitely many primes. Proof. Suppose that there are finitely many, and multiply them all."

# It is right on four in five unseen prompts (./test.sh bench quality); these are examples.
EASY = (
    *("hi", "thanks!", "what's the capital of Peru?", "fix the spelling: teh consensus algorithm is proven"),
    "Translate this proof into French: Theorem. There are infinitely many primes.",
    f"tl;dr\n\n```\n{PROOF * 10}\n```",
    *("Wat is de hoofdstad van Peru?", "Переклади українською: good morning", "什么是DNS?", "ما هي عاصمة بيرو؟"),
)
HARD = (
    "Why do the two nodes sometimes both become leader, and how do I make sure it never happens?",
    "Prove that the scheduler is fair under any arrival order, or give a counterexample.",
    "Design a rate limiter for three regions and prove its bound; compare it with a token bucket per region.",
    "Bewijs dat de planner eerlijk is of geef een tegenvoorbeeld",
    "Доведи, що планувальник справедливий, або наведи контрприклад",
)


@pytest.mark.parametrize("prompt", EASY)
def test_what_is_easy_is_easy_whatever_words_it_has(prompt: str) -> None:
    assert MODEL.score(prompt).value < COMPLEXITY_THRESHOLD


@pytest.mark.parametrize("prompt", HARD)
def test_what_is_hard_is_hard_however_short(prompt: str) -> None:
    assert MODEL.score(prompt).value >= COMPLEXITY_THRESHOLD


def test_the_file_is_small_and_of_these_features() -> None:
    assert PRIOR_FILE.stat().st_size <= MAX_FILE_BYTES
    assert len(MODEL.model.weights) == len(STRUCTURE_NAMES)


def test_the_shipped_model_is_the_fitted_one() -> None:
    # On its training data, so this does not measure quality: with the wrong features it would be at chance level.
    sample = [prompt for prompt in prompts() if prompt.source != COMPOSED][::10]
    right = sum((MODEL.score(prompt.text).raw > 0) == prompt.strong for prompt in sample)
    assert right / len(sample) > 0.9


def test_the_features_are_those_that_the_file_was_fitted_to() -> None:
    samples = json.loads(PRIOR_FILE.read_text(encoding="utf-8"))["samples"]
    assert len(samples) > 20
    for text, log_odds in samples:
        assert MODEL.score(text).raw == pytest.approx(log_odds, abs=1e-4), text


@pytest.mark.parametrize("page", ["CHANGELOG.md", "docs/routing.md", "docs/benchmarks.md"])
def test_the_pages_know_how_many_prompts_there_are(page: str) -> None:
    found = prompts()
    text = (Path(__file__).resolve().parents[2] / page).read_text(encoding="utf-8")
    assert re.search(rf"{len(found):,}\s+prompts", text)
    assert re.search(rf"\b{len({prompt.lang for prompt in found})}\s+languages", text)


def test_of_twins_the_hard_one_is_harder() -> None:
    twins = rows(PAIRS)
    ordered = sum(MODEL.score(row["b"]["prompt"]).raw > MODEL.score(row["a"]["prompt"]).raw for row in twins)
    assert ordered / len(twins) > 0.95


def test_the_words_that_weigh_most_are_named() -> None:
    leading = MODEL.leading("Prove that the scheduler is fair", 5)
    assert len(leading) == 5
    assert "prove" in " ".join(text for text, _ in leading)
    sizes = [abs(part) for _, part in leading]
    assert sizes == sorted(sizes, reverse=True)
    assert MODEL.leading("", 5) == []


def test_words_are_words_in_every_script() -> None:
    assert words_in("Don't panic, 42 times!") == ["don't", "panic", ",", "0", "times", "!"]
    assert words_in("分散システム") == ["分散", "散シ", "シス", "ステ", "テム"]
    assert len(pieces_of("scheduler")) > 10


def test_each_phrase_has_a_name() -> None:
    prompt = "why does my leader flap when NTP steps?"
    said = features_of(split(prompt), prompt).instruction
    named = named_phrases(said.words)
    assert named.keys() <= said.phrases
    assert {"leader flap", "my leader flap"} <= set(named.values())


@pytest.mark.parametrize("prompt", ["", " ", "\0", "\ud800", "z\u0301" * 3000, "[" * 100_000, "x\n" * 50_000, "\u202e"])
def test_every_text_has_a_score(prompt: str) -> None:
    assert 0.0 <= MODEL.score(prompt).value <= 100.0


@given(st.text(max_size=300))
def test_any_text_has_finite_log_odds(prompt: str) -> None:
    assert math.isfinite(MODEL.score(prompt).raw)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("words", "no \\ base85", "words: must be compressed bytes in Base85"),
        ("pieces", "c$@<O00001", "pieces: must have 65536 bytes, has 0"),
        ("weights", [1.0], "weights: must be a list of"),
        ("names", ["other"], "is for other features than this release has"),
        ("words_scale", "x", "words_scale: must be a number"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(
    key: str, value: object, said: str, tmp_path: Path
) -> None:
    document = {**json.loads(PRIOR_FILE.read_text(encoding="utf-8")), key: value}
    document["checksum"] = checksum_of(document)
    path = tmp_path / "judgement.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(WeightsFileError, match=said) as caught:
        load_prior(path)
    assert str(path) in str(caught.value)


def test_a_word_is_judged_alike_before_and_after_it_is_remembered() -> None:
    fresh = Judgement(replace(MODEL.model, _known={}))
    assert fresh.score("prove it, prove it again") == fresh.score("prove it, prove it again")
