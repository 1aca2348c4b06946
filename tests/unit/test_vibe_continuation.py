"""What only makes sense with what came before, what calls an answer wrong, and what stands for itself."""

from __future__ import annotations

import gzip
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibe.rules.complaint import is_complaint
from vibe.rules.continuation import is_continuation
from vibe.rules.continuation_words import LINKS
from vibe_fixtures import HARD

LABELLED = Path(__file__).resolve().parents[3] / "shared/data/tiers.jsonl.gz"

CONTINUING = (
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
def test_a_prompt_that_says_what_it_is_about_does_not(prompt: str) -> None:
    assert not is_continuation(prompt)


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
def test_a_question_about_something_wrong_is_no_complaint(prompt: str) -> None:
    assert not is_complaint(prompt)


@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    assert is_continuation(text) in (True, False)
    assert is_complaint(text) in (True, False)


@pytest.mark.skipif(not LABELLED.exists(), reason="the labelled prompts are not on this machine")
def test_prompts_that_were_asked_alone_are_hardly_ever_taken_for_a_continuation() -> None:
    with gzip.open(LABELLED, "rt", encoding="utf-8") as lines:
        prompts = [json.loads(line)["prompt"] for line in lines]
    # Greetings and the like are among them, and they are continuations in a conversation.
    assert sum(map(is_continuation, prompts)) <= 0.02 * len(prompts)
    assert not any(map(is_complaint, prompts))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("topic", ["Python?", "kubernetes?"])
def test_each_link_opens_a_continuation(link: str, topic: str) -> None:
    assert is_continuation(f"{link}{topic}".capitalize())


def test_links_are_written_in_one_script() -> None:
    scripts = [{unicodedata.name(letter).split()[0] for letter in link if letter.isalpha()} for link in LINKS]
    assert all(len(found) == 1 for found in scripts), scripts
