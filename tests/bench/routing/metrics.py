"""Figures over several sources, and over labels. APGR itself is the product's own (``vibe.learning.apgr``)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.routing.data import Outcome, by_source
from vibe.learning.apgr import apgr


def apgr_by_source(scores: Sequence[float], rows: list[Outcome]) -> dict[str, float]:
    """Return the APGR of each source that counts."""
    return {
        source: apgr([scores[index] for index in indices], [rows[index].gain for index in indices])
        for source, indices in by_source(rows).items()
    }


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Return the probability that a positive has the higher score than a negative (ties count half)."""
    order = sorted(range(len(scores)), key=lambda index: scores[index])
    ranks = [0.0] * len(scores)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2
        start = end
    hits = sum(positive)
    total = math.fsum(rank for rank, is_positive in zip(ranks, positive, strict=True) if is_positive)
    return (total - hits * (hits + 1) / 2) / (hits * (len(scores) - hits))
