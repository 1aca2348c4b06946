"""The prompts of ``judgement/`` as rows, with what folds are made by."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

FOLDER = Path(__file__).with_name("judgement")
UNSEEN, UNSEEN_DIGITS = FOLDER / "unseen.json.gz", 3
# From this level on the strong pool is worth its price.
STRONG_LEVEL = 4
# Sets that are no list of prompts.
PAIRS, COMPOSED, FOLLOWUPS = "pairs", "composed", "followups"
INSTRUCTION_FOLDS = 6
BLOCK = 10


@dataclass(frozen=True, slots=True)
class Prompt:
    """A ``text`` of ``level`` 1 to 5, of the set ``source`` in the language ``lang`` (two letters).

    ``block`` is the same for twins, which are next to each other; of a composition it is its instruction's.
    """

    text: str
    level: int
    source: str
    lang: str
    block: int

    @property
    def strong(self) -> bool:
        """Whether the prompt needs the strong pool."""
        return self.level >= STRONG_LEVEL


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of the file *name*."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def prompts() -> list[Prompt]:
    """Return all labelled prompts; the two of a pair are next to each other, the cheap one first."""
    return [*_lists(), *_pairs(), *_composed(), *_from_followups()]


def unseen_log_odds() -> list[float]:
    """Return the log odds of each of ``prompts()``, by a model that was fitted without its set."""
    with gzip.open(UNSEEN, "rt", encoding="utf-8") as text:
        found: list[float] = json.load(text)
    return found


def write_unseen(log_odds: list[float]) -> None:
    """Keep *log_odds* for ``unseen_log_odds``, the same bytes for the same numbers."""
    text = json.dumps([round(value, UNSEEN_DIGITS) for value in log_odds])
    UNSEEN.write_bytes(gzip.compress(text.encode(), mtime=0))


def block_of(name: str) -> int:
    """Return the block of ten rows that the identifier *name* is in."""
    found = re.search(r"\d+$", name)
    return int(found[0]) // BLOCK if found else 0


def _lists() -> Iterator[Prompt]:
    for row in (*rows("asks"), *rows("more")):
        yield _prompt(row, row["set"], row["lang"], block_of(row["id"]))


def _pairs() -> Iterator[Prompt]:
    for row in rows("pairs"):
        for side in ("a", "b"):
            yield _prompt(row[side], PAIRS, row["lang"], block_of(row["id"]))


def _composed() -> Iterator[Prompt]:
    for row in (*rows("composed"), *rows("composed2")):
        yield _prompt(row, COMPOSED, row["lang"], crc32(row["instruction"].encode()) % INSTRUCTION_FOLDS)


def _from_followups() -> Iterator[Prompt]:
    """Yield what a follow-up came after, and self-contained ones."""
    for row in (*rows("followups"), *rows("followups3")):
        yield _prompt(row["before"], FOLLOWUPS, row["lang"], block_of(row["id"]))
        if row["label"] == "independent":
            yield Prompt(row["turn"], row["level"], FOLLOWUPS, row["lang"][:2], block_of(row["id"]))


def _prompt(row: dict[str, Any], source: str, lang: str, block: int) -> Prompt:
    return Prompt(row["prompt"], row["level"], source, lang[:2], block)
