"""Simulated conversations, decided by one worker and by two: none moves without a reason."""

from __future__ import annotations

import asyncio

import pytest
from bench.turns.simulate import ALONE, APART, faults, simulate
from bench.turns.talks import conversations

COUNT, SEED = 150, 7


def test_a_seed_makes_the_same_conversations_again() -> None:
    assert list(conversations(20, SEED)) == list(conversations(20, SEED))
    assert list(conversations(20, SEED)) != list(conversations(20, SEED + 1))


def test_no_continuation_and_no_tool_loop_moves_and_two_workers_decide_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIBE_LOG_LEVEL", "ERROR")
    found = asyncio.run(simulate(COUNT, SEED, None))
    assert faults(found) == []
    # The sample covers turns of every kind, pauses, and justified moves.
    assert all(found["turns"][kind] > 0 for kind in ("prompt", "continuation", "loop", "complaint"))
    assert found["pauses"] > 0
    assert found["moves"][ALONE]["prompt"] > 0
    assert found["moves"][ALONE]["escalation"] > 0
    # Without Redis two workers differ, so the comparison can fail.
    assert found["differences"][APART] > 0
