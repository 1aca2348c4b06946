"""Advice on an adapter from its labels: switch it on, not yet, or do not.

The rule: it must order the labels better than the shipped weights and better than the prompts' length, each with the
whole of the 95 % interval above 0. An interval shrinks with the root of the number of labels, which tells how many more
would show the gain seen so far, if it is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vibe.learning.fit import LEAST_LABELS, Gain, Interval

SWITCH_ON, NOT_YET, DO_NOT = "switch on", "not yet", "do not"
# A gain that needs more labels than this to be distinguished from chance is not worth a switch.
MOST_LABELS = 5000
RULE = (
    f"Switch on: {LEAST_LABELS} labels or more, and on labels that it has not seen the adapter orders better than the "
    "shipped weights and than the prompts' length, each with all of its 95 % interval above 0. Not yet: better, but an "
    f"interval holds 0, and {MOST_LABELS:,} labels or fewer would tell. Do not: no better than one of "
    "them, or by so little that it takes more labels than that to tell."
)


@dataclass(frozen=True)
class Advice:
    """The advice, how many more labels it needs (0 except for ``NOT_YET``), and why, for a person."""

    verdict: str
    more: int
    reason: str

    @property
    def line(self) -> str:
        """The advice in a few words."""
        return f"{self.verdict}, {self.more} more label{'s' * (self.more > 1)}" if self.more else self.verdict


def advice_on(labels: int, gain: Gain | None) -> Advice:
    """Return what to do after so many *labels* and the *gain* that they show, None where it was not measured."""
    if labels < LEAST_LABELS or gain is None:
        missing = max(LEAST_LABELS - labels, 1)
        return Advice(NOT_YET, missing, f"{labels} labels are too few: {LEAST_LABELS} are needed to tell from chance")
    if math.isnan(gain.adapter):
        return Advice(DO_NOT, 0, "the strong pool is no better than the cheap one on these labels: there is no gap")
    compared = (("the shipped weights", gain.over_prior), ("the prompts' length", gain.over_length))
    worse = [(name, gained) for name, gained in compared if not gained.value > 0]
    if worse:
        name, gained = worse[0]
        return Advice(DO_NOT, 0, f"the adapter orders these labels no better than {name}: {_told(gained)}")
    unsure = [(name, gained) for name, gained in compared if not gained.low > 0]
    if not unsure:
        return Advice(
            SWITCH_ON, 0, "it gains " + " and ".join(f"{_told(gained)} over {name}" for name, gained in compared)
        )
    name, gained = max(unsure, key=lambda one: _wanted(labels, one[1]))
    wanted = _wanted(labels, gained)
    if wanted > MOST_LABELS:
        return Advice(
            DO_NOT, 0, f"a gain of {_told(gained)} over {name} would take {wanted:,} labels to distinguish them"
        )
    return Advice(
        NOT_YET, wanted - labels, f"it gains {_told(gained)} over {name}: the interval holds 0, this may be chance"
    )


def _wanted(labels: int, gained: Interval) -> int:
    """Return how many labels make the lower end of an interval 0 that is as wide as chance made this one."""
    return math.ceil(labels * ((gained.value - gained.low) / gained.value) ** 2) + 1


def _told(gained: Interval) -> str:
    return f"{gained.value:+.3f} APGR ({gained.low:+.3f} to {gained.high:+.3f})"
