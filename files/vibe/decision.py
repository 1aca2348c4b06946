"""Which pool gets a request, and why: a record of names and numbers, without text."""

from __future__ import annotations

from dataclasses import dataclass

from vibe.request import Request
from vibe.routes import Family, Routes
from vibe.rules import RULES
from vibe.scorer import Scorer
from vibe.verdict import CHEAP, PASS, SAFE, Verdict

# What stands for a rule where none could decide.
NO_RULE = "none"
REASON_ERROR = "router_error"


@dataclass(frozen=True)
class Decision:
    """One routing decision.

    ``pool`` is None where the request keeps the virtual model's name, which LiteLLM sends to ``safe_pool``.
    ``rule`` is the one that decided, ``score`` 0 to 100, None where nothing was scored, ``reasons`` its words.
    """

    family: str
    virtual_model: str
    pool: str | None
    safe_pool: str
    rule: str
    score: float | None
    threshold: float
    reasons: tuple[str, ...]

    @property
    def target(self) -> str:
        """The pool that the request is meant for."""
        return self.pool or self.safe_pool

    def as_metadata(self) -> dict[str, object]:
        """Return the record as JSON values: pool, rule and reason as in the response headers."""
        return {
            "virtual_model": self.virtual_model,
            "family": self.family,
            "pool": self.target,
            "rule": self.rule,
            "score": self.score,
            "threshold": self.threshold,
            "reason": ", ".join(self.reasons),
        }


def decide(family: Family, routes: Routes, scorer: Scorer, request: Request) -> Decision:
    """Ask the rules, in their order, and choose the pool that the first verdict means."""
    passed: tuple[str, ...] = ()
    for rule in RULES:
        verdict = rule.judge(request, family, scorer)
        if verdict is None:
            continue
        if verdict.side != PASS:
            return _decision(family, routes, rule.NAME, verdict, passed)
        passed += verdict.reasons
    return safe_decision(family, REASON_ERROR)


def safe_decision(family: Family, reason: str) -> Decision:
    """Leave the request under the virtual model's name, for *reason*."""
    return _of(family, None, NO_RULE, Verdict(SAFE, (reason,)))


def _decision(family: Family, routes: Routes, rule: str, verdict: Verdict, passed: tuple[str, ...]) -> Decision:
    pool = None if verdict.side == SAFE else family.cheap_pool if verdict.side == CHEAP else family.strong_pool
    # CRITICAL: LiteLLM answers 400 to an unknown pool, without trying a fallback.
    if pool is not None and pool not in routes.pools:
        return safe_decision(family, REASON_ERROR)
    return _of(family, pool, rule, verdict, passed)


def _of(family: Family, pool: str | None, rule: str, verdict: Verdict, passed: tuple[str, ...] = ()) -> Decision:
    return Decision(
        family=family.name,
        virtual_model=family.virtual_model,
        pool=pool,
        safe_pool=family.safe_pool,
        rule=rule,
        score=verdict.score,
        threshold=family.threshold,
        reasons=verdict.reasons + passed,
    )
