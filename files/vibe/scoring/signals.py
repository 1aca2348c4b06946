"""A scorer with an operator's own phrases on top: one that is in the instruction outweighs what the words say."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vibe.routes.signals import Signals
from vibe.scoring.prompt_parts import split
from vibe.scoring.said import UNSPACED, window_of
from vibe.scoring.score import Score, score_of
from vibe.scoring.scorer import Scorer

NAME = "signals"
# One phrase makes 98 of 50, and 50 of 2.
LOG_ODDS = 4.0


class Signalled:
    """``scorer``, and the phrases of a family's ``signals``; where both sides have one they cancel out."""

    def __init__(self, scorer: Scorer, signals: Signals) -> None:
        """Score by *scorer* and *signals*."""
        self.scorer = scorer
        self._strong, self._cheap = _pattern(signals.strong), _pattern(signals.cheap)

    def score(self, text: str) -> Score:
        """Score *text*."""
        scored = self.scorer.score(text)
        strong, cheap = self.found(text)
        if not strong and not cheap:
            return scored
        sign = bool(strong) - bool(cheap)
        return score_of(
            scored.base,
            (*scored.features, NAME),
            [*scored.values, float(len(strong) - len(cheap))],
            [*scored.log_odds, sign * LOG_ODDS],
        )

    def found(self, text: str) -> tuple[list[str], list[str]]:
        """Return the phrases for the strong and for the cheap side in the instruction of *text*, in lower case."""
        asked = window_of(split(text).instruction or text.strip())
        return _in(self._strong, asked), _in(self._cheap, asked)


def _pattern(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds *phrases* as whole words, whatever space is between them; None without any."""
    # The longest first: of two that begin alike it is the one that is meant.
    parts = [r"\s+".join(map(re.escape, phrase.split())) for phrase in sorted(phrases, key=len, reverse=True)]
    # Languages that write no spaces have no such words: there a phrase counts wherever it is.
    whole = [part if _is_unspaced(part) else rf"\b{part}\b" for part in parts]
    return re.compile("|".join(whole), re.IGNORECASE) if whole else None


def _is_unspaced(part: str) -> bool:
    return UNSPACED.search(part) is not None or not (part[0].isalnum() and part[-1].isalnum())


def _in(pattern: re.Pattern[str] | None, text: str) -> list[str]:
    if pattern is None:
        return []
    return sorted({" ".join(match[0].lower().split()) for match in pattern.finditer(text)})
