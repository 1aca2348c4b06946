"""The judgement model: by what is asked, in any language, whatever was pasted; its file is whole and small."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from bench.routing.judgement_data import COMPOSED, PAIRS, prompts, rows
from hypothesis import given
from hypothesis import strategies as st
from vibe.scoring.judgement import Judgement, load_judgement
from vibe.scoring.judgement_features import STRUCTURE_NAMES, features_of, hash_of, named_phrases, words_in
from vibe.scoring.prompt_parts import split
from vibe.scoring.weights_file import WeightsFileError, checksum_of

JUDGEMENT_FILE = Path(__file__).resolve().parents[1] / "bench/routing/judgement.json"
MODEL = load_judgement(JUDGEMENT_FILE)
MAX_FILE_BYTES = 400_000
PROOF = "Theorem. There are infinitely many primes. Proof. Suppose that there are finitely many, and multiply them all."

# Four in five prompts that it has not seen are on the right side (fit_judgement.py --evaluate); these show what for.
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
    assert MODEL.probability(prompt) < 0.5


@pytest.mark.parametrize("prompt", HARD)
def test_what_is_hard_is_hard_however_short(prompt: str) -> None:
    assert MODEL.probability(prompt) > 0.5


def test_the_file_is_small_and_of_these_features() -> None:
    assert JUDGEMENT_FILE.stat().st_size <= MAX_FILE_BYTES
    assert len(MODEL.structure) == len(STRUCTURE_NAMES)


def test_the_shipped_model_is_the_fitted_one() -> None:
    # On what it was fitted to, so this says nothing of how good it is: a table of other features would be a coin.
    sample = [prompt for prompt in prompts() if prompt.source != COMPOSED][::10]
    right = sum((MODEL.logit(prompt.text) > 0) == prompt.strong for prompt in sample)
    assert right / len(sample) > 0.9


def test_the_features_are_those_that_the_file_was_fitted_to() -> None:
    samples = json.loads(JUDGEMENT_FILE.read_text(encoding="utf-8"))["samples"]
    assert len(samples) > 20
    for text, logit in samples:
        assert MODEL.logit(text) == pytest.approx(logit, abs=1e-4), text


def test_of_twins_the_hard_one_is_harder() -> None:
    twins = rows(PAIRS)
    ordered = sum(MODEL.logit(row["b"]["prompt"]) > MODEL.logit(row["a"]["prompt"]) for row in twins)
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
    assert len(hash_of("scheduler").pieces) > 10


def test_each_phrase_has_a_name() -> None:
    prompt = "why does my leader flap when NTP steps?"
    features = features_of(split(prompt), prompt)
    named = named_phrases(features.words)
    assert named.keys() <= features.phrases
    assert {"leader flap", "my leader flap"} <= set(named.values())


@pytest.mark.parametrize("prompt", ["", " ", "\0", "\ud800", "z\u0301" * 3000, "[" * 100_000, "x\n" * 50_000, "\u202e"])
def test_every_text_has_a_probability(prompt: str) -> None:
    assert 0.0 <= MODEL.probability(prompt) <= 1.0


@given(st.text(max_size=300))
def test_any_text_has_a_finite_logit(prompt: str) -> None:
    assert math.isfinite(MODEL.logit(prompt))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("words", "no base64!", "words: must be compressed bytes in Base64"),
        ("pieces", "eJwDAAAAAAE=", "pieces: must have 65536 bytes, has 0"),
        ("structure", [1.0], "structure: must be a list of"),
        ("structure_names", ["other"], "is for other features than this release has"),
        ("words_scale", "x", "words_scale: must be a number"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(
    key: str, value: object, said: str, tmp_path: Path
) -> None:
    document = {**json.loads(JUDGEMENT_FILE.read_text(encoding="utf-8")), key: value}
    document["checksum"] = checksum_of(document)
    path = tmp_path / "judgement.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(WeightsFileError, match=said) as caught:
        load_judgement(path)
    assert str(path) in str(caught.value)


def test_a_word_is_judged_alike_before_and_after_it_is_remembered() -> None:
    fresh = Judgement(MODEL.base, MODEL.structure, MODEL.tables, MODEL.scales)
    assert fresh.logit("prove it, prove it again") == fresh.logit("prove it, prove it again")
