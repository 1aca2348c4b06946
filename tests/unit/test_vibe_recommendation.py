"""The recommendation from labels about an adapter, in one line."""

from __future__ import annotations

import pytest
from vibe.learning.fit import Gain, Interval
from vibe.learning.recommendation import DO_NOT, MOST_LABELS, NOT_YET, SWITCH_ON, advice_on

SURE, UNSURE, WORSE = Interval(0.1, 0.02, 0.18), Interval(0.1, -0.02, 0.22), Interval(-0.01, -0.1, 0.08)


def _gain(over_prior: Interval, over_length: Interval) -> Gain:
    return Gain(0.5, 0.5, 0.6, over_prior, over_length)


@pytest.mark.parametrize(
    ("labels", "gain", "verdict", "said"),
    [
        (200, _gain(SURE, SURE), SWITCH_ON, "it gains +0.100 APGR (+0.020 to +0.180) over the shipped weights"),
        (200, _gain(UNSURE, SURE), NOT_YET, "over the shipped weights: the interval holds 0"),
        (200, _gain(SURE, UNSURE), NOT_YET, "over the prompts' length: the interval holds 0"),
        (200, _gain(WORSE, SURE), DO_NOT, "no better than the shipped weights"),
        (200, _gain(SURE, WORSE), DO_NOT, "no better than the prompts' length"),
        (99, _gain(SURE, SURE), NOT_YET, "99 labels are too few: 100 are needed"),
        (0, None, NOT_YET, "0 labels are too few"),
        (200, _gain(SURE, Interval(0.001, -0.05, 0.052)), DO_NOT, "labels to distinguish them"),
    ],
)
def test_each_interval_has_its_advice(labels: int, gain: Gain | None, verdict: str, said: str) -> None:
    advice = advice_on(labels, gain)
    assert advice.verdict == verdict
    assert said in advice.reason
    assert (advice.more > 0) == (verdict == NOT_YET)


def test_more_labels_are_as_many_as_narrow_the_interval_to_the_gain() -> None:
    # The lower half of its interval is 1.2 times the gain: 1.44 times the labels.
    advice = advice_on(200, _gain(UNSURE, SURE))
    assert advice.more == pytest.approx(89, abs=1)
    assert advice.line == f"not yet, {advice.more} more labels"
    assert advice_on(100, None).more == 1
    assert advice_on(MOST_LABELS, _gain(UNSURE, SURE)).verdict == DO_NOT


def test_labels_without_a_gap_have_nothing_to_win() -> None:
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    advice = advice_on(200, Gain(float("nan"), float("nan"), float("nan"), nothing, nothing))
    assert advice.verdict == DO_NOT
    assert "there is no gap" in advice.reason
