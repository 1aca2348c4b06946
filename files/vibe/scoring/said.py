"""The words of a text, as the linear models read them: its words, pieces of words, and phrases, all hashed.

A hash is the CRC-32 of a text, cut to ``HASH_BITS``; a model cuts it further to the size of its tables. So a fit
(``tests/bench/routing``) and the model that is shipped see exactly the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

# Of a longer text its beginning and its end: there it says what it wants. Pairs of characters are many more words than
# the same text has in a language with spaces.
HEAD_CHARS, TAIL_CHARS = 400, 300
HEAD_WORDS, TAIL_WORDS = 120, 80
FIRST_WORDS, LAST_WORDS = 3, 6
PIECE_CHARS = (3, 4, 5)
NUMBER = "0"
# As many as the largest table has buckets for.
HASH_BITS = 17
_HASH_MASK = (1 << HASH_BITS) - 1
# Words that are cached with their pieces, about 1 kB each, and words that are cached with their hash alone.
_PIECES_REMEMBERED, _HASHES_REMEMBERED = 1 << 14, 1 << 16
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?|\d+|[^\w\s]")
# Thai, kana, Chinese characters and Hangul: written without spaces, so pairs of characters serve as words.
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Said(NamedTuple):
    """``words``: all of a text, in their order; ``phrases``: their hashes."""

    words: list[str]
    phrases: set[int]


def said_in(text: str) -> Said:
    """Return what *text* says."""
    words = words_in(text)
    if len(words) > HEAD_WORDS + TAIL_WORDS:
        words = words[:HEAD_WORDS] + words[-TAIL_WORDS:]
    return Said(words, phrases_of(words))


def window_of(text: str) -> str:
    """Return the part of *text* whose words are read."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"


def words_in(text: str) -> list[str]:
    """Return the words and marks of *text* in lower case; every number is ``NUMBER``."""
    lowered = text.lower()
    words = [NUMBER if word.isdigit() else word for word in _WORD.findall(lowered)]
    if UNSPACED.search(lowered) is None:
        return words
    found: list[str] = []
    for word in words:
        if UNSPACED.search(word):
            found += [word[start : start + 2] for start in range(max(1, len(word) - 1))]
        else:
            found.append(word)
    return found


def word_hash(word: str) -> int:
    """Return the hash of *word*."""
    return _HASHES[word]


@lru_cache(maxsize=_PIECES_REMEMBERED)
def pieces_of(word: str) -> tuple[int, ...]:
    """Return the hashes of the pieces of *word*: its groups of 3 to 5 letters, ends marked, each once."""
    marked = f"<{word}>"
    pieces = {marked[start : start + size] for size in PIECE_CHARS for start in range(len(marked) - size + 1)}
    return tuple(sorted(set(map(_hash, pieces))))


def phrases_of(words: list[str]) -> set[int]:
    """Return the hashes of pairs, of pairs around one word, of triples, and of the first and the last words."""
    hashes = list(map(_HASHES.__getitem__, words))
    second, third = hashes[1:], hashes[2:]
    found = {(one * 31 + two) & _HASH_MASK for one, two in zip(hashes, second, strict=False)}
    found.update([(one * 37 + two * 3 + 7) & _HASH_MASK for one, two in zip(hashes, third, strict=False)])
    triples = zip(hashes, second, third, strict=False)
    found.update([(one * 41 + two * 17 + three + 11) & _HASH_MASK for one, two, three in triples])
    found.update([(one * 43 + 1) & _HASH_MASK for one in hashes[:FIRST_WORDS]])
    found.update([(one * 47 + 2) & _HASH_MASK for one in hashes[-LAST_WORDS:]])
    return found


def named_phrases(words: list[str]) -> dict[int, str]:
    """Return the hashes of all phrases of *words*, each with the shortest text that has it."""
    found: dict[int, str] = {}
    last = len(words)
    for start in range(last):
        for size in (3, 2, 1):
            part = words[start : start + size]
            # Longest first: what a shorter part has too is named by that one.
            for value in phrases_of(part) if len(part) == size else ():
                found[value] = " ".join(part)
    return {value: found[value] for value in phrases_of(words) if value in found}


def _hash(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass")) & _HASH_MASK


class _Hashes(dict[str, int]):
    """The hash of each word seen lately."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _HASHES_REMEMBERED:
            self.clear()
        value = self[word] = _hash(word)
        return value


_HASHES = _Hashes()
