"""Ridge regression over dense features and hashed words: the closed form, solved without a matrix library.

The solution of (X'X + penalty I) w = X'y is found by conjugate gradient (Hestenes and Stiefel 1952), which needs
products with X alone: X is sparse, and no matrix of buckets times buckets is ever made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

TOLERANCE = 1e-6
MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Row:
    """One label's inputs: ``dense`` values, and the ``buckets`` that occur, each of them counting ``share``."""

    dense: Sequence[float]
    buckets: Sequence[int]
    share: float


@dataclass(frozen=True)
class Weights:
    """What was learnt: one weight for each dense value and for each bucket."""

    dense: list[float]
    buckets: list[float]

    def of(self, row: Row) -> float:
        """Return the prediction for *row*."""
        dense: float = sum(map(mul, self.dense, row.dense))
        return dense + row.share * sum(map(self.buckets.__getitem__, row.buckets))


def solve_ridge(rows: Sequence[Row], targets: Sequence[float], bucket_count: int, penalty: float) -> Weights:
    """Return the weights that predict *targets* (centred) from *rows*, without an intercept."""
    size = len(rows[0].dense)
    solution = Weights([0.0] * size, [0.0] * bucket_count)
    residual = _transposed(rows, targets, size, bucket_count)
    direction = Weights(list(residual.dense), list(residual.buckets))
    squared = first = _squared(residual)
    for _ in range(MAX_ITERATIONS):
        if squared <= TOLERANCE**2 * first:
            break
        image = _transposed(rows, [direction.of(row) for row in rows], size, bucket_count)
        _add(image, penalty, direction)
        step = squared / (_dot(direction.dense, image.dense) + _dot(direction.buckets, image.buckets))
        _add(solution, step, direction)
        _add(residual, -step, image)
        before, squared = squared, _squared(residual)
        direction = Weights(
            [new + squared / before * old for new, old in zip(residual.dense, direction.dense, strict=True)],
            [new + squared / before * old for new, old in zip(residual.buckets, direction.buckets, strict=True)],
        )
    return solution


def _transposed(rows: Sequence[Row], factors: Sequence[float], size: int, bucket_count: int) -> Weights:
    """Return X' times *factors*."""
    dense, buckets = [0.0] * size, [0.0] * bucket_count
    for row, factor in zip(rows, factors, strict=True):
        dense = [total + factor * value for total, value in zip(dense, row.dense, strict=True)]
        share = factor * row.share
        for bucket in row.buckets:
            buckets[bucket] += share
    return Weights(dense, buckets)


def _add(target: Weights, factor: float, other: Weights) -> None:
    for mine, theirs in ((target.dense, other.dense), (target.buckets, other.buckets)):
        mine[:] = [a + factor * b for a, b in zip(mine, theirs, strict=True)]


def _squared(weights: Weights) -> float:
    return _dot(weights.dense, weights.dense) + _dot(weights.buckets, weights.buckets)


def _dot(ours: list[float], theirs: list[float]) -> float:
    return math.fsum(map(mul, ours, theirs))
