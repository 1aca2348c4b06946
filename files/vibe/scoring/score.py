"""What a scorer answers: a number from 0 to 100 and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MIN_SCORE, MAX_SCORE = 0.0, 100.0
SCORE_DIGITS = 1


class Contribution(NamedTuple):
    """What one feature adds to the score: its ``value`` and the ``points`` it is worth."""

    feature: str
    value: float
    points: float


@dataclass(frozen=True, slots=True)
class Score:
    """A score (0 to 100, one decimal), the sum it comes from, and what that is made of.

    ``raw`` is the sum before it is cut to 0 to 100 and rounded: it orders prompts that both ends would tie.
    ``base`` is what every prompt starts with; ``raw`` = ``base`` + all ``points``, one for each of the ``features``.
    """

    value: float
    raw: float
    base: float
    features: tuple[str, ...]
    values: list[float]
    points: list[float]

    def leading(self, count: int) -> list[tuple[str, float]]:
        """Return the *count* largest contributions (by size, either sign) as (feature, points), none of no points."""
        sized = [
            (abs(points), feature, points) for feature, points in zip(self.features, self.points, strict=True) if points
        ]
        return [(feature, points) for _, feature, points in sorted(sized, reverse=True)[:count]]

    @property
    def contributions(self) -> list[Contribution]:
        """All contributions, largest first."""
        values = dict(zip(self.features, self.values, strict=True))
        return [Contribution(name, values[name], points) for name, points in self.leading(len(self.points))]


def score_of(base: float, features: tuple[str, ...], values: list[float], points: list[float]) -> Score:
    """Add the *points* of the *features* (all of one length) to *base*."""
    raw = base + sum(points)
    return Score(round(min(max(raw, MIN_SCORE), MAX_SCORE), SCORE_DIGITS), raw, base, features, values, points)
