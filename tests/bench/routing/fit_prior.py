#!/usr/bin/env python3
"""Make files/vibe/scoring/prior.json: the weights of the score for operators who have no labels of their own.

    python3 tests/bench/routing/fit_prior.py            # writes files/vibe/scoring/prior.json
    python3 tests/bench/routing/fit_prior.py --dry-run  # only prints what it would write

Three steps:

1. SENSE: signs and sizes set by hand, so that what people call hard scores high. No outcome was used.
2. QUALITY: a few features whose sign holds on most sources, their sizes fitted to real outcomes (rows that may be used
   for fitting only), never negative, every source weighing the same, and with the share of SENSE fixed: a fit that
   may choose freely does worse on sources that it has not seen.
3. The base, so that 50 points mean "as likely as not called hard" on the tier labels (logistic regression).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

from bench.routing.data import Outcome, Tier, by_source, outcomes, tiers
from bench.routing.metrics import auroc, macro_apgr
from vibe.scoring.features import FEATURE_NAMES, features_of
from vibe.scoring.scorer import HEAD_NAMES, PRIOR_FILE
from vibe.scoring.surface_features import surface_features_of
from vibe.scoring.text_view import TextView
from vibe.scoring.weights_file import PRIOR, write_weights

SENSE: dict[str, float] = {
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
QUALITY = ("length", "sentences", "commas", "speaker", "case")
# Standard deviations of SENSE that QUALITY's standard deviation has; ridge of its fit, in units of its Gram matrix.
QUALITY_SHARE, RIDGE = 1.0, 0.1
MIDDLE = 50.0
DIGITS = 4
Matrix = list[list[float]]


def fitted(values: Matrix, rows: list[Outcome], allowed: Callable[[Outcome], bool]) -> dict[str, float]:
    """Return points per unit of each feature, fitted on the *allowed* rows; *values* are those of FEATURE_NAMES."""
    used = [index for index, row in enumerate(rows) if row.may_fit and allowed(row)]
    columns = [FEATURE_NAMES.index(name) for name in QUALITY]
    spread = [_deviation([values[index][column] for index in used]) for column in columns]
    features = [[values[index][column] / sd for column, sd in zip(columns, spread, strict=True)] for index in used]
    sizes = _non_negative_ridge(features, [rows[index] for index in used])
    quality_sd = _deviation([math.fsum(map(_product, row, sizes)) for row in features])
    sense = [math.fsum(SENSE.get(n, 0.0) * v for n, v in zip(FEATURE_NAMES, values[i], strict=True)) for i in used]
    scale = QUALITY_SHARE * _deviation(sense) / quality_sd
    points = {name: scale * size / sd for name, size, sd in zip(QUALITY, sizes, spread, strict=True)}
    return {name: SENSE.get(name, 0.0) + points.get(name, 0.0) for name in FEATURE_NAMES}


def raw_scores(weights: dict[str, float], values: Matrix) -> list[float]:
    """Return the sums of points without the base."""
    return [math.fsum(weights[n] * v for n, v in zip(FEATURE_NAMES, row, strict=True)) for row in values]


def _non_negative_ridge(features: Matrix, rows: list[Outcome]) -> list[float]:
    """Solve for the gain within each source, all sources weighing the same (cyclic coordinate descent)."""
    size = len(features[0])
    gram = [[0.0] * size for _ in range(size)]
    moment = [0.0] * size
    sources: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        sources.setdefault(row.source, []).append(index)
    for members in sources.values():
        centre = [math.fsum(features[i][k] for i in members) / len(members) for k in range(size)]
        gain = math.fsum(rows[i].gain for i in members) / len(members)
        for i in members:
            x = [value - middle for value, middle in zip(features[i], centre, strict=True)]
            y = (rows[i].gain - gain) / len(members) / len(sources)
            for k in range(size):
                moment[k] += x[k] * y
                for m in range(size):
                    gram[k][m] += x[k] * x[m] / len(members) / len(sources)
    weights = [0.0] * size
    for _ in range(500):
        for k in range(size):
            rest = moment[k] - math.fsum(gram[k][m] * weights[m] for m in range(size) if m != k)
            weights[k] = max(rest / (gram[k][k] + RIDGE), 0.0)
    return weights


def calibrated_base(raw: list[float], labels: list[Tier]) -> float:
    """Return the points that put the middle of a logistic regression of *labels* on *raw* at MIDDLE."""
    centre, spread = math.fsum(raw) / len(raw), _deviation(raw)
    slope, offset = 1.0, 0.0
    for _ in range(50):  # Newton's method on two parameters
        g0 = g1 = h00 = h01 = h11 = 0.0
        for value, label in zip(raw, labels, strict=True):
            z = (value - centre) / spread
            p = 1 / (1 + math.exp(-(offset + slope * z)))
            w = p * (1 - p)
            g0, g1 = g0 + label.is_hard - p, g1 + (label.is_hard - p) * z
            h00, h01, h11 = h00 + w, h01 + w * z, h11 + w * z * z
        determinant = h00 * h11 - h01 * h01
        offset += (h11 * g0 - h01 * g1) / determinant
        slope += (h00 * g1 - h01 * g0) / determinant
    return MIDDLE - (centre - offset / slope * spread)


def outside(family: str) -> Callable[[Outcome], bool]:
    """Return what is true of the outcomes that are not of *family*."""
    return lambda row: row.family != family


def _deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def _product(a: float, b: float) -> float:
    return a * b


def main() -> int:
    """Fit, print the figures, write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    options = parser.parse_args()
    rows, labels = outcomes(), tiers()
    looks = [TextView(row.prompt) for row in rows]
    values = [features_of(view) for view in looks]
    weights = {name: round(points, DIGITS) for name, points in fitted(values, rows, lambda _: True).items()}
    tier_raw = raw_scores(weights, [features_of(TextView(label.prompt)) for label in labels])
    base = round(calibrated_base(tier_raw, labels), DIGITS)
    dense = [
        value + surface_features_of(view) for value, view, row in zip(values, looks, rows, strict=True) if row.may_fit
    ]
    columns = list(zip(*dense, strict=True))
    raw = raw_scores(weights, [value for value, row in zip(values, rows, strict=True) if row.may_fit])
    unseen = [0.0] * len(rows)
    for family in {row.family for row in rows}:
        without = fitted(values, rows, outside(family))
        for index, score in enumerate(raw_scores(without, values)):
            if rows[index].family == family:
                unseen[index] = score
    print(f"macro APGR unseen {macro_apgr(unseen, rows):.4f}, all {macro_apgr(raw_scores(weights, values), rows):.4f}")
    print(f"length {macro_apgr([value[0] for value in values], rows):.4f}, sources {len(by_source(rows))}")
    print(f"tier AUROC {auroc(tier_raw, [label.is_hard for label in labels]):.4f}, base {base}")
    print({name: weights[name] for name in QUALITY})
    if options.dry_run:
        return 0
    document: dict[str, object] = {
        "made_by": "tests/bench/routing/fit_prior.py",
        "provenance": "weights of sense set by hand; "
        + ", ".join(QUALITY)
        + " fitted to outcomes of "
        + ", ".join(sorted({row.source for row in rows if row.may_fit}))
        + "; base fitted to 1,995 tier labels of UncommonRoute",
        "licences": sorted({row.licence for row in rows if row.may_fit} | {"MIT"}),
        "features": list(FEATURE_NAMES),
        "weights": [weights[name] for name in FEATURE_NAMES],
        "base": base,
        "raw_centre": round(base + math.fsum(raw) / len(raw), DIGITS),
        "raw_spread": round(_deviation(raw), DIGITS),
        "head_features": list(HEAD_NAMES),
        "head_centre": [round(math.fsum(column) / len(column), DIGITS) for column in columns],
        "head_spread": [round(max(_deviation(column), 0.05), DIGITS) for column in columns],
    }
    write_weights(PRIOR_FILE, PRIOR, document)
    print(f"written: {PRIOR_FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
