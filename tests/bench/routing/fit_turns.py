#!/usr/bin/env python3
"""Fit files/vibe/scoring/turns.json: which turns continue what was asked before, and which call the answer wrong.

    .venv-fit/bin/python tests/bench/routing/fit_turns.py              # writes the file and says how good it is
    .venv-fit/bin/python tests/bench/routing/fit_turns.py --dry-run    # only says it

Its requirements are those of fit_judgement.py. Twins are next to each other, so folds are blocks of ten rows. The
settings below and the thresholds were chosen on these folds, so what it says is somewhat better than the truth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

import numpy as np
from bench.routing.judgement_data import BLOCK, STRONG_LEVEL, block_of, rows
from bench.routing.linear_fit import Design, Scales, design_of, document_of, fitted, left_out, vocabulary_of
from vibe.rules.complaint import is_listed_complaint
from vibe.rules.continuation import is_listed_continuation
from vibe.scoring.said import said_in, window_of
from vibe.scoring.turn_features import COMPLAINT_NAMES, CONTINUATION_NAMES, complaint_values, continuation_values
from vibe.scoring.turn_models import COMPLAINT, CONTINUATION, TABLE_BITS, TURNS_FILE, turn_models_of
from vibe.scoring.weights_file import TURNS, write_weights

SCALES = {
    CONTINUATION: Scales(words=1.5, pieces=1.5, phrases=2.0, vectors=0.8, numbers=0.5),
    COMPLAINT: Scales(words=1.5, pieces=1.5, phrases=2.0, vectors=1.5, numbers=0.5),
}
FOLDS = 10
# Of self-contained hard prompts, so many at most may be taken for continuations, and of what is taken for a complaint
# so many must be one.
MOST_LOST, LEAST_PRECISION = 0.02, 0.87
FOLLOWUPS, VERDICTS = ("followups", "followups3"), ("verdicts", "verdicts3", "verdicts4")
# The set of natural verdicts, which the precision is that of.
NATURAL = "verdicts3"
# An answer is not always known, nor is the prompt before; rows without are copies that count less.
WITHOUT = 0.15
# Prompts that were asked alone neither continue nor complain: of the lists' every third, each after another one.
ALONE_EVERY, ALONE_WEIGHT = 3, {CONTINUATION: 0.5, COMPLAINT: 0.15}
# Far enough that what comes before is about something else.
APART = 997
SAMPLE_EVERY, SAMPLE_DIGITS = 50, 6


def continuation() -> tuple[dict[str, object], list[tuple[tuple[str, str, str], bool]]]:
    """Fit the model of continuations; return its part of the file and samples of its inputs."""
    found = [{**row, "set": name} for name in FOLLOWUPS for row in rows(name)]
    known = [(row["turn"], row["before"]["prompt"], row["answer"]) for row in found]
    bare = [(turn, "", "") for turn, _, _ in known]
    unanswered = [(turn, prompt, "") for turn, prompt, _ in known]
    lone = alone()
    # What came before a lone prompt is another one, and now and then not known.
    lonely = [(text, lone[(place + APART) % len(lone)] if place % 4 else "", "") for place, text in enumerate(lone)]
    inputs = [*known, *unanswered, *bare, *lonely]
    said = [said_in(window_of(turn)) for turn, _, _ in inputs]
    listed = np.array([is_listed_continuation(turn) for turn, _, _ in inputs])
    values = np.array(
        [
            continuation_values(turn, words.words, prompt, answer, is_listed=bool(is_listed))
            for (turn, prompt, answer), words, is_listed in zip(inputs, said, listed, strict=True)
        ]
    )
    count = len(found)
    positive = np.array([row["label"] == "continues" for row in found] * 3 + [False] * len(lone))
    weights = np.array([1.0] * count + [WITHOUT] * 2 * count + [ALONE_WEIGHT[CONTINUATION]] * len(lone))
    blocks = np.array([block_of(row["id"]) for row in found] * 3 + [place // BLOCK for place in range(len(lone))])
    design = design_of([(1.0, said)], values, vocabulary_of(said[:count], said), TABLE_BITS, SCALES[CONTINUATION])
    everything = _unseen(design, blocks, positive, weights)
    unseen, unseen_alone = everything[:count], everything[3 * count :]
    hard = np.array([row["label"] == "independent" and row["level"] >= STRONG_LEVEL for row in found])
    listed, continues = listed[:count], positive[:count]
    lost = np.sort(np.where(listed, np.inf, unseen)[hard])[::-1]
    threshold = lost[int(MOST_LOST * hard.sum())]
    taken = listed | (unseen > threshold)
    print(
        f"continuation: {taken[hard].mean():.3f} of {hard.sum()} self-contained hard prompts are taken for one, "
        f"by the list {listed[hard].mean():.3f}"
    )
    for name in FOLLOWUPS:
        here = continues & np.array([row["set"] == name for row in found])
        print(f"  {name}: recall {taken[here].mean():.3f}, by the list {listed[here].mean():.3f}")
    print(f"  of {len(lone)} prompts asked alone {(unseen_alone > threshold).mean():.3f} are taken")
    model = fitted(design, np.arange(len(inputs)), positive, weights)
    model.intercept_ = model.intercept_ - threshold
    samples = [(known[index], bool(listed[index])) for index in range(0, count, SAMPLE_EVERY)]
    return document_of(design, model, CONTINUATION_NAMES), samples


def complaint() -> tuple[dict[str, object], list[tuple[str, bool]]]:
    """Fit the model of complaints; return its part of the file and samples of its inputs."""
    found = [{**row, "set": name} for name in VERDICTS for row in rows(name)]
    lone = [
        {"id": f"alone-{place}", "turn": text, "label": "other", "set": "alone"} for place, text in enumerate(alone())
    ]
    count, found = len(found), [*found, *lone]
    turns = [row["turn"] for row in found]
    said = [said_in(window_of(turn)) for turn in turns]
    listed = np.array([is_listed_complaint(turn) for turn in turns])
    values = np.array(
        [
            complaint_values(turn, words.words, is_listed=bool(is_listed))
            for turn, words, is_listed in zip(turns, said, listed, strict=True)
        ]
    )
    positive = np.array([row["label"] == "complaint" for row in found])
    weights = np.array([1.0] * count + [ALONE_WEIGHT[COMPLAINT]] * len(lone))
    blocks = np.array([block_of(row["id"]) for row in found])
    design = design_of([(1.0, said)], values, vocabulary_of(said, said), TABLE_BITS, SCALES[COMPLAINT])
    unseen = _unseen(design, blocks, positive, weights)
    natural = np.array([row["set"] == NATURAL for row in found])
    threshold = _threshold_of_precision(np.where(listed, np.inf, unseen)[natural], positive[natural])
    taken = listed | (unseen > threshold)
    for name in VERDICTS:
        here = np.array([row["set"] == name for row in found])
        print(
            f"complaint, {name}: precision {positive[here & taken].mean():.3f}, "
            f"recall {taken[here & positive].mean():.3f}; "
            f"by the list {positive[here & listed].mean():.3f}, {listed[here & positive].mean():.3f}"
        )
    print(f"  of {len(lone)} prompts asked alone {taken[count:].mean():.3f} are taken")
    model = fitted(design, np.arange(len(found)), positive, weights)
    model.intercept_ = model.intercept_ - threshold
    samples = [(turns[index], bool(listed[index])) for index in range(0, count, SAMPLE_EVERY)]
    return document_of(design, model, COMPLAINT_NAMES), samples


def alone() -> list[str]:
    """Return prompts that neither continue nor complain."""
    return [row["prompt"] for row in rows("asks")][::ALONE_EVERY]


def _unseen(design: Design, blocks: Any, positive: Any, weights: Any) -> Any:
    log_odds = np.zeros(len(blocks))
    for fold in range(FOLDS):
        here = blocks % FOLDS == fold
        log_odds[here] = left_out(design, here, positive, weights)
    return log_odds


def _threshold_of_precision(log_odds: Any, positive: Any) -> float:
    """Return the lowest threshold above which ``LEAST_PRECISION`` of the rows are positive."""
    order = np.argsort(-log_odds)
    precision = np.cumsum(positive[order]) / np.arange(1, len(order) + 1)
    last = np.flatnonzero(precision >= LEAST_PRECISION)[-1]
    return float(log_odds[order][last]) - 1e-9


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit both, say how good they are, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    continuing, continued = continuation()
    complaining, complained = complaint()
    document: dict[str, object] = {CONTINUATION: continuing, COMPLAINT: complaining}
    models = turn_models_of(document, TURNS_FILE)
    # By these a test sees when features no longer fit the file.
    document["samples"] = {
        CONTINUATION: [
            [*given, is_listed, round(models.continues(*given, is_listed=is_listed), SAMPLE_DIGITS)]
            for given, is_listed in continued
        ],
        COMPLAINT: [
            [text, is_listed, round(models.complains(text, is_listed=is_listed), SAMPLE_DIGITS)]
            for text, is_listed in complained
        ],
    }
    if not options.dry_run:
        write_weights(TURNS_FILE, TURNS, document)
        print(f"written: {TURNS_FILE}, {TURNS_FILE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
