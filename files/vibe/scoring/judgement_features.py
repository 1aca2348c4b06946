"""What the judgement model reads of a prompt: words, pieces of words and phrases of its instruction, and its structure.

Everything is a bucket of a table (CRC-32 of the text, cut to the table's size) or a number, so that the fit
(``tests/bench/routing/fit_judgement.py``) and the model that is shipped see exactly the same.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from vibe.scoring.prompt_parts import KINDS, Parts

WORD_BITS, PIECE_BITS, PHRASE_BITS = 17, 16, 17
_WORD_MASK, _PIECE_MASK, _PHRASE_MASK = ((1 << bits) - 1 for bits in (WORD_BITS, PIECE_BITS, PHRASE_BITS))
# Of a longer instruction its beginning and its end: there it says what it wants.
HEAD_CHARS, TAIL_CHARS = 400, 300
FIRST_WORDS, LAST_WORDS = 3, 6
PIECE_CHARS = (3, 4, 5)
NUMBER = "0"
# Words that are remembered with their hashes and pieces, some 1 kB each.
_REMEMBERED = 1 << 14
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?|\d+|[^\w\s]")
# Thai, kana, Chinese characters and Hangul: written without spaces, so pairs of characters stand for words.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_QUESTIONS, _COMMAS = ("?", "？"), (",", "，", "、")

STRUCTURE_NAMES = (
    *("length", "lines", "under_40", "under_80", "over_600", "first_line", "last_line", "last_line_asks"),
    *("first_line_asks", "questions", "ends_in_colon", "rest", "commas", "has_number", "words"),
    *(f"material_{kind}" for kind in KINDS),
)


class WordHash(NamedTuple):
    """A word's CRC-32, and the buckets of its ``pieces``: its groups of 3 to 5 letters, ends marked."""

    value: int
    pieces: tuple[int, ...]


class Features(NamedTuple):
    """``words``: all of them, in their order; ``phrases``: buckets; ``structure``: numbers, as ``STRUCTURE_NAMES``."""

    words: list[str]
    phrases: set[int]
    structure: list[float]


def features_of(parts: Parts, prompt: str) -> Features:
    """Return the features of *prompt*, which *parts* are of; material alone is read as if it were the instruction."""
    instruction = parts.instruction or window_of(prompt.strip())
    words = words_in(window_of(instruction))
    return Features(words, _phrases(words), _structure(instruction, parts, words))


def window_of(instruction: str) -> str:
    """Return the part of *instruction* whose words are read."""
    if len(instruction) <= HEAD_CHARS + TAIL_CHARS:
        return instruction
    return f"{instruction[:HEAD_CHARS]} {instruction[-TAIL_CHARS:]}"


def words_in(text: str) -> list[str]:
    """Return the words and marks of *text* in lower case; every number is ``NUMBER``."""
    lowered = text.lower()
    words = [NUMBER if word.isdigit() else word for word in _WORD.findall(lowered)]
    if _UNSPACED.search(lowered) is None:
        return words
    found: list[str] = []
    for word in words:
        if _UNSPACED.search(word):
            found += [word[start : start + 2] for start in range(max(1, len(word) - 1))]
        else:
            found.append(word)
    return found


@lru_cache(maxsize=_REMEMBERED)
def hash_of(word: str) -> WordHash:
    """Return the hashes of *word*."""
    marked = f"<{word}>"
    pieces = {
        crc32(marked[start : start + size].encode("utf-8", "surrogatepass")) & _PIECE_MASK
        for size in PIECE_CHARS
        for start in range(len(marked) - size + 1)
    }
    return WordHash(crc32(word.encode("utf-8", "surrogatepass")), tuple(sorted(pieces)))


def word_bucket(word: str) -> int:
    """Return the bucket of *word* in the table of words."""
    return hash_of(word).value & _WORD_MASK


def _phrases(words: list[str]) -> set[int]:
    """Return the buckets of pairs, of pairs around one word, of triples, and of the first and the last words."""
    hashes = [hash_of(word).value for word in words]
    found = {(one * 31 + two) & _PHRASE_MASK for one, two in pairwise(hashes)}
    found |= {(one * 37 + two * 3 + 7) & _PHRASE_MASK for one, two in zip(hashes, hashes[2:], strict=False)}
    found |= {
        (one * 41 + two * 17 + three + 11) & _PHRASE_MASK
        for one, two, three in zip(hashes, hashes[1:], hashes[2:], strict=False)
    }
    found |= {(one * 43 + 1) & _PHRASE_MASK for one in hashes[:FIRST_WORDS]}
    found |= {(one * 47 + 2) & _PHRASE_MASK for one in hashes[-LAST_WORDS:]}
    return found


def named_phrases(words: list[str]) -> dict[int, str]:
    """Return the buckets of all phrases of *words*, each with the shortest text that has it."""
    found: dict[int, str] = {}
    last = len(words)
    for start in range(last):
        for size in (3, 2, 1):
            part = words[start : start + size]
            # Longest first: what a shorter part has too is named by that one.
            for bucket in _phrases(part) if len(part) == size else ():
                found[bucket] = " ".join(part)
    return {bucket: found[bucket] for bucket in _phrases(words) if bucket in found}


def _structure(instruction: str, parts: Parts, words: list[str]) -> list[float]:
    lines = instruction.split("\n")
    filled = [line for line in lines if line.strip()] or [""]
    first, last = filled[0], filled[-1]
    size = len(instruction)
    return [
        math.log1p(size),
        math.log1p(len(lines)),
        float(size < 40),
        float(size < 80),
        float(size > 600),
        math.log1p(len(first)),
        math.log1p(len(last)),
        float(any(mark in last for mark in _QUESTIONS)),
        float("?" in first),
        float(min(sum(map(instruction.count, _QUESTIONS)), 4)),
        float(last.endswith((":", "："))),
        math.log1p(max(parts.chars - size, 0)),
        math.log1p(sum(map(instruction.count, _COMMAS))),
        float(NUMBER in words),
        math.log1p(len(words)),
        *(math.log1p(parts.material.get(kind, 0)) for kind in KINDS),
    ]
