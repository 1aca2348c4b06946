"""Replay against the real stub: planted qualities become labels; the cost is shown first and never exceeded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from replay import Plan, Price, Prompt, main
from replay_judge import GradeError, grades_of, judge_body
from stub_service import running_stub
from vibe.commands import cli
from vibe.learning.labels import read_labels
from vibe_labels import made_labels, written

WEAK, STRONG, JUDGE = "gpt-mini", "gpt-standard", "gpt-judge"
PRICES = {WEAK: {"input": 1e-6, "output": 2e-6}, STRONG: {"input": 1e-5, "output": 2e-5}}
PRICES[JUDGE] = PRICES[STRONG]
GRADES = "[[stub:grades]]"


@pytest.fixture(scope="module")
def stub() -> Iterator[str]:
    with running_stub() as (client, _):
        yield client.url


@pytest.fixture
def at(stub: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder, with the environment of a client of the stub."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{stub}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-stub")
    monkeypatch.delenv("VIBE_ENV_FILE", raising=False)
    requests.delete(f"{stub}/requests", timeout=10)
    (tmp_path / "prices.json").write_text(json.dumps(PRICES), encoding="utf-8")
    return tmp_path


def _prompts(count: int) -> list[dict[str, Any]]:
    """Return prompts; the weak model answers those about the law badly."""
    found = []
    for index, row in enumerate(made_labels(count, planted=True)):
        weak = 0.9 if row["weak_score"] else 0.2
        # All prompts share these words.
        tags = f"[[stub:quality=0.9]][[stub:model={WEAK},quality={weak}]]"
        found.append({"id": f"p{index}", "prompt": f"{row['prompt']} {tags}"})
    return found


def _replay(folder: Path, rows: list[dict[str, Any]] | str, *more: str, cap: str | None = "5") -> int:
    prompts = folder / "prompts.jsonl"
    if isinstance(rows, str):
        prompts.write_text(rows, encoding="utf-8")
    else:
        written(prompts, rows)
    words = ["--prompts", str(prompts), "--family", "chat", "--pools", WEAK, STRONG, "--judge", JUDGE]
    words += ["--prices", str(folder / "prices.json"), "--labels", str(folder / "labels.jsonl"), "--criteria", GRADES]
    return main([*words, *(["--most-dollars", cap] if cap else []), *more])


def _asked(stub: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{stub}/requests", timeout=10).json()["requests"]
    return found


def test_planted_qualities_become_labels_in_which_fit_finds_the_rule(at: Path, stub: str) -> None:
    assert _replay(at, _prompts(120)) == 0
    labels = read_labels(at / "labels.jsonl", "chat")
    assert sorted({(label.weak, label.strong) for label in labels}) == [(0.2, 0.9), (0.9, 0.9)]
    assert len(labels) == 120
    out = at / "adapter.json"
    assert cli.main(["fit", "--labels", str(at / "labels.jsonl"), "--out", str(out), "--family", "chat"], at, 50) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["apgr"]["low"] > 0
    # Two answers and two grades per prompt.
    assert len(_asked(stub)) == 4 * 120
    assert (at / "labels.jsonl").stat().st_mode & 0o777 == 0o600


def test_without_a_cap_the_price_is_shown_and_nothing_sent(
    at: Path, stub: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _replay(at, _prompts(10), cap=None) == 0
    said = capsys.readouterr().out
    assert "10 of 10 prompts (0 have a label)" in said
    assert "Nothing was sent" in said
    assert _asked(stub) == []
    assert not (at / "labels.jsonl").exists()


def test_what_has_a_label_is_not_sent_again(at: Path, stub: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _replay(at, _prompts(6), "--sample", "4") == 0
    assert _replay(at, _prompts(6)) == 0
    assert "2 of 6 prompts (4 have a label)" in capsys.readouterr().out
    assert len(_asked(stub)) == 4 * 6
    assert len(read_labels(at / "labels.jsonl")) == 6


def test_the_cap_is_never_passed(at: Path, stub: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = _prompts(20)
    prices = {model: Price(**price) for model, price in PRICES.items()}
    plan = Plan("chat", WEAK, STRONG, JUDGE, prices, 1024, GRADES)
    cap = 1.5 * max(plan.most(Prompt(row["id"], row["prompt"])) for row in rows)
    assert _replay(at, rows, cap=str(cap)) == 1
    said = capsys.readouterr().out
    assert "ended early: the cap is reached" in said
    spent = float(said.rpartition("labels for $")[2].partition(",")[0])
    assert 0 < spent <= cap
    assert 0 < len(_asked(stub)) < 4 * 20


def test_the_price_that_is_shown_is_not_less_than_what_is_paid(at: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _replay(at, _prompts(5)) == 0
    said = capsys.readouterr().out
    most = float(said.partition("up to about $")[2].partition(",")[0])
    spent = float(said.rpartition("labels for $")[2].partition(",")[0])
    assert 0 < spent < most


def test_pools_answer_for_themselves_and_the_judge_is_told_no_model(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # With a fallback, the strong pool's answer would be judged as the cheap pool's.
    sent: list[dict[str, Any]] = []
    post = requests.post

    def spied(address: str, **given: Any) -> requests.Response:
        sent.append(given["json"])
        return post(address, **given)

    monkeypatch.setattr("replay.requests.post", spied)
    assert _replay(at, [{"prompt": "hello"}], "--criteria", f"be strict {GRADES}") == 0
    assert [body["model"] for body in sent] == [WEAK, STRONG, JUDGE, JUDGE]
    assert all(body["disable_fallbacks"] is True for body in sent)
    one, other = (judged["messages"][-1]["content"] for judged in sent[2:])
    assert "be strict" in one
    # Each answer comes first once.
    assert one.index(WEAK) < one.index(STRONG)
    assert other.index(WEAK) > other.index(STRONG)
    told = json.dumps(judge_body(JUDGE, "ask", "an answer", "another", ""))
    assert WEAK not in told
    assert STRONG not in told


def test_a_pool_that_fails_again_and_again_ends_it(at: Path, stub: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _replay(at, [{"prompt": f"hello {index} [[stub:status=500]]"} for index in range(40)]) == 1
    said = capsys.readouterr()
    assert "ended early: 5 prompts in a row failed" in said.out
    assert "gpt-mini answered 500" in said.err
    assert len(_asked(stub)) < 20


def test_a_judge_that_prefers_the_first_answer_prefers_neither_pool(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answered(_: str, **given: Any) -> requests.Response:
        text = '{"first": 7, "second": 5}' if given["json"]["model"] == JUDGE else "an answer"
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        answer = requests.Response()
        answer.status_code = 200
        answer._content = json.dumps({"choices": [{"message": {"content": text}}], "usage": usage}).encode()
        return answer

    monkeypatch.setattr("replay.requests.post", answered)
    assert _replay(at, [{"prompt": "hello"}]) == 0
    (label,) = read_labels(at / "labels.jsonl")
    assert (label.weak, label.strong) == (0.6, 0.6)


def test_what_got_no_answer_is_taken_to_have_been_paid_for(
    at: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hangs(*_: Any, **__: Any) -> requests.Response:
        raise requests.ReadTimeout("no answer in time")

    monkeypatch.setattr("replay.requests.post", hangs)
    assert _replay(at, [{"prompt": "hello"}]) == 1
    said = capsys.readouterr().out
    told, paid = (
        said.partition("up to about $")[2].partition(",")[0],
        said.partition("labels for $")[2].partition(",")[0],
    )
    assert told == paid != "0.0000"


def test_labels_that_were_cut_off_are_named_and_nothing_is_sent(
    at: Path, stub: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (at / "labels.jsonl").write_text('{"id": "a", "weak_score": 1}\n{"id": "b", "we', encoding="utf-8")
    assert _replay(at, _prompts(2)) == 2
    assert "labels.jsonl, line 2: is not valid JSON" in capsys.readouterr().err
    assert _asked(stub) == []


def test_a_judge_without_grades_gives_no_label(at: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tags = f"[[stub:model={JUDGE},cut=0]]"
    assert _replay(at, [{"prompt": f"hello {tags}"}]) == 1
    assert "0 labels for $" in capsys.readouterr().out
    # A judge that answers in words: without the tag that makes the stub answer with grades.
    assert _replay(at, [{"prompt": "hello"}], "--criteria", "be kind", "--judge", WEAK) in (0, 1)


@pytest.mark.parametrize(
    ("text", "grades"),
    [
        ('{"first": 7, "second": 10}', (0.7, 1.0)),
        ('Let me see.\n```json\n{"first": 0, "second": 2.5}\n```', (0.0, 0.25)),
        ('{"first": 1, "second": 1} - no: {"second": 3, "first": 4}', (0.4, 0.3)),
    ],
)
def test_grades_are_read(text: str, grades: tuple[float, float]) -> None:
    assert grades_of(text) == pytest.approx(grades)


@pytest.mark.parametrize("text", ["", "7 and 10", '{"first": 7}', '{"first": 11, "second": 1}', '{"first": "x"}'])
def test_what_are_no_grades_is_refused(text: str) -> None:
    with pytest.raises(GradeError):
        grades_of(text)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("nonsense", "line 1: is not valid JSON"),
        ('{"prompt": "x"}\n\n{"prompt": " "}', "line 3: prompt: must be a text"),
        ("[]", "line 1: must be one JSON object"),
        ('{"id": 0, "prompt": "x"}\n{"id": 0, "prompt": "y"}', "line 2: id: '0' is that of an earlier line too"),
        ('{"id": 1, "prompt": "x"}\n{"id": 1, "prompt": "y"}', "line 2: id: '1' is that of an earlier line too"),
        ("", "there is none"),
    ],
)
def test_bad_prompts_are_named_by_line(at: Path, capsys: pytest.CaptureFixture[str], lines: str, said: str) -> None:
    assert _replay(at, lines) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--judge", "pool-unknown"), "none of pool-unknown: is the name right?"),
        (("--prices", "/nowhere.json"), "prices /nowhere.json: cannot be used"),
        (("--most-dollars", "0"), "--most-dollars more than 0"),
        (("--sample", "0"), "must be 1 or more"),
        (("--env-file", "/nowhere.env"), "/nowhere.env"),
    ],
)
def test_what_cannot_be_is_refused(
    at: Path, stub: str, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], said: str
) -> None:
    assert _replay(at, _prompts(2), *more) == 2
    assert said in capsys.readouterr().err
    assert _asked(stub) == []
