"""The result of a scorer: a number from 0 to 100 and its contributions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

MAX_SCORE = 100.0
SCORE_DIGITS = 1
# Beyond it a probability is 0 or 1 to the last digit of a float.
_MAX_LOG_ODDS = 500.0


class Contribution(NamedTuple):
    """What one feature adds: its ``value``, and the ``log_odds`` that it adds."""

    feature: str
    value: float
    log_odds: float


@dataclass(frozen=True, slots=True)
class Score:
    """A score (0 to 100, one decimal): a hundred times the probability that a prompt needs the strong pool.

    ``raw`` is the logarithm of the odds of that, not rounded: it orders prompts that ``value`` would tie. ``base`` is
    what every prompt starts with; ``raw`` = ``base`` + all ``log_odds``, one for each of the ``features``.
    """

    value: float
    raw: float
    base: float
    features: tuple[str, ...]
    values: list[float]
    log_odds: list[float]

    def leading(self, count: int) -> list[tuple[str, float]]:
        """Return the *count* largest contributions (by size, either sign) as (feature, log odds), none of zero."""
        sized = [(abs(part), feature, part) for feature, part in zip(self.features, self.log_odds, strict=True) if part]
        return [(feature, part) for _, feature, part in sorted(sized, reverse=True)[:count]]

    @property
    def contributions(self) -> list[Contribution]:
        """All contributions, largest first."""
        values = dict(zip(self.features, self.values, strict=True))
        return [Contribution(name, values[name], part) for name, part in self.leading(len(self.log_odds))]


def score_of(base: float, features: tuple[str, ...], values: list[float], log_odds: list[float]) -> Score:
    """Add the *log_odds* of the *features* (all of one length) to *base*."""
    raw = base + sum(log_odds)
    return Score(round(value_of(raw), SCORE_DIGITS), raw, base, features, values, log_odds)


def value_of(log_odds: float) -> float:
    """Return the score, 0 to 100, that *log_odds* mean (the logistic function)."""
    return MAX_SCORE / (1.0 + math.exp(-max(min(log_odds, _MAX_LOG_ODDS), -_MAX_LOG_ODDS)))
