"""The report of the end-to-end tests' load generator about lost requests."""

from __future__ import annotations

from e2e.load import TOLD, Traffic


def test_a_story_has_the_first_and_last_failures_and_how_slow_it_was_before() -> None:
    traffic = Traffic(sent=100)
    for begun, seconds in ((1.0, 0.2), (9.9, 0.1), (12.0, 21.5)):
        traffic.waited(begun, seconds)
    for number in range(3 * TOLD):
        traffic.lose(f"lost {number}")
    first, *told = traffic.story().splitlines()
    assert first == "30 of 100 lost; slowest first bytes, s, by begin: 0 s: 0.2, 10 s: 21.5"
    assert (told[0], told[TOLD], told[-1]) == ("lost 0", "...", "lost 29")
    assert len(told) == 2 * TOLD + 1
