"""A linear model over what a text says, its words, pieces of words and phrases, and over named numbers.

A table holds one signed byte for each bucket of hashed words. Word vectors of a multilingual encoder are folded into
the table of words when a model is fitted (``tests/bench/routing``), so that a word that no label had counts as its
neighbours in meaning do, in every language.
"""

from __future__ import annotations

import base64
import math
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul, sub
from pathlib import Path

from vibe.scoring.said import HASH_BITS, Said, named_phrases, pieces_of, word_hash
from vibe.scoring.weights_file import check_names, fault, number, numbers

WORDS, PIECES, PHRASES = "words", "pieces", "phrases"
TABLES = (WORDS, PIECES, PHRASES)
# Words whose weights are remembered.
_REMEMBERED = 1 << 14


@dataclass(frozen=True)
class LinearModel:
    """Log odds are ``base`` + ``weights`` x (numbers - ``centre``) + the weights of words, pieces and phrases.

    The weight of a bucket is a table's byte times the table's scale, divided by the square root of how many of the kind
    a text has: a long one does not count for more by its length alone.
    """

    base: float
    weights: list[float]
    centre: list[float]
    tables: Mapping[str, array[int]]
    scales: Mapping[str, float]
    _known: dict[str, tuple[int, int, int]] = field(default_factory=dict, repr=False, compare=False)

    def of_numbers(self, values: Sequence[float]) -> list[float]:
        """Return the log odds of each of *values*, in the order of their names."""
        return list(map(mul, self.weights, map(sub, values, self.centre)))

    def of_said(self, said: Said) -> tuple[float, float]:
        """Return the log odds of the words of *said*, with their pieces, and of its phrases."""
        distinct = set(said.words)
        if not distinct:
            return 0.0, 0.0
        own = part = pieces = 0
        for word in distinct:
            weight, total, count = self._known.get(word) or self._weights_of(word)
            own += weight
            part += total
            pieces += count
        table = self.tables[PHRASES]
        mask = len(table) - 1
        # As large as the hashes are: no need to cut each.
        if len(table) == 1 << HASH_BITS:
            phrases = sum(map(table.__getitem__, said.phrases))
        else:
            phrases = sum([table[phrase & mask] for phrase in said.phrases])
        by_words = self.scales[WORDS] * own / math.sqrt(len(distinct)) + self.scales[PIECES] * part / math.sqrt(pieces)
        return by_words, self.scales[PHRASES] * phrases / math.sqrt(len(said.phrases))

    def leading(self, said: Said, count: int) -> list[tuple[str, float]]:
        """Return the *count* words and phrases of *said* that weigh most, with their log odds."""
        weighed = {word: self._weights_of(word) for word in said.words}
        if not weighed:
            return []
        pieces = math.sqrt(sum(number for _, _, number in weighed.values()))
        found = {
            word: self.scales[WORDS] * own / math.sqrt(len(weighed)) + self.scales[PIECES] * part / pieces
            for word, (own, part, _) in weighed.items()
        }
        table = self.tables[PHRASES]
        scale = self.scales[PHRASES] / math.sqrt(len(said.phrases))
        for bucket, phrase in named_phrases(said.words).items():
            found[phrase] = found.get(phrase, 0.0) + scale * table[bucket & (len(table) - 1)]
        return sorted(found.items(), key=lambda item: (-abs(item[1]), item[0]))[:count]

    def _weights_of(self, word: str) -> tuple[int, int, int]:
        """Return *word*'s own byte, the sum of its pieces' bytes, and how many pieces it has."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            parts = pieces_of(word)
            words, pieces = self.tables[WORDS], self.tables[PIECES]
            mask = len(pieces) - 1
            total = sum([pieces[piece & mask] for piece in parts])
            known = self._known[word] = (words[word_hash(word) & (len(words) - 1)], total, len(parts))
        return known


def model_of(
    document: Mapping[str, object], names: Sequence[str], bits: Mapping[str, int], path: Path, kind: str
) -> LinearModel:
    """Return the model in *document*, part of a weights file of *kind* at *path*: numbers *names*, tables of 2^*bits*.

    Raises:
        WeightsFileError: it cannot be used.
    """
    check_names(document, "names", names, path, kind)
    return LinearModel(
        base=number(document, "base", path, kind),
        weights=numbers(document, "weights", len(names), path, kind),
        centre=numbers(document, "centre", len(names), path, kind),
        tables={name: _table(document, name, bits[name], path, kind) for name in TABLES},
        scales={name: number(document, f"{name}_scale", path, kind) for name in TABLES},
    )


def encoded(table: array[int]) -> str:
    """Return *table* as the file has it: compressed bytes in Base85."""
    return base64.b85encode(zlib.compress(table.tobytes(), 9)).decode("ascii")


def _table(document: Mapping[str, object], name: str, bits: int, path: Path, kind: str) -> array[int]:
    text = document.get(name)
    try:
        table = array("b", zlib.decompress(base64.b85decode(text if isinstance(text, str) else "")))
    except (ValueError, zlib.error):
        raise fault(path, kind, f"{name}: must be compressed bytes in Base85") from None
    if len(table) != 1 << bits:
        raise fault(path, kind, f"{name}: must have {1 << bits} bytes, has {len(table)}")
    return table
