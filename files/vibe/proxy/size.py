"""How large a request may be, counted before any work is done for it: LiteLLM's work grows with it.

LiteLLM handles a request on the event loop of its worker, so a large one keeps all others of that worker waiting. The
defaults of ``Limits`` keep that below a second (measured in docs/security.md).
"""

from __future__ import annotations

from vibe.routes.gate_settings import Limits

# Text may contain brackets too: a body with more than this many per allowed value is not parsed.
_BRACKETS_FOR_A_NODE = 10


def has_too_many_brackets(body: bytes, limits: Limits) -> bool:
    """Whether *body* would cost much to read, only to be refused: 8 million ``{}`` take a second."""
    return body.count(b"{") + body.count(b"[") > limits.nodes * _BRACKETS_FOR_A_NODE


def size_fault(document: object, limits: Limits) -> str | None:
    """Return what is too large in a parsed JSON *document*, None if nothing is.

    Level by level and not by recursion, so that the depth of a document costs nothing before it is refused.
    """
    level, depth, nodes = [document], 0, 1
    while True:
        below: list[object] = []
        for value in level:
            if type(value) is dict:
                below.extend(value.values())
            elif type(value) is list:
                below.extend(value)
        if not below:
            return None
        depth += 1
        nodes += len(below)
        if nodes > limits.nodes:
            return f"it has more than {limits.nodes} values (router_limits.nodes)"
        if depth > limits.depth:
            return f"its objects and lists are nested more than {limits.depth} deep (router_limits.depth)"
        level = below
