"""How well scores order prompts: the part of the quality gap that is won back, averaged over all strong shares.

APGR (average performance gap recovered) and CPT (call-performance threshold) are those of RouteLLM (Ong et al. 2024,
arXiv 2406.18665): prompts are sorted by score, the top share goes to the strong model; 0 is weak-only quality, 1 is
strong-only. Random order has an expected APGR of 0.5.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import groupby


def apgr(scores: Sequence[float], gains: Sequence[float]) -> float:
    """Return the APGR of *scores*, given what the strong model gains on each prompt (strong minus weak quality).

    Prompts of one score share their gain: their order means nothing. NaN where the gains add up to nothing.
    """
    return _area(_ties(scores), gains, [1] * len(gains))


def cpt(scores: Sequence[float], gains: Sequence[float], recovered: float) -> float:
    """Return the least strong share (0 to 1) at which the *recovered* part (0 to 1) of the gap is won back."""
    wanted = recovered * sum(gains)
    won = 0.0
    sent = 0
    for tied in _ties(scores):
        gain = sum(gains[index] for index in tied)
        if won + gain >= wanted and gain > 0:
            return (sent + len(tied) * max(wanted - won, 0.0) / gain) / len(gains)
        won += gain
        sent += len(tied)
    return 1.0


def won_at(scores: Sequence[float], gains: Sequence[float], share: float) -> float:
    """Return the part of the gap that is won back with the highest *share* (0 to 1) of *scores* on the strong model."""
    left, won = share * len(gains), 0.0
    for tied in _ties(scores):
        taken = min(float(len(tied)), left)
        won += taken * sum(gains[index] for index in tied) / len(tied)
        left -= taken
    total = sum(gains)
    return won / total if total > 0 else float("nan")


def bootstrap_differences(
    scores: Sequence[float], others: Sequence[float], gains: Sequence[float], draws: int, seed: int
) -> list[float]:
    """Return the sorted APGR differences of *scores* over *others* on *draws* resamples of the same prompts."""
    chance = random.Random(seed)
    ours, theirs, indices = _ties(scores), _ties(others), range(len(gains))
    differences = []
    for _ in range(draws):
        times = [0] * len(gains)
        for index in chance.choices(indices, k=len(gains)):
            times[index] += 1
        difference = _area(ours, gains, times) - _area(theirs, gains, times)
        # NaN: this resample has no gap to win back.
        if difference == difference:
            differences.append(difference)
    return sorted(differences)


def _ties(scores: Sequence[float]) -> list[list[int]]:
    """Return the prompts' indices, highest score first, those of one score together."""
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    return [list(tied) for _, tied in groupby(order, key=lambda index: scores[index])]


def _area(ties: list[list[int]], gains: Sequence[float], times: Sequence[int]) -> float:
    """Return the area under the recovered gap (trapezoids), each prompt counted as often as *times* says."""
    won = area = 0.0
    for tied in ties:
        count = gain = 0.0
        for index in tied:
            count += times[index]
            gain += times[index] * gains[index]
        area += count * (won + gain / 2)
        won += gain
    return area / (won * sum(times)) if won > 0 else float("nan")
