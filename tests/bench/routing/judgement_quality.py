#!/usr/bin/env python3
"""How well the score orders prompts by what they ask: the prompts of ``judgement/``, by set and by language.

    python3 tests/bench/routing/judgement_quality.py

Accuracy is the share of prompts on the side of the threshold that their label says, AUROC the probability that a strong
one scores higher than a cheap one. The length of a prompt is what a scorer has to beat. None of these prompts was used
for the shipped weights, so no fold is left out.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

from bench.routing.judgement_data import COMPOSED, FOLLOWUPS, PAIRS, Prompt, prompts
from bench.routing.metrics import auroc
from vibe.routes.family import Family
from vibe.scoring.scorer import load_prior

LEAST_ROWS = 60


def figures(rows: Sequence[Prompt], scores: Sequence[float]) -> dict[str, float]:
    """Return how many *rows* there are, and what *scores* make of them."""
    strong = [row.strong for row in rows]
    right = sum((score >= Family.threshold) == is_strong for score, is_strong in zip(scores, strong, strict=True))
    return {
        "prompts": len(rows),
        "accuracy": round(right / len(rows), 3),
        "AUROC": round(auroc(scores, strong), 3),
        "AUROC of length": round(auroc([float(len(row.text)) for row in rows], strong), 3),
    }


def measured() -> dict[str, Any]:
    """Return the figures of each set and language, and how many twins are ordered right."""
    rows, score = prompts(), load_prior().score
    scores = [score(row.text).value for row in rows]
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[f"set {row.source}"].append(index)
        if row.source not in {COMPOSED, FOLLOWUPS}:
            groups["all sets"].append(index)
            groups[f"language {row.lang}"].append(index)
    found: dict[str, Any] = {
        name: figures([rows[index] for index in members], [scores[index] for index in members])
        for name, members in sorted(groups.items())
        if len(members) >= LEAST_ROWS
    }
    twins = groups[f"set {PAIRS}"]
    ordered = sum(scores[hard] > scores[easy] for easy, hard in zip(twins[::2], twins[1::2], strict=True))
    return {**found, "twins ordered right": round(2 * ordered / len(twins), 3)}


if __name__ == "__main__":
    print(json.dumps(measured(), indent=1))
