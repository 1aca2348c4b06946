"""The scorer of a family: the prior that is shipped, alone or with a head learnt from the operator's own labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from operator import mul
from pathlib import Path
from typing import Protocol

from vibe.scoring.features import FEATURE_NAMES, features_of
from vibe.scoring.judgement import Judgement, judgement_of
from vibe.scoring.score import Score, score_of, value_of
from vibe.scoring.surface_features import GRAM_BUCKETS, SURFACE_FEATURE_NAMES, grams_of, surface_features_of
from vibe.scoring.text_view import TextView
from vibe.scoring.weights_file import ADAPTER, JUDGEMENT, check_names, fault, number, numbers, read_weights

PRIOR_FILE = Path(__file__).with_name("judgement.json")
# The prior's log odds are a head's first feature.
JUDGED = "judgement"
HEAD_NAMES = (JUDGED, *FEATURE_NAMES, *SURFACE_FEATURE_NAMES)
# All that the hashed words and pairs add, as one line: single words are not named.
VOCABULARY = "vocabulary"
_NAME_DIGITS = 12


class Scorer(Protocol):
    """Turns the text of a prompt into a score."""

    def score(self, text: str) -> Score:
        """Score *text*, a prompt without injected blocks. Costs the same for 10 kB as for 10 MB."""


@dataclass(frozen=True)
class Prior:
    """The shipped judgement, and what a head on top of it is fitted with.

    That is the mean and the standard deviation of each of ``HEAD_NAMES`` over the prompts that it was fitted to, the
    judgement's taken from models that had not seen the prompt.
    """

    judgement: Judgement
    checksum: str
    head_centre: list[float]
    head_spread: list[float]

    @property
    def name(self) -> str:
        """The beginning of the checksum's digest: what records call it."""
        return self.checksum.partition(":")[2][:_NAME_DIGITS]

    def score(self, text: str) -> Score:
        """Score *text*."""
        return self.judgement.score(text)

    def head_values(self, text: str, view: TextView) -> list[float]:
        """Return the values of ``HEAD_NAMES`` for *text*, which *view* was taken of."""
        return [self.judgement.score(text).raw, *features_of(view), *surface_features_of(view)]


class Adapted:
    """A prior with a learnt head: weights over ``HEAD_NAMES`` and over the buckets of words and pairs."""

    def __init__(self, prior: Prior, base: float, weights: list[float], gram_weights: list[float]) -> None:
        """Take *prior* and head: *base* and *weights* in log odds per unit of ``HEAD_NAMES``, *gram_weights* by bucket.

        The first of *weights* is what the prior's log odds are worth.
        """
        self.prior, self.base, self.weights, self.gram_weights = prior, base, weights, gram_weights

    def value_without_words(self, values: list[float]) -> float:
        """Return the score, not rounded, of the features *values* (``HEAD_NAMES``) of a text that is not known."""
        log_odds: float = sum(map(mul, values, self.weights))
        return value_of(self.base + log_odds)

    def score(self, text: str) -> Score:
        """Score *text*."""
        view = TextView(text)
        values = self.prior.head_values(text, view)
        log_odds = list(map(mul, values, self.weights))
        grams = grams_of(view)
        values.append(float(len(grams)))
        log_odds.append(sum(map(self.gram_weights.__getitem__, grams)) / math.sqrt(len(grams)) if grams else 0.0)
        return score_of(self.base, _ADAPTED_NAMES, values, log_odds)


_ADAPTED_NAMES = (*HEAD_NAMES, VOCABULARY)


def load_scorer(adapter: Path | None = None) -> Scorer:
    """Return the scorer of the shipped prior, with the *adapter* on top where one is named.

    Raises:
        WeightsFileError: either file cannot be used.
    """
    prior = load_prior()
    return prior if adapter is None else with_head(prior, load_adapter(adapter, prior), adapter)


@cache
def load_prior(path: Path = PRIOR_FILE) -> Prior:
    """Read the prior at *path*, once in a process.

    Raises:
        WeightsFileError: it cannot be used.
    """
    document = read_weights(path, JUDGEMENT)
    check_names(document, "head_names", HEAD_NAMES, path, JUDGEMENT)
    return Prior(
        judgement=judgement_of(document, path),
        checksum=str(document["checksum"]),
        head_centre=numbers(document, "head_centre", len(HEAD_NAMES), path, JUDGEMENT),
        head_spread=numbers(document, "head_spread", len(HEAD_NAMES), path, JUDGEMENT),
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
    """Return *prior* with the *head* of an adapter, read from *path*."""
    weights = numbers(head, "weights", len(HEAD_NAMES), path, ADAPTER)
    gram_weights = numbers(head, "gram_weights", GRAM_BUCKETS, path, ADAPTER)
    return Adapted(prior, number(head, "base", path, ADAPTER), weights, gram_weights)
