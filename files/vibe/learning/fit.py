"""Fit a head on labels, and measure by cross-validation what it gains over the prior.

The model: gain of the strong pool = the prior's log odds and the length, weighted by STARTS (in their
standard deviations) + a ridge head over all features and hashed words. Penalty and weights below were chosen once, on
labelled outcomes of ten sources, and are good at 100 labels and at 400: there is nothing to tune.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from vibe.learning.apgr import apgr, bootstrap_differences, bootstrap_won, cpt, won_at
from vibe.learning.labels import Label, gains_of
from vibe.learning.ridge import Row, Weights, solve_ridge
from vibe.scoring.score import value_of
from vibe.scoring.scorer import HEAD_NAMES, JUDGED, Prior
from vibe.scoring.surface_features import GRAM_BUCKETS

LEAST_LABELS = 100
PENALTY = 10.0
# The assumption before any label is read: in labelled outcomes, longer prompts gain most reliably.
STARTS = {JUDGED: 0.02, "length": 0.06}
# The weight of all words and pairs together, compared with one dense feature.
GRAM_WEIGHT = 2.0
FOLDS = 10
DRAWS = 1000
INTERVAL = 0.95
# Strong shares that are printed with the threshold that makes them, and parts of the gap with the share that they need.
TOLD_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
TOLD_PARTS = (0.5, 0.8)
SIGNIFICANT_DIGITS = 6
_LENGTH, _JUDGED = HEAD_NAMES.index("length"), HEAD_NAMES.index(JUDGED)
_SEED = 0


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its 95 % interval (bootstrap)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Gain:
    """APGR of prior, length and adapter on labels that were not fitted on, and what the adapter gains over the two."""

    prior: float
    length: float
    adapter: float
    over_prior: Interval
    over_length: Interval


@dataclass(frozen=True)
class Point:
    """A strong share (0 to 1), the threshold that makes it, the parts of the gap that adapter and prior win with it.

    ``low`` and ``high`` are the ends of the adapter's interval.
    """

    share: float
    threshold: float
    adapter: float
    low: float
    high: float
    prior: float


@dataclass(frozen=True)
class Learnt:
    """The numbers of an adapter, and its evaluation on labels that were not fitted on.

    ``curve``: one point for each of ``TOLD_SHARES``. ``needed``: for each of ``TOLD_PARTS`` of the gap the strong share
    that wins it, by adapter and by prior. Both are empty where the strong pool gains nothing on the labels. ``scores``:
    of each label by a head that has not seen it, 0 to 100, ``prior_scores`` by the prior.
    """

    head: dict[str, object]
    gain: Gain
    curve: list[Point]
    needed: dict[float, tuple[float, float]]
    scores: list[float]
    prior_scores: list[float]


class Task:
    """Labels as rows of numbers, and the part of the gain that the prior explains."""

    def __init__(self, labels: list[Label], prior: Prior) -> None:
        """Take the *labels*, and the *prior* that a head adds to."""
        self.gains = gains_of(labels)
        self.prior_raw = [label.values[_JUDGED] for label in labels]
        self.centre = prior.head_centre
        self.starts = [
            STARTS.get(name, 0.0) / spread for name, spread in zip(HEAD_NAMES, prior.head_spread, strict=True)
        ]
        self.offsets = [
            math.fsum(s * (v - c) for s, v, c in zip(self.starts, label.values, self.centre, strict=True) if s)
            for label in labels
        ]
        root = math.sqrt(len(HEAD_NAMES))
        self.factors = [1.0 / (root * spread) for spread in prior.head_spread]
        self.rows = [
            Row(
                [(v - c) * f for v, c, f in zip(label.values, self.centre, self.factors, strict=True)],
                label.buckets,
                math.sqrt(GRAM_WEIGHT / len(label.buckets)) if label.buckets else 0.0,
            )
            for label in labels
        ]

    def fit(self, used: list[int]) -> Weights:
        """Fit on the labels *used*, centred."""
        count = len(used)
        means = [math.fsum(column) / count for column in zip(*(self.rows[i].dense for i in used), strict=True)]
        rows = [
            Row(
                [v - m for v, m in zip(self.rows[i].dense, means, strict=True)],
                self.rows[i].buckets,
                self.rows[i].share,
            )
            for i in used
        ]
        targets = [self.gains[i] - self.offsets[i] for i in used]
        middle = math.fsum(targets) / count
        return solve_ridge(rows, [target - middle for target in targets], GRAM_BUCKETS, PENALTY)

    def predict(self, weights: Weights, index: int) -> float:
        """Return the expected gain of one label, without the constant."""
        return self.offsets[index] + weights.of(self.rows[index])


def learn(labels: list[Label], prior: Prior) -> Learnt:
    """Fit a head on *labels* (two or more folds' worth) on top of *prior*."""
    task = Task(labels, prior)
    unseen = _out_of_fold(task, [label.key for label in labels])
    lengths = [label.values[_LENGTH] for label in labels]
    prior_apgr, length_apgr, adapter_apgr = (apgr(scores, task.gains) for scores in (task.prior_raw, lengths, unseen))
    gain = Gain(
        prior_apgr,
        length_apgr,
        adapter_apgr,
        _gained(unseen, task.prior_raw, task.gains, adapter_apgr - prior_apgr),
        _gained(unseen, lengths, task.gains, adapter_apgr - length_apgr),
    )
    scale, shift = _calibration(unseen, task.prior_raw)
    scores = [value_of(shift + scale * value) for value in unseen]
    return Learnt(
        _head(task, task.fit(list(range(len(labels)))), scale, shift),
        gain,
        *_proof(task, scores),
        scores,
        [value_of(raw) for raw in task.prior_raw],
    )


def _gained(scores: list[float], others: list[float], gains: list[float], difference: float) -> Interval:
    return _interval(difference, bootstrap_differences(scores, others, gains, DRAWS, _SEED))


def _proof(task: Task, scores: list[float]) -> tuple[list[Point], dict[float, tuple[float, float]]]:
    """Return curve and needed shares of ``Learnt``; *scores*: the labels' by heads that have not seen them."""
    if not math.fsum(task.gains) > 0:
        return [], {}
    ranked = sorted(scores, reverse=True)
    curve = []
    for share, drawn in zip(TOLD_SHARES, bootstrap_won(scores, task.gains, TOLD_SHARES, DRAWS, _SEED), strict=True):
        strong = max(1, round(share * len(ranked)))
        threshold = (ranked[strong - 1] + ranked[min(strong, len(ranked) - 1)]) / 2
        won = _interval(won_at(scores, task.gains, share), drawn)
        curve.append(Point(share, threshold, won.value, won.low, won.high, won_at(task.prior_raw, task.gains, share)))
    needed = {part: (cpt(scores, task.gains, part), cpt(task.prior_raw, task.gains, part)) for part in TOLD_PARTS}
    return curve, needed


def _out_of_fold(task: Task, keys: list[str]) -> list[float]:
    """Predict every label by a head that has not seen it; equal prompts are in one fold."""
    distinct = sorted(set(keys))
    random.Random(_SEED).shuffle(distinct)
    fold_of = {key: place % FOLDS for place, key in enumerate(distinct)}
    folds = [fold_of[key] for key in keys]
    unseen = [0.0] * len(keys)
    for fold in range(FOLDS):
        weights = task.fit([index for index, its in enumerate(folds) if its != fold])
        for index, its in enumerate(folds):
            if its == fold:
                unseen[index] = task.predict(weights, index)
    return unseen


def _calibration(unseen: list[float], prior_raw: list[float]) -> tuple[float, float]:
    """Return scale and shift to log odds: the prior's spread, and its share of labels at or above even odds."""
    spread = _deviation(unseen)
    scale = _deviation(prior_raw) / spread if spread > 0 else 1.0
    strong = sum(raw >= 0.0 for raw in prior_raw)
    if 0 < strong < len(unseen):
        ranked = sorted(unseen, reverse=True)
        return scale, -scale * (ranked[strong - 1] + ranked[strong]) / 2
    # All on one side: the threshold among them is unknown.
    return scale, (math.fsum(prior_raw) - scale * math.fsum(unseen)) / len(unseen)


def _head(task: Task, learnt: Weights, scale: float, shift: float) -> dict[str, object]:
    """Return *learnt* in log odds per unit of each feature, as ``scorer.with_head`` adds them up."""
    weights = [
        scale * (start + weight * factor)
        for start, weight, factor in zip(task.starts, learnt.dense, task.factors, strict=True)
    ]
    base = shift - math.fsum(w * c for w, c in zip(weights, task.centre, strict=True))
    return {
        "base": _short(base),
        "weights": [_short(weight) for weight in weights],
        "gram_weights": [_short(scale * math.sqrt(GRAM_WEIGHT) * weight) for weight in learnt.buckets],
    }


def _interval(value: float, drawn: list[float]) -> Interval:
    return Interval(value, _quantile(drawn, (1 - INTERVAL) / 2), _quantile(drawn, (1 + INTERVAL) / 2))


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[round(share * (len(ordered) - 1))] if ordered else float("nan")


def _deviation(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def _short(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
