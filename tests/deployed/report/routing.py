"""A study of one family from its records and labels: where its prompts go, their cost, and the effect of an adapter."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vibe.learning.fit import FOLDS, Learnt, Point, learn
from vibe.learning.labels import Label
from vibe.learning.recommendation import Advice, advice_on
from vibe.scoring.scorer import HEAD_NAMES, Prior, with_head

BINS = 10
# The part of the gap that the table's suggested threshold wins: the rest is the most expensive.
WORTH_WINNING = 0.8
# A bin with fewer labels is meaningless.
_LEAST_IN_BIN = 5
_Z = 1.96
# The kind of a prompt by its features: the first that applies, the last for all others.
KINDS: Sequence[tuple[str, Sequence[str]]] = (
    ("greeting or thanks", ("greeting", "acknowledgement", "small_talk_cjk")),
    ("proof or mathematics", ("proof", "math")),
    ("code", ("code", "topic_programming")),
    ("architecture or hard task", ("architecture", "hard_verb")),
    ("translation", ("translate",)),
    ("law", ("topic_law",)),
    ("medicine", ("topic_medicine",)),
    ("science", ("topic_science",)),
    ("history", ("topic_history",)),
    ("question with options", ("options",)),
    ("short lookup", ("lookup",)),
    ("writing", ("topic_writing",)),
)
OTHER_KIND = "other"


@dataclass(frozen=True)
class Routed:
    """A family of the inventory."""

    name: str
    virtual_model: str
    cheap_pool: str
    strong_pool: str
    threshold: float
    routing: str
    adapter: str


@dataclass(frozen=True)
class Bin:
    """Labels of neighbouring scores: the middle of these, the cheap pool's mean quality and its 95 % interval."""

    score: float
    quality: float
    low: float
    high: float
    labels: int


@dataclass(frozen=True)
class Group:
    """Asks of one kind or script: how many, the strong share by the threshold now and with the adapter, judgements."""

    name: str
    prompts: int
    strong: float
    adapted: float | None
    judged: int
    quality: float | None


@dataclass(frozen=True)
class Cost:
    """What a pool served: requests, dollars, and what the same would have cost on the strong pool."""

    pool: str
    requests: int
    dollars: float
    strong_dollars: float


@dataclass
class Study:
    """The content of one family's page."""

    routed: Routed
    advice: Advice
    labels: int
    from_live: int
    by_hand: int
    knows_strong: bool
    records: Sequence[Mapping[str, Any]]
    costs: Sequence[Cost]
    learnt: Learnt | None = None
    calibration: dict[str, list[Bin]] = field(default_factory=dict)
    moves: dict[tuple[str, str], int] = field(default_factory=dict)
    kinds: list[Group] = field(default_factory=list)
    scripts: list[Group] = field(default_factory=list)

    @property
    def chosen(self) -> Point | None:
        """The least strong share of the curve that wins ``WORTH_WINNING`` of the gap; the largest if none does."""
        if self.learnt is None or not self.learnt.curve:
            return None
        enough = [point for point in self.learnt.curve if point.adapter >= WORTH_WINNING]
        return enough[0] if enough else self.learnt.curve[-1]

    @property
    def cheap_price(self) -> float | None:
        """What an answer of the cheap pool costs, as a share of what the strong pool takes for the same."""
        for cost in self.costs:
            if cost.pool == self.routed.cheap_pool and cost.strong_dollars > 0:
                return cost.dollars / cost.strong_dollars
        return None

    def cost_at(self, share: float) -> float | None:
        """Return the cost at a strong *share*, as a part of the cost with all prompts on the strong pool."""
        return None if self.cheap_price is None else share + (1 - share) * self.cheap_price


def study(
    routed: Routed,
    records: Sequence[Mapping[str, Any]],
    live: Sequence[Label],
    by_hand: Sequence[Label],
    costs: Sequence[Cost],
    prior: Prior,
) -> Study:
    """Learn from the labels (*live*: judged answers; *by_hand*: of a file) and compute the effect."""
    labels = [*live, *by_hand]
    # Fewer than two a fold cannot be fitted without the others.
    learnt = learn(labels, prior) if len(labels) >= 2 * FOLDS else None
    found = Study(
        routed,
        advice_on(len(labels), None if learnt is None else learnt.gain),
        len(labels),
        len(live),
        len(by_hand),
        bool(labels) and all(label.strong is not None for label in labels),
        records,
        costs,
        learnt,
    )
    if learnt is not None:
        found.calibration = {
            "adapter": bins_of(learnt.scores, labels),
            "shipped weights": bins_of(learnt.prior_scores, labels),
        }
    now = [record["score"] >= routed.threshold for record in records]
    then: list[bool] | None = None
    if learnt is not None and found.chosen is not None:
        threshold = found.chosen.threshold
        scorer = with_head(prior, learnt.head, Path("what was learnt"))
        kept = ([float(record["features"][name]) for name in HEAD_NAMES] for record in records)
        then = [scorer.value_without_words(values) >= threshold for values in kept]
        found.moves = Counter((_side(before), _side(after)) for before, after in zip(now, then, strict=True))
    found.kinds = _groups([kind_of(record["features"]) for record in records], records, now, then, routed)
    found.scripts = _groups([str(record.get("script", "unknown")) for record in records], records, now, then, routed)
    return found


def kind_of(features: Mapping[str, float]) -> str:
    """Return what kind of prompt *features* are of."""
    for name, marks in KINDS:
        if any(features.get(mark, 0) > 0 for mark in marks):
            return name
    return OTHER_KIND


def bins_of(scores: Sequence[float], labels: Sequence[Label]) -> list[Bin]:
    """Return up to ``BINS`` bins of as many labels each, by score."""
    order = sorted(range(len(labels)), key=lambda index: scores[index])
    count = max(min(BINS, len(labels) // _LEAST_IN_BIN), 1)
    bins = []
    for number in range(count):
        members = order[number * len(order) // count : (number + 1) * len(order) // count]
        qualities = [labels[index].weak for index in members]
        mean = statistics.fmean(qualities)
        middle = statistics.fmean(scores[index] for index in members)
        bins.append(Bin(middle, mean, *_wilson(mean, len(members)), len(members)))
    return bins


def _wilson(mean: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a mean of values 0 and 1 (Wilson 1927); of values between them it is too wide."""
    part = _Z**2 / count
    middle, off = mean + part / 2, _Z * math.sqrt(max(mean * (1 - mean), 0.0) / count + part / (4 * count))
    return min((middle - off) / (1 + part), mean), max((middle + off) / (1 + part), mean)


def words_matter(head: Mapping[str, Any]) -> bool:
    """Return whether the head has weights for words, which records do not contain."""
    return any(head["gram_weights"])


def _side(is_strong: bool) -> str:
    return "strong" if is_strong else "cheap"


def _groups(
    names: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    now: Sequence[bool],
    then: Sequence[bool] | None,
    routed: Routed,
) -> list[Group]:
    groups = []
    for name, prompts in Counter(names).most_common():
        members = [index for index, its in enumerate(names) if its == name]
        judged = [
            records[index]["judged"]
            for index in members
            if "judged" in records[index] and records[index]["pool"] == routed.cheap_pool
        ]
        groups.append(
            Group(
                name,
                prompts,
                statistics.fmean(now[index] for index in members),
                None if then is None else statistics.fmean(then[index] for index in members),
                len(judged),
                statistics.fmean(judged) if judged else None,
            )
        )
    return groups
