"""Prompts that depend on the previous turn, prompts that call an answer wrong, and self-contained prompts."""

from __future__ import annotations

import gzip
import json
import unicodedata
from pathlib import Path

import pytest
from bench.routing.judgement_data import rows as rows_of
from hypothesis import given
from hypothesis import strategies as st
from vibe.routes.routes_file import Routes
from vibe.rules.complaint import is_complaint, is_listed_complaint
from vibe.rules.continuation import is_continuation, is_listed_continuation
from vibe.rules.continuation_words import LINKS
from vibe.scoring.family_scorers import load_scorers
from vibe.scoring.turn_models import TURNS_FILE, load_turn_models
from vibe.scoring.weights_file import WeightsFileError
from vibe_fixtures import HARD, HI

LABELLED = Path(__file__).resolve().parents[3] / "shared/data/tiers.jsonl.gz"

CONTINUING = (
    *("thanks, and in German?", "ok, but in Rust"),
    "Continue if you have next steps, or stop and ask for clarification if you are unsure how to proceed.",
    *("ok go ahead", "OK, go ahead!", "go on", "continue", "yes please", "sounds good, do it", "thanks", "👍", "no"),
    *("why is that?", "can you explain that again?", "make it shorter", "now the second one", "and in German?", "why?"),
    *("what about Python?", "do the same for Rust", "fix it", "Refactor this", "try again", "hi", "PostgreSQL", "2"),
    *("weiter", "ja, mach das bitte", "und auf Englisch?", "kannst du das kürzer machen?", "erkläre das genauer"),
    *("continue, s'il te plaît", "et en anglais ?", "explique ça", "sigue", "sí, hazlo", "explícame eso"),
    *("sim, continua", "faça isso", "sì, procedi", "spiegami questo", "продолжай", "да, давай", "объясни это"),
    *(
        "继续",
        "好的，继续",
        "为什么？",
        "这个呢",
        "続けてください",
        "はい、お願いします",
        "なぜですか",
        "계속해줘",
        "왜요?",
    ),
)
INDEPENDENT = (
    *(HARD, "Prove that there are infinitely many primes", "What is DNS?", "What is the second law of thermodynamics?"),
    *(
        "Is it raining in Paris today?",
        "capital of France?",
        "Define polymorphism",
        "Write a haiku about autumn leaves",
    ),
    *("How many continents are there?", "Translate 'good morning' to French", "Design a rate limiter", "Explain TCP"),
    *("Was ist Terraform?", "Qu'est-ce que le DNS ?", "¿Qué es un qubit?", "Что такое рекурсия?"),
    *(
        "请设计一个跨区域的高可用支付系统并证明其一致性",
        "量子纠缠是什么",
        "分散システムを設計してください",
        "블록체인이란 무엇인가",
    ),
    "it " * 200,
)


@pytest.mark.parametrize("prompt", CONTINUING)
def test_a_prompt_without_an_object_of_its_own_continues(prompt: str) -> None:
    assert is_continuation(prompt)


@pytest.mark.parametrize("prompt", INDEPENDENT)
def test_a_prompt_that_says_what_it_is_about_is_not_listed(prompt: str) -> None:
    assert not is_listed_continuation(prompt)


COMPLAINTS = (
    *(
        "that's wrong",
        "That is incorrect.",
        "No, it still doesn't work",
        "still fails",
        "wrong again",
        "it's not working",
    ),
    *("your code does not compile", "This didn't fix the issue", "same error", "I get the same error: KeyError 'a'"),
    *("you made a mistake", "the test still fails with exit code 1", "you're wrong", "hmm, that isn't right"),
    *("das ist falsch", "Das funktioniert immer noch nicht", "geht nicht", "c'est faux", "ça ne marche toujours pas"),
    *("está mal", "eso no funciona", "sigue sin funcionar", "está errado", "não funciona", "è sbagliato"),
    *("non funziona", "это неправильно", "всё равно не работает", "та же ошибка"),
    *("不对", "还是不行，报错了", "違います", "まだ動かない", "틀렸어요", "여전히 안 돼요"),
)
NO_COMPLAINTS = (
    *(
        "Don't run the tests yet",
        "Is broken glass dangerous?",
        "Mal de Alzheimer: ¿qué es?",
        "Errata corrige: che cos'è?",
    ),
    *("My printer does not work, what should I do?", "ok go ahead", "What is wrong with capitalism?", HARD, "thanks"),
    *(
        "Why does a wrong key answer 400?",
        "Fix the failing test in test_a.py",
        "Is it wrong to lie?",
        "great, it works",
    ),
    *("Write a test that fails when the header is missing", "Was ist falsch an diesem Satz: Er gehen nach Hause?"),
    *(
        "not now",
        "it is right",
        "什么是对错的哲学定义，请分析康德与边沁的不同观点",
        "You are a helpful assistant. Say hi.",
    ),
)


@pytest.mark.parametrize("prompt", COMPLAINTS)
def test_a_person_says_that_the_answer_is_wrong(prompt: str) -> None:
    assert is_complaint(prompt)


@pytest.mark.parametrize("prompt", NO_COMPLAINTS)
def test_a_question_about_something_wrong_is_not_listed(prompt: str) -> None:
    assert not is_listed_complaint(prompt)


@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    assert is_continuation(text) in (True, False)
    assert is_complaint(text) in (True, False)


@pytest.mark.skipif(not LABELLED.exists(), reason="the labelled prompts are not on this machine")
def test_prompts_that_were_asked_alone_are_hardly_ever_taken_for_a_continuation() -> None:
    with gzip.open(LABELLED, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    prompts = [row["prompt"] for row in rows]
    hard = [row["prompt"] for row in rows if row["tier"] in ("COMPLEX", "REASONING")]
    # Greetings are among them: within a conversation they are continuations.
    assert sum(map(is_listed_continuation, prompts)) <= 0.02 * len(prompts)
    assert sum(is_continuation(prompt, HI, "Hello!") for prompt in hard) <= 0.02 * len(hard)
    assert not any(map(is_listed_complaint, prompts))
    assert sum(map(is_complaint, prompts)) <= 0.02 * len(prompts)


def test_a_hard_prompt_about_something_else_does_not_continue() -> None:
    assert not is_continuation(HARD, "write a cover letter for a junior accountant", "Dear Sir or Madam")


@pytest.mark.parametrize(
    ("prompt", "before", "answer"),
    [
        (
            "which shard did you mean in step 2?",
            "Split the orders table over shards",
            "1. Pick a key. 2. Move a shard.",
        ),
        ("thanks! same for the refunds table please", "write a sql query for orders per customer", "SELECT ..."),
        ("make it shorter and less american", "write a cover letter for a junior accountant", "Dear Sir or Madam"),
    ],
)
def test_what_refers_to_what_was_said_before_continues(prompt: str, before: str, answer: str) -> None:
    assert is_continuation(prompt, before, answer)


def test_the_features_of_turns_are_those_that_the_models_were_fitted_to() -> None:
    models = load_turn_models()
    samples = json.loads(TURNS_FILE.read_text(encoding="utf-8"))["samples"]
    for prompt, before, answer, is_listed, log_odds in samples["continuation"]:
        assert models.continues(prompt, before, answer, is_listed=is_listed) == pytest.approx(log_odds, abs=1e-4)
        assert is_listed_continuation(prompt) == is_listed
    for prompt, is_listed, log_odds in samples["complaint"]:
        assert models.complains(prompt, is_listed=is_listed) == pytest.approx(log_odds, abs=1e-4)
        assert is_listed_complaint(prompt) == is_listed


def test_spoilt_models_of_turns_stop_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt = tmp_path / "turns.json"
    spoilt.write_text(TURNS_FILE.read_text(encoding="utf-8").replace('"base": ', '"base": 1', 1), encoding="utf-8")
    monkeypatch.setattr("vibe.scoring.family_scorers.load_turn_models", lambda: load_turn_models(spoilt))
    with pytest.raises(WeightsFileError, match=f"turns {spoilt}: .* Fix: deploy the release's own file again"):
        load_scorers(Routes({}, frozenset()), tmp_path)


def test_labelled_turns_are_told_apart() -> None:
    # On its training data, so this does not measure quality: a model with the wrong features would be at chance level.
    turns = [(row, row["label"] == "continues") for row in rows_of("followups3")]
    right = sum(is_continuation(row["turn"], row["before"]["prompt"], row["answer"]) == truth for row, truth in turns)
    assert right / len(turns) > 0.7
    said = [(row, row["label"] == "complaint") for row in rows_of("verdicts3")]
    assert sum(is_complaint(row["turn"]) == truth for row, truth in said) / len(said) > 0.8


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("topic", ["Python?", "kubernetes?"])
def test_each_link_opens_a_continuation(link: str, topic: str) -> None:
    assert is_continuation(f"{link}{topic}".capitalize())


def test_links_are_written_in_one_script() -> None:
    scripts = [{unicodedata.name(letter).split()[0] for letter in link if letter.isalpha()} for link in LINKS]
    assert all(len(found) == 1 for found in scripts), scripts
