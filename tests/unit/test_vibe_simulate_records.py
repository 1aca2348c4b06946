"""An operator's own log, simulated: read as written, and unusable lines are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from vibe.commands.cli import main
from vibe.simulation.router_log import read_records
from vibe.simulation.synthetic_traffic import CONTINUATION, LOOP, PROMPT


def _log(*rows: tuple[str, str, str, str, int, int]) -> str:
    """Return a router's log; a row is (time, conversation, rule, score, input tokens, output tokens)."""
    lines = []
    for number, (at, conversation, rule, score, given, answer) in enumerate(rows):
        reasons = "tool loop" if rule == "inherit" and score == "loop" else "length +2.9, greeting -28.0"
        shown = "-" if rule == "inherit" else score
        call = f"conversation={conversation} request_id=r{number} call_id=c{number}"
        lines += [
            f"{at} [VIBE-ROUTER] [INFO] ROUTING DECISION virtual_model=chat-auto pool=pool-chat-mini rule={rule} "
            f'score={shown} threshold=60 reasons="{reasons}" {call} call_type=acompletion',
            "[17:00:00] [DEPLOY] [INFO] something else",
            f"{at} [VIBE-ROUTER] [INFO] SERVED virtual_model=chat-auto pool=pool-chat-mini input_tokens={given} "
            f"cached_tokens=0 written_tokens=0 output_tokens={answer} cost=- strong_cost=- saved=- {call}",
        ]
    return "\n".join(lines) + "\n"


TALK = (
    ("[23:59:50]", "a", "score", "90.0", 1000, 100),
    ("[23:59:58]", "a", "inherit", "loop", 1300, 50),
    ("[00:00:20]", "a", "inherit", "words", 1400, 60),
    ("[00:01:00]", "b", "score", "10.0", 500, 40),
    ("[00:02:00]", "a", "score", "20.0", 1500, 70),
)


def test_an_operators_own_log_is_simulated(tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    path.write_text(_log(*TALK), encoding="utf-8")
    records = read_records(path)
    assert records.threshold == 60.0
    assert not +records.left_out
    first, second = records.talks
    assert [turn.kind for turn in first.turns] == [PROMPT, LOOP, CONTINUATION, PROMPT]
    assert [turn.prompt_score for turn in first.turns] == [90.0, 90.0, 90.0, 20.0]
    # Of 1300 input tokens, 1000 were sent before and 100 are the previous answer.
    assert [turn.asked for turn in first.turns] == [1000, 200, 50, 40]
    assert [turn.at - first.turns[0].at for turn in first.turns] == [0, 8, 30, 130], "past midnight"
    assert len(second.turns) == 1


def test_dockers_timestamps_are_taken_where_there_are_any(tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    stamped = [
        (f"2026-11-{day}T10:00:00.123456789Z [10:00:00]", *row[1:]) for day, row in zip((27, 29), TALK[3:], strict=True)
    ]
    path.write_text(_log(*stamped), encoding="utf-8")
    one, other = read_records(path).talks
    assert other.turns[0].at - one.turns[0].at == 2 * 24 * 3600


def test_a_shortened_history_begins_a_conversation(tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    path.write_text(_log(TALK[0], ("[23:59:59]", "a", "inherit", "words", 200, 50)), encoding="utf-8")
    talks = read_records(path).talks
    assert [len(talk.turns) for talk in talks] == [1, 1]
    assert talks[1].turns[0].prompt_score == 90.0


def test_what_is_cut_off_or_of_another_version_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "router.log"
    whole = _log(*TALK, ("[00:03:00]", "-", "background", "-", 5, 5), ("[00:04:00]", "c", "inherit", "words", 5, 5))
    lines = whole.splitlines()
    cut = [lines[2][:80], *lines[3:-1], lines[-1].replace("output_tokens", "out")]
    path.write_text("\n".join(cut), encoding="utf-8")
    assert main(["simulate", "--records", str(path)], tmp_path, 50.0) == 0
    said = capsys.readouterr().out
    assert "2 lines that are cut off or of another version" in said
    assert "1 requests of no conversation" in said
    assert "hard from 60 on" in said


@pytest.mark.parametrize(
    "spoilt",
    [
        ("input_tokens=1000", "input_tokens=-"),
        ("output_tokens=100", "output_tokens=1.5"),
        ("threshold=60", "threshold=-"),
    ],
)
def test_a_number_that_is_none_makes_a_line_of_no_use(spoilt: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "router.log"
    path.write_text(_log(TALK[0], TALK[3]).replace(*spoilt, 1), encoding="utf-8")
    records = read_records(path)
    assert records.left_out["lines that are cut off or of another version"] == 1
    assert len(records.talks) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", "no line of the router"), (_log(TALK[0])[:200], "1 lines that are cut off"), ("\x00\xff", "no line of the")],
)
def test_a_log_without_a_conversation_is_refused_by_its_name(
    text: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "router.log"
    path.write_text(text, encoding="utf-8")
    assert main(["simulate", "--records", str(path)], tmp_path, 50.0) == 1
    said = capsys.readouterr().err
    assert f"--records {path}: has no conversation to simulate" in said
    assert fault in said
    assert "docker logs --timestamps" in said
    assert main(["simulate", "--records", str(tmp_path / "none")], tmp_path, 50.0) == 1
    assert "cannot be read" in capsys.readouterr().err
