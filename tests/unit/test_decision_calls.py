"""The cost of a decision in function calls, Python's and C's. `./test.sh bench decision` times the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from bench.routing.decision import TURNS, asked, conversations, deciding, of_length
from vibe_fixtures import HARD

# 667 and 2,951 with Python 3.11, plus a quarter: in some versions a comprehension is a call.
MOST_CALLS, MOST_CALLS_A_TURN = 834, 14


def calls(data: dict[str, Any]) -> int:
    """Return the number of calls to decide a request; a first decision fills the caches."""
    once: Callable[[], object] = deciding(data)
    once()
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        once()
    finally:
        sys.setprofile(None)
    return counted


# Only a bounded part of a text is read, so its length must not matter.
@pytest.mark.parametrize("characters", [430, 4_000, 400_000])
def test_a_question_takes_as_many_calls_however_long_it_is(characters: int) -> None:
    assert calls(asked(of_length(HARD, characters))) <= MOST_CALLS


@pytest.mark.parametrize("conversation", conversations())
def test_a_conversation_takes_some_calls_a_turn(conversation: str) -> None:
    assert calls(conversations()[conversation]) <= MOST_CALLS + MOST_CALLS_A_TURN * TURNS
