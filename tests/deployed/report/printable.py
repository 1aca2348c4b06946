"""Text that hosts and upstreams sent, on its way to a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return *text* with what would act on a terminal written out: control characters, escapes, marks of direction."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)
