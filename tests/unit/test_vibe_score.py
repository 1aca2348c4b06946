"""The score: 0 to 100, from contributions in log odds; word features match whole words in every script."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibe.rules.score import reasons_of
from vibe.scoring.features import FEATURE_NAMES, features_of
from vibe.scoring.judgement import PARTS
from vibe.scoring.score import score_of
from vibe.scoring.scorer import load_prior
from vibe.scoring.text_view import TextView
from vibe_fixtures import HARD, HI
from vibe_router import COMPLEXITY_THRESHOLD, VibeIntelligentRouter

PRIOR = load_prior()
score = PRIOR.score
TIERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "tiers.jsonl.gz"
LEAST_AUROC = 0.85
EASY = (
    HI,
    "Hello, how are you?",
    "thanks!",
    "ok",
    "What is 2+2?",
    "What is the capital of France?",
    "Translate 'good morning' to French",
    "fix typo",
    "Write a haiku",
    "你好",
    "こんにちは",
    "안녕",
)
DIFFICULT = (
    HARD,
    "Prove that there are infinitely many primes.",
    "Design a distributed rate limiter for a multi-region API and justify the consistency trade-offs.",
    "设计一个分布式锁\uff0c说明在网络分区时为什么仍然安全",
    "为什么主节点在时钟跳变时会反复切换\uff0c怎么避免\uff1f",
    "分散システムのアーキテクチャを設計し、一貫性と可用性のトレードオフを説明してください。",
    "왜 리더가 두 개가 되는 경우가 생기고, 어떻게 막을 수 있나요?",
)


def _features(text: str) -> dict[str, float]:
    return dict(zip(FEATURE_NAMES, features_of(TextView(text)), strict=True))


@pytest.mark.parametrize("text", EASY)
def test_easy_prompts_score_below_the_threshold(text: str) -> None:
    assert VibeIntelligentRouter()._calculate_complexity(text) < COMPLEXITY_THRESHOLD


@pytest.mark.parametrize("text", DIFFICULT)
def test_hard_prompts_reach_the_threshold(text: str) -> None:
    assert VibeIntelligentRouter()._calculate_complexity(text) >= COMPLEXITY_THRESHOLD


def test_contributions_add_up_to_the_score() -> None:
    scored = score("Compare two sorting algorithms, if the input is nearly sorted.")
    assert scored.raw == pytest.approx(PRIOR.judgement.model.base + sum(part.log_odds for part in scored.contributions))
    assert {part.feature for part in scored.contributions} <= set(PARTS)


@pytest.mark.parametrize(("log_odds", "value"), [(-1e6, 0.0), (-1.0, 26.9), (0.0, 50.0), (1.0, 73.1), (1e6, 100.0)])
def test_a_score_is_a_hundred_times_a_probability(log_odds: float, value: float) -> None:
    assert score_of(0.0, ("words",), [1.0], [log_odds]).value == value


def test_reasons_name_no_word_of_the_prompt() -> None:
    reasons = reasons_of(score("Prove that my password is hunter2"))
    assert reasons
    assert {reason.split()[0] for reason in reasons} <= set(PARTS)


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        ("proof", "Give a rigorous proof"),
        ("math", "Evaluate ∫ x^2 dx"),
        ("code", "```\nx = 1\n```"),
        ("constraint", "It must use at most one loop"),
        ("condition", "What happens if it rains"),
        ("reasoning", "Justify the choice"),
        ("questions", "Who came? Who left?"),
        ("enumeration", "1. wash\n2. dry\n"),
        ("architecture", "Sketch the architecture"),
        ("hard_verb", "Refactor the module"),
        ("greeting", "good morning everyone"),
        ("acknowledgement", "yes, please continue"),
        ("very_short", "blue paint"),
        ("lookup", "Who is the king of Spain"),
        ("translate", "Please translate the menu"),
        ("small_talk_cjk", "谢谢"),
    ],
)
def test_a_head_sees_the_feature(feature: str, text: str) -> None:
    assert _features(text)[feature] > 0


@pytest.mark.parametrize("text", ["Is this thing in the shipping history?", "A designation of whichever okapi"])
def test_words_are_not_found_inside_other_words(text: str) -> None:
    found = _features(text)
    assert not any(found[name] for name in ("greeting", "hard_verb", "acknowledgement"))


def test_chinese_is_not_counted_short() -> None:
    english = "Please explain in detail how a relational database keeps its data safe when the power fails"
    chinese = "请详细解释关系数据库在断电时如何保证数据安全"
    assert len(chinese) < len(english) / 3
    assert TextView(chinese).tokens > TextView(english).tokens / 2


def test_the_prompt_at_the_end_of_a_huge_paste_counts() -> None:
    paste = "lorem ipsum dolor sit amet " * 4000
    hard, easy = (score(f"{paste}\n\n{asked}") for asked in ("Prove or disprove this claim.", "Say hello."))
    assert hard.raw > easy.raw + 1


def test_a_huge_text_costs_about_as_much_as_a_long_one() -> None:
    def cost(text: str) -> float:
        spent = []
        for _ in range(5):
            start = time.thread_time()
            score(text)
            spent.append(time.thread_time() - start)
        return min(spent)

    long, huge = "Design a system, if possible. " * 300, "Design a system, if possible. " * 300_000
    # A thousand times the text, with a generous factor for a busy machine.
    assert cost(huge) < 10 * cost(long)


@given(st.text())
def test_any_text_scores_within_bounds(text: str) -> None:
    assert 0 <= score(text).value <= 100


@given(st.text(alphabet=st.characters(), max_size=30))
def test_lone_surrogates_and_odd_characters_are_scored(text: str) -> None:
    assert 0 <= score(f"\ud800{text}\udfff").value <= 100


def test_tier_labels_are_separated() -> None:
    if not TIERS.exists():
        pytest.skip(f"labelled prompts are not part of the project: {TIERS.name} is absent")
    with gzip.open(TIERS, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    scored = sorted((score(row["prompt"]).raw, row["tier"] in ("COMPLEX", "REASONING")) for row in rows)
    hard = sum(is_hard for _, is_hard in scored)
    # Rank sum; ties in raw are too rare to matter here.
    ranks = sum(rank for rank, (_, is_hard) in enumerate(scored, start=1) if is_hard)
    auroc = (ranks - hard * (hard + 1) / 2) / (hard * (len(scored) - hard))
    assert auroc >= LEAST_AUROC
