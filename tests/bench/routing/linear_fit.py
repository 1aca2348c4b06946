"""Fits a ``vibe.scoring.linear_model`` by logistic regression, and folds it into tables of bytes."""

from __future__ import annotations

import collections
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.routing.word_vectors import frequent_words, vectors_of
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from vibe.scoring.linear_model import PHRASES, PIECES, TABLES, WORDS, encoded
from vibe.scoring.said import Said, pieces_of, word_hash

# Penalty of the regression.
C = 1.0
MAX_BYTE = 127
DIGITS = 6
Matrix = Any


@dataclass(frozen=True)
class Scales:
    """How much each kind of feature weighs against the others before it is fitted; by cross-validation."""

    words: float
    pieces: float
    phrases: float
    vectors: float
    numbers: float

    def of(self, table: str) -> float:
        """Return the scale of *table*."""
        return {WORDS: self.words, PIECES: self.pieces, PHRASES: self.phrases}[table]


@dataclass
class Vocabulary:
    """The words that have a vector, most frequent first, and their vectors times how telling the word is."""

    words: list[str]
    vectors: Any

    @property
    def index(self) -> dict[str, int]:
        """The place of each word."""
        return {word: number for number, word in enumerate(self.words)}


@dataclass
class Design:
    """The features of texts as one matrix, with what is needed to fold a fitted model into tables."""

    matrix: Matrix
    vocabulary: Vocabulary
    bits: Mapping[str, int]
    scales: Scales
    centre: Any
    spread: Any


def vocabulary_of(texts: Sequence[Said], more: Iterable[Said]) -> Vocabulary:
    """Return the words of *texts*, by which it is counted how telling a word is, of *more*, and the frequent ones."""
    counts = collections.Counter(word for text in texts for word in dict.fromkeys(text.words))
    words = sorted(counts.keys() | {word for text in more for word in text.words} | frequent_words())
    words.sort(key=lambda word: -counts[word])
    known = vectors_of(words)
    # A word that no text has tells as much as one that a single text has.
    telling = [(math.log(len(texts) / min(max(counts[word], 1), len(texts) - 1)) + 0.1) / 3 for word in words]
    vectors = np.vstack([known[word] for word in words]).astype(np.float32) * np.array(telling, np.float32)[:, None]
    return Vocabulary(words, vectors)


def design_of(
    weighed: Sequence[tuple[float, Sequence[Said]]],
    values: Any,
    vocabulary: Vocabulary,
    bits: Mapping[str, int],
    scales: Scales,
) -> Design:
    """Return the matrix of texts: *weighed* lists of what each says, added up, and their numbers *values*."""
    said: Matrix = sum(weight * _said_matrix(texts, vocabulary, bits, scales) for weight, texts in weighed)
    centre, spread = values.mean(0), values.std(0) + 1e-9
    numbers = sparse.csr_matrix((values - centre) / spread * scales.numbers)
    return Design(sparse.hstack([said, numbers]).tocsr(), vocabulary, bits, scales, centre, spread)


def fitted(design: Design, rows: Any, positive: Any, weights: Any) -> LogisticRegression:
    """Return the regression of *positive* on *rows* of *design*."""
    model = LogisticRegression(C=C, max_iter=300, solver="liblinear", random_state=0)
    return model.fit(design.matrix[rows], positive[rows], sample_weight=weights[rows])


def left_out(design: Design, rows: Any, positive: Any, weights: Any) -> Any:
    """Return the log odds of *rows*, a mask, by a model of all others."""
    model = fitted(design, np.flatnonzero(~rows), positive, weights)
    return model.decision_function(design.matrix[np.flatnonzero(rows)])


def document_of(design: Design, model: LogisticRegression, names: Sequence[str]) -> dict[str, object]:
    """Return the fitted *model* of the numbers *names* as a weights file has it, vectors folded into words."""
    weights, vectors = model.coef_[0], design.vocabulary.vectors
    sizes = [1 << design.bits[table] for table in TABLES]
    ends = np.cumsum([*sizes, vectors.shape[1]])
    by_table, by_vector, by_number = weights[: ends[2]], weights[ends[2] : ends[3]], weights[ends[3] :]
    tables = {
        table: part * design.scales.of(table) for table, part in zip(TABLES, np.split(by_table, ends[:2]), strict=True)
    }
    folded = vectors @ by_vector * design.scales.vectors
    filled = np.zeros(sizes[0], bool)
    # Most frequent first: of words that share a bucket, that one's vector counts.
    for word, value in zip(design.vocabulary.words, folded, strict=True):
        bucket = word_hash(word) & (sizes[0] - 1)
        if not filled[bucket]:
            filled[bucket] = True
            tables[WORDS][bucket] += value
    document: dict[str, object] = {
        "names": list(names),
        "base": round(float(model.intercept_[0]), DIGITS),
        "weights": rounded(by_number * design.scales.numbers / design.spread),
        "centre": rounded(design.centre),
    }
    for table, values in tables.items():
        scale = float(np.abs(values).max()) / MAX_BYTE
        document[f"{table}_scale"] = round(scale, DIGITS + 2)
        document[table] = encoded(array("b", np.rint(values / scale).astype(int).tolist()))
    return document


def rounded(values: Iterable[Any]) -> list[float]:
    """Return *values* as a file has them."""
    return [round(float(value), DIGITS) for value in values]


def _said_matrix(texts: Sequence[Said], vocabulary: Vocabulary, bits: Mapping[str, int], scales: Scales) -> Matrix:
    """Return a row for each of *texts*: its words, pieces and phrases, and the mean of its words' vectors."""
    index, vectors = vocabulary.index, vocabulary.vectors
    means = np.zeros((len(texts), vectors.shape[1]), np.float32)
    for row, text in enumerate(texts):
        distinct = sorted({index[word] for word in text.words})
        if distinct:
            means[row] = vectors[distinct].sum(0) / math.sqrt(len(distinct))
    hashes = {
        WORDS: [sorted({word_hash(word) for word in text.words}) for text in texts],
        PIECES: [[piece for word in sorted(set(text.words)) for piece in pieces_of(word)] for text in texts],
        PHRASES: [sorted(text.phrases) for text in texts],
    }
    parts = [_hashed(hashes[table], bits[table], scales.of(table)) for table in TABLES]
    return sparse.hstack([*parts, sparse.csr_matrix(means * scales.vectors)]).tocsr()


def _hashed(hashes: Sequence[Sequence[int]], bits: int, scale: float) -> Matrix:
    """Return a row for each list of *hashes*, divided by the root of its length."""
    mask = (1 << bits) - 1
    indices = np.array([value & mask for row in hashes for value in row], np.int32)
    data = np.array([scale / math.sqrt(len(row)) for row in hashes for _ in row], np.float32)
    starts = np.cumsum([0, *map(len, hashes)])
    table = sparse.csr_matrix((data, indices, starts), shape=(len(hashes), mask + 1))
    table.sum_duplicates()
    return table
