"""The scorer of a family: the prior that is shipped, alone or with a head learnt from the operator's own labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import mul
from pathlib import Path
from typing import Protocol

from vibe.scoring.features import FEATURE_NAMES, features_of
from vibe.scoring.score import Score, score_of
from vibe.scoring.surface_features import GRAM_BUCKETS, SURFACE_FEATURE_NAMES, grams_of, surface_features_of
from vibe.scoring.text_view import TextView
from vibe.scoring.weights_file import ADAPTER, PRIOR, check_names, fault, number, numbers, read_weights

PRIOR_FILE = Path(__file__).with_name("prior.json")
HEAD_NAMES = (*FEATURE_NAMES, *SURFACE_FEATURE_NAMES)
# All that the hashed words and pairs add, as one line: single words are not named.
VOCABULARY = "vocabulary"


class Scorer(Protocol):
    """Whatever turns the text of a prompt into a score."""

    def score(self, text: str) -> Score:
        """Score *text*, a prompt without injected blocks. Costs the same for 10 kB as for 10 MB."""


@dataclass(frozen=True)
class Prior:
    """The shipped weights over ``FEATURE_NAMES``, in points per unit, and the points every prompt starts with.

    The rest is what a head is fitted with: mean and standard deviation of the raw score and of each of ``HEAD_NAMES``
    over the outcomes that the prior was fitted to.
    """

    base: float
    weights: list[float]
    checksum: str
    raw_centre: float
    raw_spread: float
    head_centre: list[float]
    head_spread: list[float]

    def score(self, text: str) -> Score:
        """Score *text*."""
        values = features_of(TextView(text))
        return score_of(self.base, FEATURE_NAMES, values, list(map(mul, values, self.weights)))

    def raw(self, values: list[float]) -> float:
        """Return the uncut score of the features *values*."""
        points: float = sum(map(mul, values, self.weights))
        return self.base + points


class Adapted:
    """A prior with a learnt head: weights over ``HEAD_NAMES`` and over the buckets of words and pairs."""

    def __init__(self, base: float, weights: list[float], gram_weights: list[float]) -> None:
        """Take the sum of prior and head, in points: *weights* per unit of ``HEAD_NAMES``, *gram_weights* by bucket."""
        self.base, self.weights, self.gram_weights = base, weights, gram_weights

    def raw_without_words(self, values: list[float]) -> float:
        """Return the uncut score of the features *values* (``HEAD_NAMES``) of a text whose words are not known."""
        points: float = sum(map(mul, values, self.weights))
        return self.base + points

    def score(self, text: str) -> Score:
        """Score *text*."""
        view = TextView(text)
        values = features_of(view) + surface_features_of(view)
        points = list(map(mul, values, self.weights))
        grams = grams_of(view)
        values.append(float(len(grams)))
        points.append(sum(map(self.gram_weights.__getitem__, grams)) / math.sqrt(len(grams)) if grams else 0.0)
        return score_of(self.base, _ADAPTED_NAMES, values, points)


_ADAPTED_NAMES = (*HEAD_NAMES, VOCABULARY)


def load_scorer(adapter: Path | None = None) -> Scorer:
    """Return the scorer of the shipped prior, with the *adapter* on top where one is named.

    Raises:
        WeightsFileError: either file cannot be used.
    """
    prior = load_prior()
    return prior if adapter is None else with_head(prior, load_adapter(adapter, prior), adapter)


def load_prior(path: Path = PRIOR_FILE) -> Prior:
    """Read the prior at *path*.

    Raises:
        WeightsFileError: it cannot be used.
    """
    document = read_weights(path, PRIOR)
    check_names(document, "features", FEATURE_NAMES, path, PRIOR)
    check_names(document, "head_features", HEAD_NAMES, path, PRIOR)
    return Prior(
        base=number(document, "base", path, PRIOR),
        weights=numbers(document, "weights", len(FEATURE_NAMES), path, PRIOR),
        checksum=str(document["checksum"]),
        raw_centre=number(document, "raw_centre", path, PRIOR),
        raw_spread=number(document, "raw_spread", path, PRIOR),
        head_centre=numbers(document, "head_centre", len(HEAD_NAMES), path, PRIOR),
        head_spread=numbers(document, "head_spread", len(HEAD_NAMES), path, PRIOR),
    )


def load_adapter(path: Path, prior: Prior, family: str | None = None) -> dict[str, object]:
    """Read the adapter at *path*, which must have been fitted on top of this very *prior*.

    One that says of which family its labels are must be of *family*, where that is given.

    Raises:
        WeightsFileError: it cannot be used.
    """
    document = read_weights(path, ADAPTER)
    if document.get("prior") != prior.checksum:
        raise fault(path, ADAPTER, "was fitted on top of another prior than this release's")
    check_names(document, "features", HEAD_NAMES, path, ADAPTER)
    labelled = document.get("family")
    if family is not None and labelled not in (None, family):
        raise fault(path, ADAPTER, f"was fitted for the family {labelled!r}, not for {family!r}")
    return document


def with_head(prior: Prior, head: Mapping[str, object], path: Path) -> Adapted:
    """Return *prior* with the *head* of an adapter (read from *path*): raw = scale x prior's raw + head's points."""
    scale = number(head, "prior_scale", path, ADAPTER)
    weights = numbers(head, "weights", len(HEAD_NAMES), path, ADAPTER)
    for index, weight in enumerate(prior.weights):
        weights[index] += scale * weight
    base = scale * prior.base + number(head, "base", path, ADAPTER)
    return Adapted(base, weights, numbers(head, "gram_weights", GRAM_BUCKETS, path, ADAPTER))
