"""Prompts with outcomes that routing quality is measured on. They are not part of the project, but for ``own.jsonl``.

``outcomes.jsonl.gz``: real outcomes of a weaker and a stronger model on the same prompt. Where it is missing,
``own.jsonl``: 64 prompts whose outcomes we made up, so it shows how a scorer is measured, and not how good one is.
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "VIBE_DATA"
OWN = Path(__file__).with_name("own.jsonl")
_BESIDE = Path(__file__).resolve().parents[4] / "shared" / "data"
# A source counts in the macro average from here on: smaller gaps and samples are noise.
LEAST_GAP, LEAST_ROWS = 0.05, 60


@dataclass(frozen=True)
class Outcome:
    """One prompt and what both models made of it (quality 0 to 1)."""

    source: str
    prompt: str
    weak: float
    strong: float

    @property
    def gain(self) -> float:
        """What the strong model gains."""
        return self.strong - self.weak


def folder() -> Path:
    """Return the folder with the labelled prompts: $VIBE_DATA, else ../shared/data beside the repository."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else _BESIDE


def outcomes() -> list[Outcome]:
    """Read every outcome, our own few where the folder is not there."""
    if folder().is_dir():
        rows = _rows("outcomes.jsonl.gz")
    else:
        rows = [json.loads(line) for line in OWN.read_text(encoding="utf-8").splitlines()]
    return [Outcome(row["source"], row["prompt"], row["weak_score"], row["strong_score"]) for row in rows]


def by_source(rows: list[Outcome]) -> dict[str, list[int]]:
    """Return the indices of *rows* by source, those sources only that count in the macro average."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        found.setdefault(row.source, []).append(index)
    return {
        source: indices
        for source, indices in sorted(found.items())
        if len(indices) >= LEAST_ROWS and sum(rows[index].gain for index in indices) / len(indices) >= LEAST_GAP
    }


def _rows(name: str) -> list[dict[str, Any]]:
    with gzip.open(folder() / name, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
