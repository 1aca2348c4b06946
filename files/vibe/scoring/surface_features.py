"""Features for a learnt head: what a text looks like and is about.

Their worth depends on the traffic: a dollar sign is LaTeX for one operator and a price for another.
"""

from __future__ import annotations

import math
import re
import zlib
from itertools import pairwise

from vibe.scoring.lexicon import TOPIC_LEXICON
from vibe.scoring.text_view import TextView
from vibe.scoring.vocabulary import TOPICS

_OPTION = re.compile(r"\s\(?[A-Ja-j][.):]\s")
# A prompt with options has a second one. Looked for first: the pattern is tried at every space.
_SECOND_OPTIONS, _SECOND_SMALL_OPTION = ("B.", "B)", "B:"), "b)"
_CAPITALS = bytes(range(ord("A"), ord("Z") + 1))
_DIGITS_ONLY = bytes(code if chr(code).isdigit() and code < 128 else ord(" ") for code in range(256))
# Marks whose logarithmic count is a feature, by the feature's name.
_COUNTED = {
    "lines": "\n",
    "dollars": "$",
    "backslashes": "\\",
    "quotes": '"',
    "apostrophes": "'",
    "parentheses": "(",
    "equals": "=",
    "colons": ":",
    "question_marks": "?",
    "underscores": "_",
    "percents": "%",
    "brackets": "[",
}
_COUNTED_MARKS = tuple(_COUNTED.values())
_FIRST_WORDS = {
    "first_which": frozenset(("what", "who", "when", "where", "which")),
    "first_how": frozenset(("how", "why")),
    "first_case": frozenset(("if", "let", "given", "suppose", "consider", "for")),
    "first_article": frozenset(("the", "a", "an", "this", "in")),
    "first_order": frozenset(
        (
            "find",
            "write",
            "compute",
            "calculate",
            "evaluate",
            "determine",
            "simplify",
            "solve",
            "create",
            "get",
            "implement",
        )
    ),
}
_FIRST_SETS = tuple(_FIRST_WORDS.values())
SURFACE_FEATURE_NAMES = (
    *(f"topic_{name}" for name in TOPICS),
    *_COUNTED,
    *_FIRST_WORDS,
    "numbers",
    "options",
    "capitals",
    "word_length",
    "variety",
    "ends_asking",
    "length_off_middle",
    "is_short",
    "is_long",
)
GRAM_BUCKETS = 4096
_MASK = GRAM_BUCKETS - 1
_MAX_CACHED_WORDS = 50_000
_SHORT_TOKENS, _LONG_TOKENS, _MIDDLE_LENGTH = 20.0, 300.0, 6.0


def surface_features_of(view: TextView) -> list[float]:
    """Return the head's dense features in the order of ``SURFACE_FEATURE_NAMES``."""
    window, found = view.window, view.words
    log1p = math.log1p
    total = len(found) or 1
    first = found[0] if found else ""
    length = math.log2(1.0 + view.tokens)
    # Bytes, for their translation is a table in C; counts are those of ASCII characters all the same.
    encoded = window.encode("utf-8", "surrogatepass")
    return [
        *map(log1p, TOPIC_LEXICON.counts(view.vocabulary)),
        *map(log1p, map(window.count, _COUNTED_MARKS)),
        *[float(first in words) for words in _FIRST_SETS],
        log1p(len(encoded.translate(_DIGITS_ONLY).split())),
        _options(window),
        10.0 * (len(encoded) - len(encoded.translate(None, _CAPITALS))) / (len(window) or 1),
        sum(map(len, found)) / total / 5,
        len(view.vocabulary) / total,
        float(window.rstrip()[-1:] == "?"),
        (length - _MIDDLE_LENGTH) ** 2 / 4,
        float(view.tokens < _SHORT_TOKENS),
        float(view.tokens > _LONG_TOKENS),
    ]


def _options(window: str) -> float:
    has_second = "B" in window and any(map(window.__contains__, _SECOND_OPTIONS))
    if not has_second and (")" not in window or _SECOND_SMALL_OPTION not in window):
        return 0.0
    return min(len(_OPTION.findall(f"\n{window}")), 10) / 5


def grams_of(view: TextView) -> set[int]:
    """Return the hash buckets (0 to ``GRAM_BUCKETS`` - 1) of the words and word pairs that occur.

    Feature hashing (Weinberger et al. 2009, arXiv 0902.2206): an adapter holds weights of buckets, never words.
    """
    words = list(map(_BUCKETS.__getitem__, view.words))
    buckets = set(words)
    buckets.update([(5 * first + second) & _MASK for first, second in pairwise(words)])
    return buckets


class _Buckets(dict[str, int]):
    """The bucket of each word seen lately."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _MAX_CACHED_WORDS:
            self.clear()
        # Not hash(): it differs from process to process, and an adapter is fitted in another one.
        bucket = self[word] = zlib.crc32(word.encode("utf-8", "surrogatepass")) & _MASK
        return bucket


_BUCKETS = _Buckets()
