"""Labels with a planted rule that nothing in the prior knows: here the weak model fails whatever is about the law."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

SUBJECTS = ("the garden", "a train journey", "an old friend", "the museum", "this recipe", "our neighbours")
ASKS = ("Tell me about", "Write a few lines on", "What should I know about", "Give an opinion on")
# Of one length, and the prior judges both alike.
PLANTED, PLAIN = "beside the meadow of the federal state", "beside the meadow of the quiet village"

# One prompt of each, that the prior calls easy.
LAW, HOLIDAY = f"Tell me about the museum {PLANTED}.", f"Tell me about the museum {PLAIN}."


def made_labels(count: int, *, planted: bool) -> list[dict[str, Any]]:
    """Return *count* labels, of which 40 % are about the law; without the *planted* rule quality is chance."""
    chance = random.Random(5)
    rows = []
    for index in range(count):
        is_law = chance.random() < 0.4
        prompt = f"{chance.choice(ASKS)} {chance.choice(SUBJECTS)} number {index} {PLANTED if is_law else PLAIN}."
        weak = float(not is_law) if planted else float(chance.random() < 0.5)
        rows.append({"prompt": prompt, "weak_score": weak, "strong_score": 1.0})
    return rows


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write *rows* to *path* as JSON lines and return it."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
