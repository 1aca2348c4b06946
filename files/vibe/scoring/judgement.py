"""The judgement model: the probability that a prompt asks for more than a small model handles.

A logistic regression over ``judgement_features``, fitted on prompts that are labelled by what they ask
(``tests/bench/routing/fit_judgement.py``). A table holds one signed byte a bucket. Word vectors of a multilingual
encoder are folded into the table of words, so that a word that no label had counts as its neighbours in meaning do.
"""

from __future__ import annotations

import base64
import math
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import mul
from pathlib import Path

from vibe.scoring.judgement_features import (
    PHRASE_BITS,
    PIECE_BITS,
    STRUCTURE_NAMES,
    WORD_BITS,
    features_of,
    hash_of,
    named_phrases,
    word_bucket,
)
from vibe.scoring.prompt_parts import split
from vibe.scoring.weights_file import JUDGEMENT, check_names, fault, number, numbers, read_weights

WORDS, PIECES, PHRASES = "words", "pieces", "phrases"
TABLE_BITS = {WORDS: WORD_BITS, PIECES: PIECE_BITS, PHRASES: PHRASE_BITS}
# Words whose weights are remembered.
_REMEMBERED = 1 << 14
# Beyond it a probability is 0 or 1.
_MAX_LOGIT = 500.0


@dataclass(frozen=True)
class Judgement:
    """A logit is ``base`` + ``structure`` x the prompt's numbers + the weights of its words, their pieces and phrases.

    A weight is a table's byte times the table's scale, divided by the square root of how many of the kind a prompt has:
    a long prompt is no harder for its length alone.
    """

    base: float
    structure: list[float]
    tables: Mapping[str, array[int]]
    scales: Mapping[str, float]
    _known: dict[str, tuple[int, int, int]] = field(default_factory=dict, repr=False, compare=False)

    def probability(self, prompt: str) -> float:
        """Return the probability that *prompt* needs the strong model, 0 to 1."""
        return 1.0 / (1.0 + math.exp(-max(min(self.logit(prompt), _MAX_LOGIT), -_MAX_LOGIT)))

    def logit(self, prompt: str) -> float:
        """Return the logarithm of the odds that *prompt* needs the strong model."""
        features = features_of(split(prompt), prompt)
        found: float = self.base + sum(map(mul, self.structure, features.structure))
        if not features.words:
            return found
        distinct = set(features.words)
        own = part = pieces = 0
        for word in distinct:
            weight, total, count = self._known.get(word) or self._weights_of(word)
            own += weight
            part += total
            pieces += count
        phrases = sum(map(self.tables[PHRASES].__getitem__, features.phrases))
        found += self.scales[WORDS] * own / math.sqrt(len(distinct))
        found += self.scales[PIECES] * part / math.sqrt(pieces)
        return found + self.scales[PHRASES] * phrases / math.sqrt(len(features.phrases))

    def leading(self, prompt: str, count: int) -> list[tuple[str, float]]:
        """Return the *count* words and phrases of *prompt* that weigh most, with their parts of the logit."""
        features = features_of(split(prompt), prompt)
        weighed = {word: self._weights_of(word) for word in features.words}
        if not weighed:
            return []
        pieces = math.sqrt(sum(number for _, _, number in weighed.values()))
        found = {
            word: self.scales[WORDS] * own / math.sqrt(len(weighed)) + self.scales[PIECES] * part / pieces
            for word, (own, part, _) in weighed.items()
        }
        scale = self.scales[PHRASES] / math.sqrt(len(features.phrases))
        for bucket, phrase in named_phrases(features.words).items():
            found[phrase] = found.get(phrase, 0.0) + scale * self.tables[PHRASES][bucket]
        return sorted(found.items(), key=lambda item: (-abs(item[1]), item[0]))[:count]

    def _weights_of(self, word: str) -> tuple[int, int, int]:
        """Return *word*'s own byte, the sum of its pieces' bytes, and how many pieces it has."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            pieces = hash_of(word).pieces
            total = sum(map(self.tables[PIECES].__getitem__, pieces))
            known = self._known[word] = (self.tables[WORDS][word_bucket(word)], total, len(pieces))
        return known


def load_judgement(path: Path) -> Judgement:
    """Read the model at *path*.

    Raises:
        WeightsFileError: it cannot be used.
    """
    document = read_weights(path, JUDGEMENT)
    check_names(document, "structure_names", STRUCTURE_NAMES, path, JUDGEMENT)
    return Judgement(
        base=number(document, "base", path, JUDGEMENT),
        structure=numbers(document, "structure", len(STRUCTURE_NAMES), path, JUDGEMENT),
        tables={name: _table(document, name, bits, path) for name, bits in TABLE_BITS.items()},
        scales={name: number(document, f"{name}_scale", path, JUDGEMENT) for name in TABLE_BITS},
    )


def encoded(table: array[int]) -> str:
    """Return *table* as the file has it: compressed bytes in Base64."""
    return base64.b64encode(zlib.compress(table.tobytes(), 9)).decode("ascii")


def _table(document: Mapping[str, object], name: str, bits: int, path: Path) -> array[int]:
    text = document.get(name)
    try:
        table = array("b", zlib.decompress(base64.b64decode(text if isinstance(text, str) else "", validate=True)))
    except (ValueError, zlib.error):
        raise fault(path, JUDGEMENT, f"{name}: must be compressed bytes in Base64") from None
    if len(table) != 1 << bits:
        raise fault(path, JUDGEMENT, f"{name}: must have {1 << bits} bytes, has {len(table)}")
    return table
