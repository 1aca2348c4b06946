"""Labels to learn from: what the weak model, and perhaps the strong one, made of the operator's own prompts.

JSON lines, each an object with

* ``prompt`` (the text that a person asked), or ``features`` (name to number, all of ``HEAD_NAMES``, as a decision
  record without text has them);
* ``weak_score``, the weak model's quality, 0 to 1 (graders that subtract for mistakes: from -1);
* ``strong_score``, the strong model's. Where it is missing on any line, all labels count as failures of the weak model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from vibe.features import FEATURE_NAMES, features_of
from vibe.injected import without_injected
from vibe.look import Look
from vibe.number import is_number
from vibe.scorer import HEAD_NAMES
from vibe.shape import grams_of, shape_of

MAX_FAULTS = 10


class LabelsError(ValueError):
    """The labels cannot be used; one line per fault, each naming file, line and key."""


@dataclass(frozen=True)
class Label:
    """One label: the values of ``HEAD_NAMES``, the buckets that occur, the weak quality, the strong one if known."""

    key: str
    values: list[float]
    buckets: list[int]
    weak: float
    strong: float | None

    @property
    def prior_values(self) -> list[float]:
        """The values of ``FEATURE_NAMES``."""
        return self.values[: len(FEATURE_NAMES)]


def read_labels(path: Path) -> list[Label]:
    """Read the labels at *path*.

    Raises:
        LabelsError: with the first faults found.
    """
    try:
        # Not splitlines(): JSON strings may hold U+2028 and its like.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsError(f"labels {path}: cannot be read: {error}") from None
    labels, faults = [], []
    for index, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            labels.append(_label(line))
        except ValueError as error:
            faults.append(f"labels {path}, line {index}: {error}")
            if len(faults) == MAX_FAULTS:
                break
    if faults:
        raise LabelsError("\n".join(faults))
    return labels


def gains_of(labels: list[Label]) -> list[float]:
    """Return what the strong pool gains on each label: strong minus weak, or 1 minus weak where some know no strong."""
    if all(label.strong is not None for label in labels):
        return [(label.strong or 0.0) - label.weak for label in labels]
    return [1.0 - label.weak for label in labels]


def _label(line: str) -> Label:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not valid JSON: {error}") from None
    if not isinstance(entry, dict):
        raise ValueError("must be one JSON object")
    weak = _quality(entry, "weak_score")
    strong = _quality(entry, "strong_score") if entry.get("strong_score") is not None else None
    if "features" in entry:
        return Label(line, _given_values(entry["features"]), [], weak, strong)
    prompt = entry.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("prompt: must be a text that is not empty (or give features)")
    text = without_injected(prompt)
    look = Look(text)
    return Label(text, features_of(look) + shape_of(look), sorted(grams_of(look)), weak, strong)


def _given_values(features: object) -> list[float]:
    if not isinstance(features, dict):
        raise ValueError("features: must be an object of names and numbers")
    missing = [name for name in HEAD_NAMES if not is_number(features.get(name))]
    if missing:
        raise ValueError(f"features: not a number: {', '.join(missing[:5])}")
    return [float(features[name]) for name in HEAD_NAMES]


def _quality(entry: dict[str, object], key: str) -> float:
    value = entry.get(key)
    if not is_number(value) or not -1 <= value <= 1:
        raise ValueError(f"{key}: must be a number from 0 to 1 (or down to -1), is {value!r}")
    return float(value)
