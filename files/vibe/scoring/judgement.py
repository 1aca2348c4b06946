"""The judgement: the probability that a prompt asks for more than a small model handles.

A logistic regression over ``judgement_features``, fitted on prompts that are labelled by what they ask
(``tests/bench/routing/fit_judgement.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from vibe.scoring.judgement_features import STRUCTURE, STRUCTURE_NAMES, WHOLE_WEIGHT, features_of
from vibe.scoring.linear_model import PHRASES, PIECES, WORDS, LinearModel, model_of
from vibe.scoring.prompt_parts import split
from vibe.scoring.score import Score, score_of
from vibe.scoring.weights_file import JUDGEMENT

TABLE_BITS = {WORDS: 17, PIECES: 16, PHRASES: 17}
# What a score is made of. No single word is among them: decisions are logged, and prompts are not.
PARTS = (WORDS, PHRASES, *STRUCTURE)
_ENDS = tuple(accumulate(map(len, STRUCTURE.values())))
_SLICES = tuple(slice(start, end) for start, end in pairwise((0, *_ENDS)))


@dataclass(frozen=True)
class Judgement:
    """A linear ``model``: what the instruction says counts in full, what the whole prompt does by ``WHOLE_WEIGHT``."""

    model: LinearModel

    def score(self, prompt: str) -> Score:
        """Score *prompt*. Costs the same for 10 kB as for 10 MB."""
        parts = split(prompt)
        said, whole, structure = features_of(parts, prompt)
        by_structure = self.model.of_numbers(structure)
        by_words, by_phrases = self.model.of_said(said)
        words_around, phrases_around = (by_words, by_phrases) if whole is said else self.model.of_said(whole)
        log_odds = [
            by_words + WHOLE_WEIGHT * words_around,
            by_phrases + WHOLE_WEIGHT * phrases_around,
            *[sum(by_structure[part]) for part in _SLICES],
        ]
        asked = len(parts.instruction)
        values = [
            len(set(said.words)),
            len(said.phrases),
            asked,
            parts.instruction.count("\n") + 1,
            parts.chars - asked,
        ]
        return score_of(self.model.base, PARTS, list(map(float, values)), log_odds)

    def leading(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """Return the *count* words and phrases of the instruction of *prompt* that weigh most, with their log odds."""
        return self.model.leading(features_of(split(prompt), prompt).instruction, count)


def judgement_of(document: Mapping[str, object], path: Path) -> Judgement:
    """Return the judgement of the weights file *document*, read from *path*.

    Raises:
        WeightsFileError: it cannot be used.
    """
    return Judgement(model_of(document, STRUCTURE_NAMES, TABLE_BITS, path, JUDGEMENT))
