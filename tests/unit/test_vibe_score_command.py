"""Batch scoring: lines in order, scored and decided like in the hook; a bad line is named."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from vibe.commands.cli import main
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD, HI, routes_document

THRESHOLD = 50.0


@pytest.fixture
def routes(tmp_path: Path) -> str:
    """A routes file of three families."""
    path = tmp_path / "vibe_routes.json"
    path.write_text(json.dumps(routes_document()), encoding="utf-8")
    return str(path)


def _written(tmp_path: Path, *entries: Any) -> str:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in entries))
    return str(path)


def _score(*words: str) -> int:
    return main(["score", *words], Path("/nonexistent"), THRESHOLD)


def _rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_lines_come_out_in_their_order_with_score_and_pool(
    tmp_path: Path, routes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = [{"role": "user", "content": HARD}, {"role": "assistant", "content": "Done."}]
    going_on = {"id": "c", "messages": [*turns, {"role": "user", "content": "ok go ahead"}]}
    file = _written(tmp_path, {"id": 7, "prompt": HI}, b"  ", {"id": "b", "prompt": HARD}, going_on)
    assert _score(file, "--routes", routes, "--family", "codex") == 0
    easy, hard, goes_on = _rows(capsys)
    assert [row["id"] for row in (easy, hard, goes_on)] == [7, "b", "c"]
    assert [row["pool"] for row in (easy, hard)] == ["pool-codex-mini", "pool-codex-standard"]
    assert easy["score"] < THRESHOLD <= hard["score"]
    assert hard["raw"] == load_prior().score(HARD).raw
    assert hard["reasons"]
    # The text is the last prompt, the pool that of the conversation.
    assert goes_on["score"] < THRESHOLD
    assert goes_on["pool"] == "pool-codex-standard"


def test_no_prompt_is_scored_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting:
        def score(self, text: str) -> Any:
            asked.append(text)
            return load_prior().score(text)

    monkeypatch.setattr("vibe.scoring.family_scorers.load_prior", Counting)
    assert _score(_written(tmp_path, {"id": 1, "prompt": HI}, {"id": 2, "prompt": HARD}, {"id": 3, "prompt": HI})) == 0
    assert asked == [HI, HARD, HI]


def test_standard_input_is_read_and_without_routes_the_sides_stand_for_the_pools(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = json.dumps({"id": "ü", "prompt": "U+2028 \u2028 is no end of a line"}).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line + b"\r\n")))
    assert _score() == 0
    (row,) = _rows(capsys)
    assert (row["id"], row["pool"]) == ("ü", "cheap_pool")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 100_000, "is not valid JSON"),
        ([], "must be one JSON object"),
        ({"prompt": "hi"}, "id: must be a text or a whole number, is None"),
        ({"id": True, "prompt": "hi"}, "id: must be a text or a whole number"),
        ({"id": 1}, "needs prompt or messages, one of them"),
        ({"id": 1, "prompt": "hi", "messages": []}, "needs prompt or messages, one of them"),
        ({"id": 1, "prompt": 7}, "prompt: must be a text, is int"),
        ({"id": 1, "messages": "hi"}, "messages: must be a list of messages, is str"),
    ],
)
def test_a_bad_line_is_named_with_its_field(
    line: Any, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _score(_written(tmp_path, {"id": 1, "prompt": HI}, line)) == 1
    said = capsys.readouterr()
    assert f"line 2: {fault}" in said.err
    assert len(said.out.splitlines()) == 1, "what came before it is scored"


def test_odd_messages_are_tolerated_as_the_hook_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _score(_written(tmp_path, {"id": 1, "messages": [None, 7, {"role": []}]}, {"id": 2, "prompt": ""})) == 0
    assert len(_rows(capsys)) == 2


def test_a_file_or_an_adapter_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert _score("/nonexistent.jsonl") == 1
    assert "/nonexistent.jsonl: cannot be read" in capsys.readouterr().err
    assert _score("/nonexistent.jsonl", "--adapter", "/none.json") == 1
    assert "/none.json" in capsys.readouterr().err
