"""Make text from hosts and upstreams safe for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return *text* with control characters, escapes and directional marks written out."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)
