"""One restart last week is a note; a recent one, a restart loop and an out-of-memory kill are faults."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from host.restarts import judge_restarts

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc).timestamp()
QUIET = 600.0
DAY = 86_400.0


def _stamp(seconds_ago: float) -> str:
    return datetime.fromtimestamp(NOW - seconds_ago, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.978278206Z")


def _container(count: int = 0, ended_ago: float = 7 * DAY, age: float = 30 * DAY, **state: Any) -> dict[str, Any]:
    known = {"OOMKilled": False, "Restarting": False, "FinishedAt": _stamp(ended_ago)}
    return {"Name": "/vibe-redis", "Created": _stamp(age), "RestartCount": count, "State": known | state}


def _died(ago: float, code: str = "139") -> dict[str, Any]:
    return {"Action": "die", "time": int(NOW - ago), "Actor": {"Attributes": {"exitCode": code}}}


def test_a_container_that_never_restarted_is_not_spoken_of() -> None:
    judged = judge_restarts(_container(), [], NOW, QUIET)
    assert (judged.fault, judged.note) == ("", "")


def test_one_crash_last_week_is_a_note_with_its_time() -> None:
    judged = judge_restarts(_container(1), [], NOW, QUIET)
    assert judged.fault == ""
    assert judged.note.startswith("vibe-redis was restarted once, last at 2026-11-17T12:00:00Z with an exit code that")


def test_an_exit_code_that_the_engine_still_knows_is_told() -> None:
    judged = judge_restarts(_container(1, ended_ago=900), [_died(5000, "1"), _died(900)], NOW, QUIET)
    assert "with exit code 139; docker logs vibe-redis" in judged.note


def test_many_restarts_over_a_long_time_are_a_note() -> None:
    assert judge_restarts(_container(5), [], NOW, QUIET).fault == ""


@pytest.mark.parametrize(
    ("container", "events", "said"),
    [
        (_container(1, ended_ago=300), [], "less than 10 minutes ago"),
        (_container(1, ended_ago=599), [], "less than 10 minutes ago"),
        (_container(3, ended_ago=1200, age=3600), [], "again and again"),
        (_container(1, ended_ago=1200, Restarting=True), [], "again and again"),
        (_container(1, OOMKilled=True), [], "want of memory"),
        (_container(0, OOMKilled=True), [], "want of memory"),
        (_container(1), [{"Action": "oom", "time": int(NOW - 7 * DAY)}], "want of memory"),
    ],
)
def test_what_is_still_going_on_is_a_fault(container: dict[str, Any], events: list[dict[str, Any]], said: str) -> None:
    judged = judge_restarts(container, events, NOW, QUIET)
    assert said in judged.fault
    assert judged.note == ""
