#!/usr/bin/env python3
"""Fit files/vibe/scoring/judgement.json: which prompts need the strong model, by what they ask.

    python3 -m venv .venv-fit && .venv-fit/bin/pip install -r tests/bench/routing/requirements.txt
    .venv-fit/bin/python tests/bench/routing/fit_judgement.py

Each set of prompts is also judged by a model of the others, compositions by models that have not seen their
instruction: that calibrates the model, and is kept (``judgement/unseen.json.gz``) for the benchmark to say how good it
is on what it has not seen. A quarter of an hour on one core, and twenty minutes more for the word vectors, once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

import numpy as np
from bench.routing.judgement_data import COMPOSED, FOLLOWUPS, Prompt, prompts, write_unseen
from bench.routing.linear_fit import Scales, design_of, document_of, fitted, left_out, rounded, vocabulary_of
from sklearn.linear_model import LogisticRegression
from vibe.scoring.features import features_of as signals_of
from vibe.scoring.judgement import TABLE_BITS, judgement_of
from vibe.scoring.judgement_features import STRUCTURE_NAMES, WHOLE_WEIGHT, features_of
from vibe.scoring.prompt_parts import split
from vibe.scoring.scorer import HEAD_NAMES, PRIOR_FILE
from vibe.scoring.surface_features import surface_features_of
from vibe.scoring.text_view import TextView
from vibe.scoring.weights_file import JUDGEMENT, write_weights

SCALES = Scales(words=2.5, pieces=2.8, phrases=4.0, vectors=0.7, numbers=0.3)
# Compositions are many and alike; of a conversation the prompts have less care in them.
WEIGHTS = {COMPOSED: 0.4, FOLLOWUPS: 0.7}
SAMPLE_EVERY, SAMPLE_DIGITS = 400, 6
# A feature that hardly differs among the prompts must not count for more than the others in a head.
LEAST_SPREAD = 0.05


def unseen_log_odds(design: Any, found: Sequence[Prompt], strong: Any, weights: Any) -> Any:
    """Return the log odds of each prompt by a model that was fitted without its set, or without its instruction."""
    folds = [f"{row.source} {row.block}" if row.source == COMPOSED else row.source for row in found]
    log_odds = np.zeros(len(found))
    for fold in sorted(set(folds)):
        rows = np.array([its == fold for its in folds])
        log_odds[rows] = left_out(design, rows, strong, weights)
        print(f"without {fold}: {((log_odds[rows] > 0) == strong[rows]).mean():.3f} of {rows.sum()}", flush=True)
    return log_odds


def head_of(texts: Sequence[str], log_odds: Any) -> dict[str, object]:
    """Return what a head on top is fitted with: mean and spread of its features; *log_odds* are unseen ones."""
    views = [TextView(text) for text in texts]
    values = np.array(
        [[judged, *signals_of(view), *surface_features_of(view)] for judged, view in zip(log_odds, views, strict=True)]
    )
    return {
        "head_names": list(HEAD_NAMES),
        "head_centre": rounded(values.mean(0)),
        "head_spread": rounded(np.maximum(values.std(0), LEAST_SPREAD)),
    }


def main() -> int:
    """Fit, and write both files."""
    found = prompts()
    texts = [prompt.text for prompt in found]
    seen = [features_of(split(text), text) for text in texts]
    strong = np.array([prompt.strong for prompt in found])
    weights = np.array([WEIGHTS.get(prompt.source, 1.0) for prompt in found])
    asked, whole = [features.instruction for features in seen], [features.whole for features in seen]
    vocabulary = vocabulary_of(asked, whole)
    structure = np.array([features.structure for features in seen])
    design = design_of([(1.0, asked), (WHOLE_WEIGHT, whole)], structure, vocabulary, TABLE_BITS, SCALES)
    unseen = unseen_log_odds(design, found, strong, weights)
    # How sure it may be (Platt 1999): fitted on everything, a model puts nearly all of its own rows on their side. No
    # penalty to speak of: two numbers from thousands of rows.
    line = LogisticRegression(C=1e6).fit(unseen[:, None], strong, sample_weight=weights)
    slope, shift = line.coef_[0, 0], line.intercept_[0]
    unseen = unseen * slope + shift
    model = fitted(design, np.arange(len(found)), strong, weights)
    model.coef_ = model.coef_ * slope
    model.intercept_ = model.intercept_ * slope + shift
    document = document_of(design, model, STRUCTURE_NAMES) | head_of(texts, unseen)
    score = judgement_of(document, PRIOR_FILE).score
    # By these a test sees when features no longer fit the file.
    document["samples"] = [[text, round(score(text).raw, SAMPLE_DIGITS)] for text in texts[::SAMPLE_EVERY]]
    write_weights(PRIOR_FILE, JUDGEMENT, document)
    write_unseen(unseen.tolist())
    print(f"calibrated: log odds x {slope:.3f} + {shift:.3f}")
    print(f"written: {PRIOR_FILE}, {PRIOR_FILE.stat().st_size} bytes, fitted on {len(found)} prompts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
