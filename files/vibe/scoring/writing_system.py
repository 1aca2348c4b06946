"""The script of a text: a hint at its language that can be recorded, because it reveals nothing of the text."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from vibe.scoring.text_view import TextView

LATIN, OTHER = "latin", "other"
# Each block's first character, up to the next one's (Unicode's Blocks.txt; neighbours of one script are one).
_BLOCKS = (
    (0x00C0, LATIN),
    (0x0370, "greek"),
    (0x0400, "cyrillic"),
    (0x0530, "armenian"),
    (0x0590, "hebrew"),
    (0x0600, "arabic"),
    (0x0700, OTHER),
    (0x0900, "devanagari"),
    (0x0980, "bengali"),
    (0x0A00, OTHER),
    (0x0B80, "tamil"),
    (0x0C00, OTHER),
    (0x0E00, "thai"),
    (0x0E80, OTHER),
    (0x1100, "hangul"),
    (0x1200, OTHER),
    (0x1E00, LATIN),
    (0x1F00, "greek"),
    (0x2000, OTHER),
    (0x3040, "kana"),
    (0x3100, OTHER),
    (0x3400, "han"),
    (0xA000, OTHER),
    (0xAC00, "hangul"),
    (0xD7B0, OTHER),
    (0xF900, "han"),
    (0xFB00, OTHER),
    (0xFB50, "arabic"),
    (0xFE00, OTHER),
    (0x20000, "han"),
    (0x32000, OTHER),
)
_STARTS = [start for start, _ in _BLOCKS]
# So many letters say which script it is.
_ENOUGH = 200
# A formula's Greek letters, a name in its own script: the text around them counts, from so few of its characters on.
_LEAST_SHARE = 0.15


def script_of(view: TextView) -> str:
    """Return the script of most letters of the text that *view* was taken of; Japanese is ``kana``."""
    found = Counter(
        _BLOCKS[bisect_right(_STARTS, ord(letter)) - 1][1]
        for letter in view.beyond[:_ENOUGH]
        if letter.isalpha() and ord(letter) >= _STARTS[0]
    )
    del found[LATIN]
    if not found or len(view.beyond) < _LEAST_SHARE * len(view.window):
        return LATIN
    if found["kana"]:
        return "kana"
    return found.most_common(1)[0][0]
