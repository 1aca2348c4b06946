"""Escape foreign text for a log or a terminal: nothing in it acts, or looks like a log line of the router."""

from __future__ import annotations

_INDENT = "\n    "


def escaped(text: str) -> str:
    """Return *text* with control characters, escapes and directional marks written out, as ``\\x1b`` or ``\\u202e``.

    All lines but the first are indented, so that none begins like a log line of the router.
    """
    if text.isprintable():
        return text
    shown = "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
    return shown.replace("\n", _INDENT)
