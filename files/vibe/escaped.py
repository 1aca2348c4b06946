"""Text of somebody else on its way into a log or a terminal: nothing in it acts, or passes for a line of our log."""

from __future__ import annotations

_INDENT = "\n    "


def escaped(text: str) -> str:
    """Return *text* with control characters, escapes and marks of direction written out, as ``\\x1b`` or ``\\u202e``.

    Its lines but the first are indented: so no line of it begins like a log line of the router.
    """
    if text.isprintable():
        return text
    shown = "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
    return shown.replace("\n", _INDENT)
