"""Log and count what a gate stopped."""

from __future__ import annotations

from collections.abc import Callable

from vibe.log import INFO, WARNING, log, log_failure
from vibe.proxy.passage import current_passage
from vibe.telemetry.response_headers import printable

# The gates: a request that was refused on its way in, a call or a connection that was stopped on its way out.
REQUEST, DEPLOYMENT, EGRESS = "request", "deployment", "egress"
GATES = (REQUEST, DEPLOYMENT, EGRESS)
_UNKNOWN = "-"
_counting: list[Callable[[str], None]] = []


def count_with(counting: Callable[[str], None]) -> None:
    """Call *counting* with a gate's name each time that it stops something; the last function given counts."""
    _counting[:] = [counting]


def note_refused(client: str, status: int, param: str | None) -> None:
    """Log and count a request of *client* that was refused, because of *param*."""
    named = _UNKNOWN if param is None else printable(param).replace(" ", "?")
    log(INFO, f"REFUSED client={client} status={status} param={named}")
    _count(REQUEST)


def note_attack(gate: str, words: str) -> None:
    """Log and count what a *gate* on the way out stopped; *words* are printable names alone."""
    passage = current_passage()
    client = _UNKNOWN if passage is None else passage.client
    log(WARNING, f"ATTACK STOPPED gate={gate} client={client} {words}")
    _count(gate)


def _count(gate: str) -> None:
    for counting in _counting:
        try:
            counting(gate)
        except Exception as error:
            # The counters' files may be full; the request is stopped anyway.
            log_failure("not counted", error)
