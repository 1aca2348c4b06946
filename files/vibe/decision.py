"""Which pool gets a request, and why: a record of names and numbers, without text.

The record travels in the request's metadata (``METADATA_KEY``) as plain JSON values, so that LiteLLM's own loggers
carry it and the response hook finds it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vibe.routes import Family, Routes
from vibe.score import Score
from vibe.scorer import Scorer

METADATA_KEY = "vibe_decision"
MAX_REASONS = 6
REASON_NO_ASK = "no_human_ask"
REASON_NO_SIGNAL = "no_signal"
REASON_ERROR = "router_error"


@dataclass(frozen=True)
class Decision:
    """One routing decision.

    ``pool`` is None where the request keeps the virtual model's name, which LiteLLM sends to ``safe_pool``.
    ``score`` is 0 to 100, None where nothing could be scored. ``reasons`` are signed, largest share first.
    """

    family: str
    virtual_model: str
    pool: str | None
    safe_pool: str
    score: float | None
    threshold: float
    reasons: tuple[str, ...]

    @property
    def target(self) -> str:
        """The pool that the request is meant for."""
        return self.pool or self.safe_pool

    def as_metadata(self) -> dict[str, object]:
        """Return the record as JSON values: pool and reason as in the response headers."""
        return {
            "virtual_model": self.virtual_model,
            "family": self.family,
            "pool": self.target,
            "score": self.score,
            "threshold": self.threshold,
            "reason": ", ".join(self.reasons),
        }


def decide(family: Family, routes: Routes, scorer: Scorer, ask: str | None) -> Decision:
    """Choose the pool for *ask*, the last human ask (None: there is none to be seen), by what *scorer* says of it."""
    if ask is None:
        # The ask that this turn belongs to may have been hard: nothing says that the cheap pool will do.
        return safe_decision(family, REASON_NO_ASK)
    scored = scorer.score(ask)
    pool = family.strong_pool if scored.value >= family.threshold else family.cheap_pool
    # CRITICAL: LiteLLM answers 400 to an unknown pool, without trying a fallback.
    if pool not in routes.pools:
        return safe_decision(family, REASON_ERROR)
    return Decision(
        family=family.name,
        virtual_model=family.virtual_model,
        pool=pool,
        safe_pool=family.safe_pool,
        score=scored.value,
        threshold=family.threshold,
        reasons=reasons_of(scored),
    )


def safe_decision(family: Family, reason: str) -> Decision:
    """Leave the request under the virtual model's name, for *reason*."""
    return Decision(
        family=family.name,
        virtual_model=family.virtual_model,
        pool=None,
        safe_pool=family.safe_pool,
        score=None,
        threshold=family.threshold,
        reasons=(reason,),
    )


def reasons_of(scored: Score) -> tuple[str, ...]:
    """Return the main contributions in points, such as ``("greeting -28.0", "length +2.9")``."""
    main = scored.largest(MAX_REASONS)
    return tuple(f"{part.feature} {part.points:+.1f}" for part in main) or (REASON_NO_SIGNAL,)


def remember(data: Mapping[str, object], decision: Decision) -> None:
    """Put *decision* into the metadata that LiteLLM keeps for itself."""
    # Responses and Messages have litellm_metadata, and there "metadata" is the client's own, which goes upstream.
    for holder in (data.get("litellm_metadata"), data.get("metadata")):
        if isinstance(holder, dict):
            holder[METADATA_KEY] = decision.as_metadata()
            return


def recall(data: Mapping[str, object]) -> dict[str, object] | None:
    """Return what ``remember`` kept, None where nothing was decided."""
    for holder in (data.get("litellm_metadata"), data.get("metadata")):
        kept = holder.get(METADATA_KEY) if isinstance(holder, dict) else None
        if isinstance(kept, dict):
            return kept
    return None


def forget(data: Mapping[str, object]) -> None:
    """Remove a record that a client put into its metadata: it would come back in our headers as if it were ours."""
    for holder in (data.get("litellm_metadata"), data.get("metadata")):
        if isinstance(holder, dict):
            holder.pop(METADATA_KEY, None)
