"""The input of the judgement model: the words of a prompt's instruction, those of all of it, and its structure."""

from __future__ import annotations

import math
from typing import NamedTuple

from vibe.scoring.prompt_parts import KINDS, Parts
from vibe.scoring.said import NUMBER, Said, said_in, window_of

# The weight of the whole prompt beside its instruction; by cross-validation over the sets.
WHOLE_WEIGHT = 1.0
_QUESTIONS, _COMMAS = ("?", "？"), (",", "，", "、")
# Names by their label in a score.
LENGTH, FORM, MATERIAL = "length", "form", "material"
STRUCTURE = {
    LENGTH: ("chars", "under_40", "under_80", "over_600", "commas", "words"),
    FORM: (
        *("lines", "first_line", "last_line", "first_line_asks", "last_line_asks", "questions", "ends_in_colon"),
        "has_number",
    ),
    MATERIAL: ("rest", *KINDS),
}
STRUCTURE_NAMES = tuple(f"{group}_{name}" for group, names in STRUCTURE.items() for name in names)


class Features(NamedTuple):
    """What the ``instruction`` says, what the ``whole`` prompt does, and ``structure``: as ``STRUCTURE_NAMES``.

    Without material the two are the same object.
    """

    instruction: Said
    whole: Said
    structure: list[float]


def features_of(parts: Parts, prompt: str) -> Features:
    """Return the features of *prompt*, which *parts* are of; material alone is read as if it were the instruction."""
    whole = window_of(prompt.strip())
    instruction = parts.instruction or whole
    asked = window_of(instruction)
    said = said_in(asked)
    return Features(said, said if asked == whole else said_in(whole), _structure(instruction, parts, said.words))


def _structure(instruction: str, parts: Parts, words: list[str]) -> list[float]:
    lines = instruction.split("\n")
    filled = [line for line in lines if line.strip()] or [""]
    first, last = filled[0], filled[-1]
    size = len(instruction)
    return [
        math.log1p(size),
        float(size < 40),
        float(size < 80),
        float(size > 600),
        math.log1p(sum(map(instruction.count, _COMMAS))),
        math.log1p(len(words)),
        math.log1p(len(lines)),
        math.log1p(len(first)),
        math.log1p(len(last)),
        float("?" in first),
        float(any(mark in last for mark in _QUESTIONS)),
        float(min(sum(map(instruction.count, _QUESTIONS)), 4)),
        float(last.endswith((":", "："))),
        float(NUMBER in words),
        math.log1p(max(parts.chars - size, 0)),
        *(math.log1p(parts.material.get(kind, 0)) for kind in KINDS),
    ]
