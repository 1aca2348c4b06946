"""Learning from labels: a planted rule is found, useless labels are refused, a damaged file is never used."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from vibe.commands import cli
from vibe.learning.apgr import apgr
from vibe.scoring.scorer import PRIOR_FILE, load_prior, load_scorer
from vibe.scoring.weights_file import WeightsFileError, checksum_of
from vibe_labels import PLANTED, made_labels, written


def _fit(labels: Path, out: Path, *more: str) -> int:
    return cli.main(["fit", "--labels", str(labels), "--out", str(out), *more], out.parent, 50)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fit")
    out = folder / "adapter.json"
    assert _fit(written(folder / "labels.jsonl", made_labels(160, planted=True)), out, "--family", "chat") == 0
    return out


def test_fit_finds_a_planted_rule(adapter: Path) -> None:
    document = json.loads(adapter.read_text(encoding="utf-8"))
    assert document["apgr"]["low"] > 0
    assert document["family"] == "chat"
    assert document["labels"] == 160
    # 40 % of the labels gain: that share in the strong pool wins nearly everything; the prior is at chance level.
    (point,) = (point for point in document["curve"] if point["share"] == 0.4)
    assert point["adapter"] > 0.9 > 0.6 > point["prior"]
    fresh = made_labels(260, planted=True)[160:]
    scorer = load_scorer(adapter)
    gains = [row["strong_score"] - row["weak_score"] for row in fresh]
    learnt = apgr([scorer.score(row["prompt"]).raw for row in fresh], gains)
    prior = apgr([load_prior().score(row["prompt"]).raw for row in fresh], gains)
    # A perfect order reaches 0.8 if 40 % of the prompts gain.
    assert learnt > prior + 0.1
    assert learnt > 0.75


def test_the_shares_that_win_parts_of_the_gap_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = written(tmp_path / "labels.jsonl", made_labels(160, planted=True))
    assert _fit(labels, tmp_path / "adapter.json") == 0
    told = re.findall(
        r"^(\d+)% of the gap is won with (\d+)% .*by the prior: (\d+)%", capsys.readouterr().out, re.MULTILINE
    )
    assert [int(part) for part, _, _ in told] == [50, 80]
    for part, adapter, prior in told:
        # 40 % wins everything; by chance, each share wins as much.
        assert int(adapter) == pytest.approx(int(part) * 0.4, abs=4)
        assert int(prior) == pytest.approx(int(part), abs=10)


def test_a_threshold_that_is_told_makes_its_share_of_unseen_prompts(adapter: Path) -> None:
    curve = json.loads(adapter.read_text(encoding="utf-8"))["curve"]
    thresholds = [point["threshold"] for point in curve]
    assert thresholds == sorted(thresholds, reverse=True)
    (point,) = (point for point in curve if point["share"] == 0.4)
    scorer = load_scorer(adapter)
    fresh = made_labels(260, planted=True)[160:]
    strong = [scorer.score(row["prompt"]).value >= point["threshold"] for row in fresh]
    assert strong == [row["weak_score"] == 0.0 for row in fresh]


def test_parts_of_an_adapted_score_add_up(adapter: Path) -> None:
    scored = load_scorer(adapter).score(f"Tell me about the garden {PLANTED}.")
    assert scored.raw == pytest.approx(scored.base + sum(part.log_odds for part in scored.contributions))
    assert len(scored.leading(3)) == 3


def test_explain_scores_with_the_adapter(adapter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "Tell me about the garden.", "--adapter", str(adapter)], adapter.parent, 50) == 0
    assert "vocabulary" in capsys.readouterr().out


def test_labels_without_a_rule_or_too_few_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "adapter.json"
    assert _fit(written(tmp_path / "few.jsonl", made_labels(60, planted=True)), out) == 1
    assert "60 labels are too few: 100 are needed" in capsys.readouterr().err
    # Both the prior and the fit order these at random; which one is luckier is not a gain.
    same = [{**row, "weak_score": 1.0} for row in made_labels(120, planted=False)]
    assert _fit(written(tmp_path / "same.jsonl", same), out) == 1
    assert "orders these labels no better" in capsys.readouterr().err
    assert not out.exists()


def test_a_forced_adapter_says_so(tmp_path: Path) -> None:
    out = tmp_path / "adapter.json"
    assert _fit(written(tmp_path / "few.jsonl", made_labels(60, planted=True)), out, "--force") == 0
    assert "60 labels are too few" in json.loads(out.read_text(encoding="utf-8"))["forced"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "is not valid JSON"),
        ("[]", "must be one JSON object"),
        ('{"prompt": "x"}', "weak_score: must be a number from 0 to 1"),
        ('{"prompt": "x", "weak_score": 7}', "weak_score: must be a number from 0 to 1"),
        ('{"prompt": "x", "weak_score": true}', "weak_score: must be a number from 0 to 1"),
        ('{"prompt": " ", "weak_score": 1}', "prompt: must be a text that is not empty"),
        ('{"features": {"length": 1}, "weak_score": 1}', "features: not a number: judgement, proof"),
    ],
)
def test_a_bad_label_is_named_by_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    labels, out = tmp_path / "labels.jsonl", tmp_path / "adapter.json"
    labels.write_text(f'{{"prompt": "fine", "weak_score": 1}}\n\n{line}\n', encoding="utf-8")
    assert _fit(labels, out) == 1
    error = capsys.readouterr().err
    assert f"labels {labels}, line 3: {said}" in error
    assert not out.exists()


def test_labels_that_are_not_one_family_or_not_distinct_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.jsonl"
    rows = [{"id": 1, "prompt": "a", "weak_score": 1}, {"id": 1, "prompt": "b", "weak_score": 0, "family": "codex"}]
    written(labels, rows)
    assert _fit(labels, tmp_path / "adapter.json") == 1
    assert f"labels {labels}, line 2: id: 1 is that of line 1 too" in capsys.readouterr().err
    assert _fit(labels, tmp_path / "adapter.json", "--family", "chat") == 1
    assert "line 2: family: is 'codex', not 'chat'" in capsys.readouterr().err


def test_bytes_that_are_no_text_are_named_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_bytes(b'{"prompt": "x\xe2\x80\xa8y", "weak_score": 1}\n{"prompt": "\xff", "weak_score": 1}\n')
    assert _fit(labels, tmp_path / "adapter.json") == 1
    assert f"labels {labels}, line 2: is not UTF-8" in capsys.readouterr().err


def test_more_labels_than_a_fit_ends_with_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vibe.learning.labels.MAX_LABELS", 50)
    labels = written(tmp_path / "labels.jsonl", made_labels(60, planted=True))
    assert _fit(labels, tmp_path / "adapter.json") == 1
    assert "more than 50 labels: give a sample of them" in capsys.readouterr().err


def test_fit_says_what_it_gains_over_length_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = written(tmp_path / "labels.jsonl", made_labels(160, planted=True))
    assert _fit(labels, tmp_path / "adapter.json") == 0
    said = capsys.readouterr().out
    (low,) = re.findall(r"^gain over length +\+\S+ +95 % interval (\S+) to", said, re.MULTILINE)
    assert float(low) > 0
    assert "\nadvice             switch on: it gains +" in said
    proof = json.loads((tmp_path / "adapter.json").read_text(encoding="utf-8"))["apgr"]
    assert proof["length_low"] == pytest.approx(float(low), abs=0.001)


def test_an_out_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = written(tmp_path / "labels.jsonl", made_labels(120, planted=True))
    assert _fit(labels, tmp_path / "missing" / "adapter.json") == 1
    assert "missing/adapter.json: cannot be written" in capsys.readouterr().err


def _spoil(key: str, value: object, *, signed: bool) -> Any:
    def spoil(document: dict[str, Any]) -> str:
        document[key] = value
        if signed:
            document["checksum"] = checksum_of(document)
        return json.dumps(document)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda document: json.dumps(document)[:-9], "is not valid JSON"),
        (lambda document: "[]", "must be one JSON object"),
        (_spoil("kind", "judgement", signed=True), "its kind must be 'adapter'"),
        (_spoil("version", 99, signed=True), "its version must be 1, is 99"),
        (_spoil("base", 7.0, signed=False), "its checksum does not fit its content"),
        (_spoil("base", "7", signed=True), "base: must be a number"),
        (_spoil("weights", [1.0], signed=True), "weights: must be a list of"),
        (_spoil("features", ["length"], signed=True), "is for other features than this release has"),
        (_spoil("prior", "sha256:0", signed=True), "was fitted on top of another prior"),
    ],
)
def test_a_spoilt_adapter_is_refused_with_its_path(adapter: Path, tmp_path: Path, spoil: Any, said: str) -> None:
    spoilt = tmp_path / "adapter.json"
    spoilt.write_text(spoil(json.loads(adapter.read_text(encoding="utf-8"))), encoding="utf-8")
    with pytest.raises(WeightsFileError) as refusal:
        load_scorer(spoilt)
    assert str(refusal.value).startswith(f"adapter {spoilt}: ")
    assert said in str(refusal.value)
    assert "write it again with the command fit" in str(refusal.value)


def test_a_spoilt_prior_stops_the_start(tmp_path: Path) -> None:
    spoilt = tmp_path / "judgement.json"
    spoilt.write_text(
        PRIOR_FILE.read_text(encoding="utf-8").replace('"words_scale": 0', '"words_scale": 1'), encoding="utf-8"
    )
    with pytest.raises(WeightsFileError, match=r"checksum does not fit .* Fix: deploy the release's own file"):
        load_prior(spoilt)
