"""The complexity score of an ask: 0 to 100, the sum of signed contributions, each in points.

The weights are set by hand, with the sign that sense gives them; they are a common-sense start, not a measurement of
answer quality. ``raw`` is the sum before it is cut to 0 to 100 and rounded: it orders prompts that both ends would tie.
"""

from __future__ import annotations

from dataclasses import dataclass

from vibe.features import features_of

MIN_SCORE, MAX_SCORE = 0.0, 100.0
SCORE_DIGITS = 1
# Points that every ask starts with.
BASE = 14.0
# Points per unit of each feature: most are counts of up to 3, ``length`` is log2 of the tokens.
WEIGHTS: dict[str, float] = {
    "length": 5.0,
    "proof": 24.0,
    "hard_verb": 12.0,
    "architecture": 7.0,
    "math": 6.0,
    "code": 3.0,
    "constraint": 6.0,
    "condition": 4.0,
    "reasoning": 7.0,
    "questions": 4.0,
    "enumeration": 4.0,
    "greeting": -28.0,
    "acknowledgement": -28.0,
    "very_short": -12.0,
    "lookup": -20.0,
    "translate": -22.0,
    "small_talk_cjk": -15.0,
}


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to the score: ``points`` = value times weight."""

    feature: str
    value: float
    points: float


@dataclass(frozen=True)
class Score:
    """A score (0 to 100, one decimal), its uncut sum, and what it is made of, largest share first."""

    value: float
    raw: float
    contributions: tuple[Contribution, ...]


def score(text: str) -> Score:
    """Score *text*, an ask without injected blocks. Costs the same for 10 kB as for 10 MB."""
    contributions = [
        Contribution(feature, value, value * WEIGHTS[feature]) for feature, value in features_of(text).items() if value
    ]
    contributions.sort(key=lambda part: -abs(part.points))
    raw = BASE + sum(part.points for part in contributions)
    value = round(min(max(raw, MIN_SCORE), MAX_SCORE), SCORE_DIGITS)
    return Score(value=value, raw=raw, contributions=tuple(contributions))
