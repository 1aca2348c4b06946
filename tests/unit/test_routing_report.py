"""The page that says whether an adapter pays off: planted rules are found, and nothing else is claimed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from make_routing_report import costs_of, main
from report.routing import Cost, bins_of, kind_of
from vibe.learning.labels import read_labels
from vibe.learning.recommendation import DO_NOT, NOT_YET, SWITCH_ON
from vibe.scoring.scorer import HEAD_NAMES, load_prior
from vibe.scoring.text_view import TextView
from vibe.scoring.writing_system import script_of
from vibe_labels import made_labels, written

FAMILY = {
    "name": "chat",
    "virtual_model": "chat-auto",
    "cheap_pool": "pool-chat-mini",
    "strong_pool": "pool-chat-standard",
    "threshold": 50,
    "routing": "active",
    "adapter": "",
}
METRICS = """# HELP vibe_decisions_total Routed requests
vibe_decisions_total{pool="pool-chat-mini",rule="score",virtual_model="chat-auto"} 6.0
vibe_decisions_total{pool="pool-chat-mini",rule="explicit",virtual_model="chat-auto"} 2.0
vibe_decisions_total{pool="pool-chat-standard",rule="score",virtual_model="chat-auto"} 2.0
vibe_spend_dollars_total{pool="pool-chat-mini",virtual_model="chat-auto"} 0.5
vibe_strong_spend_dollars_total{pool="pool-chat-mini",virtual_model="chat-auto"} 5.0
vibe_spend_dollars_total{pool="pool-codex-mini",virtual_model="codex-auto"} 9.0
"""


def _features(text: str) -> dict[str, float]:
    return dict(zip(HEAD_NAMES, load_prior().head_values(text, TextView(text)), strict=True))


def _records(count: int, *, judged: bool) -> list[dict[str, Any]]:
    """Return decisions about prompts; those about the law, two in five, fail on the cheap pool."""
    prior = load_prior()
    records = []
    for index, row in enumerate(made_labels(count, planted=True)):
        record = {
            "family": "chat",
            "at": 1_700_000_000 + 60 * index,
            "pool": "pool-chat-mini",
            "score": prior.score(row["prompt"]).value,
            "script": "latin",
            "features": _features(row["prompt"]),
        }
        records.append({**record, "judged": row["weak_score"], "by": "client"} if judged else record)
    return records


def _made(folder: Path, records: list[dict[str, Any]], **changes: Any) -> tuple[int, dict[str, Any], str]:
    """Make the report in *folder*; return its exit code, document and page."""
    for name in ("records", "counters", "labels"):
        (folder / name).mkdir(exist_ok=True)
    written(folder / "records" / "chat.jsonl", records)
    (folder / "counters" / "one.txt").write_text(METRICS, encoding="utf-8")
    # From a host that is no longer a router.
    (folder / "counters" / "old.txt").write_text(METRICS, encoding="utf-8")
    families = folder / "families.json"
    families.write_text(json.dumps([{**FAMILY, **changes}]), encoding="utf-8")
    words = ["--environment", "lab", "--families", str(families), "--folder", str(folder), "--hosts", '["one"]']
    code = main(words)
    if code:
        return code, {}, ""
    document: dict[str, Any] = json.loads((folder / "chat.json").read_text(encoding="utf-8"))
    return code, document, (folder / "chat.html").read_text(encoding="utf-8")


def test_a_planted_rule_in_judged_answers_is_worth_the_switch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, page = _made(tmp_path, _records(200, judged=True))
    assert code == 0
    assert document["advice"]["verdict"] == SWITCH_ON
    assert capsys.readouterr().out.startswith("chat: switch on: ")
    # The page starts with the advice.
    assert page.index("<h1>Switch on</h1>") < page.index("<h2")
    assert document["gain"]["over_length"]["low"] > 0
    # The first share of the table that wins four fifths.
    assert document["chosen"] == 0.3
    # Only the router's: the other host's counters are from when it was one.
    assert sum(cost["requests"] for cost in document["costs"]) == 10
    (point,) = (point for point in document["curve"] if point["share"] == 0.4)
    assert point["low"] <= point["adapter"] <= point["high"]
    assert point["low"] > 0.8
    # The cheap pool costs a tenth: two fifths of the prompts in the strong pool, and a tenth of the rest.
    assert point["cost"] == pytest.approx(0.4 + 0.6 * 0.1)
    # All failures are among the highest scores, and none among the lowest.
    bins = document["calibration"]["adapter"]
    assert (bins[0]["quality"], bins[-1]["quality"]) == (1.0, 0.0)
    law = next(group for group in document["kinds"] if group["name"] == "law")
    assert law["quality"] == 0.0
    assert law["strong"] < 0.1
    # Four fifths of the failures are worth avoiding; the last fifth costs as much as all the rest.
    assert 0.7 < law["adapted"] <= 1.0
    # Two fifths of all prompts; for some, another kind than law comes first.
    assert law["adapted"] * law["prompts"] <= document["moves"]["cheap to strong"] <= 80
    assert sum(document["moves"].values()) == document["decisions"] == 200
    # The command on the page fits the same labels.
    assert len(read_labels(tmp_path / "chat.labels.jsonl", "chat")) == 200
    assert "--labels reports/lab/routing/chat.labels.jsonl" in page


def test_without_labels_it_says_how_many_it_takes_and_shows_the_prompts(tmp_path: Path) -> None:
    _, document, page = _made(tmp_path, _records(30, judged=False))
    assert document["advice"]["verdict"] == NOT_YET
    assert document["advice"]["more"] == 100
    assert "<h1>Not yet, 100 more labels</h1>" in page
    assert '<h2 id="how">' not in page
    assert document["gain"] is None
    assert sum(group["prompts"] for group in document["kinds"]) == 30


def test_labels_that_no_rule_made_are_not_worth_it(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    written(folder / "chat.jsonl", made_labels(240, planted=False))
    _, document, page = _made(tmp_path, [])
    assert document["advice"]["verdict"] in (NOT_YET, DO_NOT)
    assert document["labels"]["by hand"] == 240
    assert "<h1>Switch on" not in page


def test_in_shadow_it_says_that_the_cheap_pool_is_not_judged(tmp_path: Path) -> None:
    records = [{**record, "pool": "pool-chat-standard"} for record in _records(120, judged=True)]
    _, document, page = _made(tmp_path, records, routing="shadow")
    assert document["labels"]["live"] == 0
    assert "./deploy.sh replay" in page


def test_a_label_that_makes_no_sense_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    rows = [{"prompt": "x", "weak_score": 1, "family": "claude"}]
    written(folder / "chat.jsonl", rows)
    code, _, _ = _made(tmp_path, [])
    assert code == 2
    assert "labels/chat.jsonl, line 1: family: is 'claude', not 'chat'" in capsys.readouterr().err
    assert not (tmp_path / "chat.html").exists()


def test_counters_are_added_up_by_pool() -> None:
    cheap, strong = costs_of([METRICS, METRICS], "chat-auto")
    assert cheap == Cost("pool-chat-mini", 16, 1.0, 10.0)
    assert (strong.pool, strong.requests, strong.dollars) == ("pool-chat-standard", 4, 0.0)


def test_bins_hold_all_labels(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path / "labels.jsonl", made_labels(103, planted=True)))
    bins = bins_of([label.weak for label in labels], labels)
    assert sum(one.labels for one in bins) == 103
    assert all(one.low <= one.quality <= one.high for one in bins)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("thanks!", "greeting or thanks"),
        ("Prove that the square root of 2 is irrational.", "proof or mathematics"),
        ("Fix this python function: def f(x): return x", "code"),
        ("What does the federal statute say about the plaintiff?", "law"),
        ("The weather is nice near the lake", "other"),
    ],
)
def test_kinds_are_known_by_features(text: str, kind: str) -> None:
    assert kind_of(_features(text)) == kind


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "latin"),
        ("Größe und Übermaß", "latin"),
        ("the angle \u03b8 of a long English sentence about triangles", "latin"),
        ("\u041f\u0440\u0438\u0432\u0435\u0442, \u043a\u0430\u043a \u0434\u0435\u043b\u0430?", "cyrillic"),
        ("\u4f60\u597d\uff0c\u8bf7\u89e3\u91ca", "han"),
        ("\u65e5\u672c\u8a9e\u3067\u8aac\u660e\u3057\u3066", "kana"),
        ("\uc548\ub155\ud558\uc138\uc694", "hangul"),
        ("\u0645\u0631\u062d\u0628\u0627 \u0628\u0643", "arabic"),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", "devanagari"),
        ("\U0001f600\U0001f600", "latin"),
    ],
)
def test_the_script_of_a_text_is_that_of_most_letters(text: str, script: str) -> None:
    assert script_of(TextView(text)) == script
