"""Text of somebody else on its way into a log or a terminal: nothing in it acts, or passes for a line of our log."""

from __future__ import annotations

_INDENT = "\n    "


def escaped(text: str) -> str:
    """Return *text* with control characters, escapes and marks of direction written out, as ``\\x1b`` or ``\\u202e``.

    Its lines but the first are indented: a line of a log that begins with our brackets is one of ours.
    """
    if text.isprintable():
        return text
    shown = "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
    return shown.replace("\n", _INDENT)
