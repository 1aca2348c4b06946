"""Labels to learn from: how well the weak model, and optionally the strong one, answered the operator's own prompts.

JSON lines, each an object with

* ``prompt`` (the text that a person asked), or ``features`` (name to number, all of ``HEAD_NAMES``, as a decision
  record without text has them);
* ``weak_score``, the weak model's quality, 0 to 1 (graders that subtract for mistakes: from -1);
* ``strong_score``, the strong model's. Where it is missing on any line, all labels count as failures of the weak model;
* optionally ``id``, unique to the line; and ``family``, which must be the one that is fitted for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from vibe.request.injected_blocks import without_injected
from vibe.scoring.scorer import HEAD_NAMES, load_prior
from vibe.scoring.surface_features import grams_of
from vibe.scoring.text_view import TextView
from vibe.strict_json import is_number, read_line

MAX_FAULTS = 10
# With this many, a fit takes minutes; a thousand are plenty.
MAX_LABELS = 100_000


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


def read_labels(path: Path, family: str | None = None) -> list[Label]:
    """Read the labels at *path*; those that name a family must name *family*.

    Raises:
        LabelsError: with the first faults found.
    """
    labels: list[Label] = []
    faults: list[str] = []
    lines_by_id: dict[str, int] = {}
    try:
        # Bytes: their lines end at LF alone, where JSON strings may hold U+2028 and its like.
        with path.open("rb") as lines:
            for index, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    labels.append(_label(line, index, family, lines_by_id))
                except ValueError as error:
                    faults.append(f"labels {path}, line {index}: {error}")
                if len(faults) == MAX_FAULTS:
                    break
                if len(labels) > MAX_LABELS:
                    raise LabelsError(f"labels {path}: more than {MAX_LABELS} labels: give a sample of them")
    except OSError as error:
        raise LabelsError(f"labels {path}: cannot be read: {error}") from None
    if faults:
        raise LabelsError("\n".join(faults))
    return labels


def gains_of(labels: list[Label]) -> list[float]:
    """Return what the strong pool gains on each label: strong minus weak, or 1 minus weak where some know no strong."""
    if all(label.strong is not None for label in labels):
        return [(label.strong or 0.0) - label.weak for label in labels]
    return [1.0 - label.weak for label in labels]


def _label(line: bytes, index: int, family: str | None, lines_by_id: dict[str, int]) -> Label:
    entry = read_line(line)
    if family is not None and entry.get("family", family) != family:
        raise ValueError(f"family: is {entry['family']!r}, not {family!r}: give the labels of one family")
    if "id" in entry:
        first = lines_by_id.setdefault(json.dumps(entry["id"]), index)
        if first != index:
            raise ValueError(f"id: {entry['id']!r} is that of line {first} too")
    weak = _quality(entry, "weak_score")
    strong = _quality(entry, "strong_score") if entry.get("strong_score") is not None else None
    if "features" in entry:
        return Label(json.dumps(entry["features"]), _given_values(entry["features"]), [], weak, strong)
    prompt = entry.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("prompt: must be a text that is not empty (or give features)")
    return label_of(without_injected(prompt), weak, strong)


def label_of(text: str, weak: float, strong: float | None) -> Label:
    """Return the label of *text*, a prompt without injected blocks, on top of the shipped prior."""
    view = TextView(text)
    return Label(text, load_prior().head_values(text, view), sorted(grams_of(view)), weak, strong)


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
