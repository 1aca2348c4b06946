"""What one request may do, from the gate on its way in to the gate on its way out.

Kept in a context variable: LiteLLM hands a request through tasks and threads of its own, and each of them inherits it.
It is one object for all of them, so the decision of the router's hook is visible wherever the request continues.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from vibe.proxy.upstream_failure import UpstreamFailure


@dataclass(slots=True)
class Passage:
    """A request under way: the ``client`` that asked, and the ``groups`` of deployments that it may reach.

    ``groups`` are names of LiteLLM's model groups: pools, or models that are named directly. ``is_stopped``: it tried
    to reach something else, and may now reach nothing. ``failure``: the upstream's error that the client gets.
    """

    client: str
    groups: frozenset[str]
    is_stopped: bool = False
    failure: UpstreamFailure | None = None


_CURRENT: ContextVar[Passage | None] = ContextVar("vibe_passage", default=None)


def current_passage() -> Passage | None:
    """Return the request that this code runs for, None outside of one (a start, a background task)."""
    return _CURRENT.get()


@contextmanager
def passing(passage: Passage) -> Iterator[None]:
    """Make *passage* the current one within the block."""
    token = _CURRENT.set(passage)
    try:
        yield
    finally:
        _CURRENT.reset(token)
