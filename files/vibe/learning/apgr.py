"""How well scores order prompts: the part of the quality gap that is won back, averaged over all strong shares.

APGR (average performance gap recovered) and CPT (call-performance threshold) are those of RouteLLM (Ong et al. 2024,
arXiv 2406.18665): prompts are sorted by score, the top share goes to the strong model; 0 is weak-only quality, 1 is
strong-only. Random order has an expected APGR of 0.5.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
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
    (won,) = _won(_ties(scores), gains, [1] * len(gains), [share])
    return won


def bootstrap_differences(
    scores: Sequence[float], others: Sequence[float], gains: Sequence[float], draws: int, seed: int
) -> list[float]:
    """Return the sorted APGR differences of *scores* over *others* on *draws* resamples of the same prompts."""
    ours, theirs = _ties(scores), _ties(others)
    differences = (
        _area(ours, gains, times) - _area(theirs, gains, times) for times in _resamples(len(gains), draws, seed)
    )
    # NaN: this resample has no gap to win back.
    return sorted(difference for difference in differences if difference == difference)


def bootstrap_won(
    scores: Sequence[float], gains: Sequence[float], shares: Sequence[float], draws: int, seed: int
) -> list[list[float]]:
    """Return for each of the *shares* what ``won_at`` is on *draws* resamples of the same prompts, sorted."""
    ties = _ties(scores)
    won: list[list[float]] = [[] for _ in shares]
    for times in _resamples(len(gains), draws, seed):
        for found, part in zip(won, _won(ties, gains, times, shares), strict=True):
            if part == part:
                found.append(part)
    return [sorted(found) for found in won]


def _resamples(count: int, draws: int, seed: int) -> Iterator[list[int]]:
    """Yield how often each of *count* prompts is in each of *draws* resamples."""
    chance, indices = random.Random(seed), range(count)
    for _ in range(draws):
        times = [0] * count
        for index in chance.choices(indices, k=count):
            times[index] += 1
        yield times


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


def _won(ties: list[list[int]], gains: Sequence[float], times: Sequence[int], shares: Sequence[float]) -> list[float]:
    """Return the part of the gap that each share wins, each prompt counted as often as *times* says; NaN without one.

    Prompts of one score share their gain, so a share that ends among them wins its part of it.
    """
    sent, won = [0.0], [0.0]
    for tied in ties:
        sent.append(sent[-1] + sum(times[index] for index in tied))
        won.append(won[-1] + sum(times[index] * gains[index] for index in tied))
    if not won[-1] > 0:
        return [float("nan")] * len(shares)
    found = []
    for share in shares:
        wanted = share * sent[-1]
        place = min(max(bisect_left(sent, wanted), 1), len(sent) - 1)
        width = sent[place] - sent[place - 1]
        part = (wanted - sent[place - 1]) / width if width else 1.0
        found.append((won[place - 1] + part * (won[place] - won[place - 1])) / won[-1])
    return found
