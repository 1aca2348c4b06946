"""Whether a container's restarts are a fault or only worth a note.

A crash last week with a healthy container since is a note. A restart a few minutes ago, a container killed for lack of
memory, and one that keeps restarting are faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

LOOP_RESTARTS = 3
LOOP_SECONDS_A_RESTART = 3600.0


@dataclass(frozen=True)
class Judgement:
    """``fault`` fails the check; ``note`` is only reported. Both are "" if nothing happened."""

    fault: str = ""
    note: str = ""


def judge_restarts(
    container: Mapping[str, Any], events: Iterable[Mapping[str, Any]], now: float, quiet_seconds: float
) -> Judgement:
    """Judge *container*, an output of `docker inspect`, at *now* (seconds since 1970, by the host's clock).

    *events* are those of `docker events` for it: the engine remembers 256 in all, so an old exit code may be unknown.
    A restart within *quiet_seconds* is a fault.
    """
    state, count, name = container["State"], container["RestartCount"], container["Name"].lstrip("/")
    if state["OOMKilled"] or any(event.get("Action") == "oom" for event in events):
        return Judgement(fault=f"{name} was killed for want of memory: raise its memory limit")
    if not count:
        return Judgement()
    ended = _seconds(state["FinishedAt"])
    what = (
        f"{name} was restarted {_times(count)}, last at {state['FinishedAt'][:19]}Z with {_exit_code(events, ended)}; "
        f"docker logs {name}"
    )
    age = max(now - _seconds(container["Created"]), 1.0)
    if state.get("Restarting") or (count >= LOOP_RESTARTS and age / count < LOOP_SECONDS_A_RESTART):
        return Judgement(fault=f"{what}: it restarts again and again")
    if now - ended < quiet_seconds:
        return Judgement(fault=f"{what}: that is less than {quiet_seconds / 60:g} minutes ago")
    return Judgement(note=what)


def _exit_code(events: Iterable[Mapping[str, Any]], ended: float) -> str:
    for event in events:
        if event.get("Action") == "die" and abs(event.get("time", 0) - ended) < 2:
            return f"exit code {event['Actor']['Attributes'].get('exitCode')}"
    return "an exit code that the engine no longer knows"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _seconds(text: str) -> float:
    # The engine writes nanoseconds, more than Python reads.
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
