"""What the models of turns read beside a turn's words: its form, and how much of it was said before."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet

from vibe.scoring.prompt_parts import split
from vibe.scoring.said import pieces_of, window_of, words_in

_FORM_NAMES = ("chars", "words", "asks", "exclaims", "under_3", "under_6", "under_10", "under_16", "lower", "material")
_OVERLAP_NAMES = ("share", "count", "pieces")
COMPLAINT_NAMES = (*_FORM_NAMES, "listed")
CONTINUATION_NAMES = (
    *(*_FORM_NAMES, "listed", "own_words", "prompt_chars"),
    *(f"{of}_{name}" for of in ("prompt", "answer") for name in _OVERLAP_NAMES),
    "both_pieces",
)
# Shorter words, where they are not of characters that are words themselves, tell little of what a text is about.
_LEAST_CHARS, _CJK = 4, "\u2e80"
_QUESTIONS = ("?", "？", "؟")


def complaint_values(turn: str, words: list[str], *, is_listed: bool) -> list[float]:
    """Return the values of ``COMPLAINT_NAMES`` for *turn*, which has *words*; *is_listed*: by the list of phrases."""
    return [*_form(turn, words), float(is_listed)]


def continuation_values(turn: str, words: list[str], prompt: str, answer: str, *, is_listed: bool) -> list[float]:
    """Return the values of ``CONTINUATION_NAMES`` for *turn*, which has *words*.

    *prompt* and *answer* came before it, "" where they are not known.
    """
    own = {word for word in words if len(word) >= _LEAST_CHARS or word[0] >= _CJK}
    pieces = _pieces(own)
    before, told = set(words_in(window_of(prompt))), set(words_in(window_of(answer)))
    prompt_pieces, answer_pieces = _pieces(before), _pieces(told)
    return [
        *_form(turn, words),
        float(is_listed),
        math.log1p(len(own)),
        math.log1p(len(prompt)),
        *_overlap(own, pieces, before, prompt_pieces),
        *_overlap(own, pieces, told, answer_pieces),
        _share(pieces, prompt_pieces | answer_pieces),
    ]


def _form(turn: str, words: list[str]) -> list[float]:
    count, read = len(words), window_of(turn)
    return [
        math.log1p(len(turn)),
        math.log1p(count),
        float(any(mark in read for mark in _QUESTIONS)),
        float("!" in read),
        float(count < 3),
        float(count < 6),
        float(count < 10),
        float(count < 16),
        float(turn[:1].islower()),
        float(bool(split(turn).material)),
    ]


def _overlap(
    own: AbstractSet[str], pieces: AbstractSet[int], before: AbstractSet[str], pieces_before: AbstractSet[int]
) -> list[float]:
    return [_share(own, before), math.log1p(len(own & before)), _share(pieces, pieces_before)]


def _share(own: AbstractSet[object], before: AbstractSet[object]) -> float:
    return len(own & before) / len(own) if own else 0.0


def _pieces(words: AbstractSet[str]) -> set[int]:
    return set().union(*map(pieces_of, words))
