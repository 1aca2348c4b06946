"""One look at a text: what several features are made from, taken once. Bounded, and linear in the part looked at."""

from __future__ import annotations

import re

from vibe.request.token_estimate import beyond_ascii, count_cjk, count_tokens
from vibe.scoring.lexicon import FEATURE_LEXICON

# Where a prompt says what it wants: its beginning and its end. What lies between is mostly pasted material.
HEAD_CHARS, TAIL_CHARS = 3000, 1500
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
# Words of ASCII letters, most of what comes, are split by a table in a fifth of the time.
_SEPARATE = {code: " " for code in range(128) if not (chr(code).isalpha() or chr(code) in "'-")}


class TextView:
    """What is seen in the bounded ``window`` of a text.

    ``beyond``: its characters that are not ASCII, ``cjk``: how many of them are Chinese, Japanese or Korean;
    ``lowered``: the window in lower case, its ``words``, their ``vocabulary``, its ``counts`` in the features' lexicon;
    ``tokens``: an estimate for the whole text.
    """

    __slots__ = ("beyond", "cjk", "counts", "lowered", "tokens", "vocabulary", "window", "words")

    def __init__(self, text: str) -> None:
        """Look at *text*."""
        self.window = window_of(text)
        self.beyond = beyond_ascii(self.window)
        self.cjk = count_cjk(self.beyond)
        self.tokens = count_tokens(len(self.window), len(self.beyond), self.cjk, len(text))
        self.lowered = self.window.lower()
        self.words = _words(self.lowered, self.beyond)
        self.vocabulary = set(self.words)
        self.counts = FEATURE_LEXICON.counts(self.vocabulary)


def window_of(text: str) -> str:
    """Return the bounded part of *text* that is read: all of it, or its beginning and its end."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def _words(lowered: str, beyond: str) -> list[str]:
    if beyond:
        if any(map(str.isalpha, beyond)):
            return _WORD.findall(lowered)
        # Typographic quotes, symbols: no letters among them.
        lowered = lowered.replace("\u2019", "'").encode("ascii", "replace").decode("ascii")
    spaced = lowered.translate(_SEPARATE)
    if "'" in spaced:
        # Apostrophes inside words stay, quotation marks around them go.
        spaced = f" {spaced} ".replace(" '", " ").replace("' ", " ")
    return spaced.split()
