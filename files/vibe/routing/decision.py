"""Which pool gets a request, and why: a record of names and numbers, without text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vibe.memory.conversation_state import State
from vibe.memory.verdict import CHEAP, SAFE, Verdict
from vibe.request.request import Request
from vibe.routes.family import ACTIVE, OFF, Family
from vibe.routes.routes_file import Routes
from vibe.routing.history_replay import first_verdict, standing_before
from vibe.rules.cost_forecast import forecast_cost
from vibe.scoring.scorer import Scorer

# The rule's name where no rule decided.
NO_RULE = "none"
REASON_ERROR, REASON_OFF = "router_error", "routing is off"


@dataclass(frozen=True, slots=True)
class Decision:
    """One routing decision.

    ``pool`` is None where the request keeps the virtual model's name, which LiteLLM sends to ``safe_pool``.
    ``rule`` is the one that decided, ``score`` 0 to 100, None if nothing was scored, ``reasons`` its explanation.
    ``proposed``: the pool that would have served, where routing is not active. ``conversation``: its short digest.
    ``moved_to``: the side that the conversation changed to, None if it stayed. ``adapter``: the adapter that
    contributed to the score, if any.
    """

    family: str
    virtual_model: str
    pool: str | None
    safe_pool: str
    rule: str
    score: float | None
    threshold: float
    reasons: tuple[str, ...]
    routing: str = ACTIVE
    proposed: str | None = None
    conversation: str | None = None
    moved_to: str | None = None
    adapter: str | None = None

    @property
    def target(self) -> str:
        """The pool that the request goes to."""
        return self.pool or self.safe_pool

    def as_metadata(self) -> dict[str, object]:
        """Return the record as JSON values: pool, rule and reason as in the response headers."""
        record: dict[str, object] = {
            "virtual_model": self.virtual_model,
            "family": self.family,
            "pool": self.target,
            "rule": self.rule,
            "score": self.score,
            "threshold": self.threshold,
            "reason": ", ".join(self.reasons),
            "conversation": self.conversation,
        }
        if self.routing != ACTIVE:
            record |= {"routing": self.routing, "proposed_pool": self.proposed}
        if self.adapter is not None:
            record["adapter"] = self.adapter
        return record


def decide(
    family: Family, routes: Routes, scorer: Scorer, request: Request, state: State | None = None
) -> tuple[Decision, State | None]:
    """Ask the rules and choose the pool of the first verdict.

    *state* is the saved state of the request's conversation. Also returns the state to save,
    None if it is unchanged.
    """
    if family.routing == OFF:
        return _by_the_operator(safe_decision(family, REASON_OFF), family, None), None
    standing = standing_before(request, family, scorer, state)
    rule, verdict, noted = first_verdict(request, family, scorer, standing)
    if verdict is None:
        return safe_decision(family, REASON_ERROR), None
    conversation = None if request.conversation is None else request.conversation.short
    decision = _decision(family, routes, rule, verdict, noted + request.notes, conversation)
    if family.routing != ACTIVE:
        decision = _by_the_operator(decision, family, decision.target)
    if verdict.is_kept and standing.side not in (None, verdict.side):
        decision = replace(decision, moved_to=verdict.side)
    if not request.is_remembered:
        return decision, None
    new = standing.after(verdict, request.dialogue.position, request.prompt).state
    if new is not None:
        new = new.came(request.at, standing.state, lambda: forecast_cost(request.dialogue).prefix)
    return decision, None if new == state else new


def safe_decision(family: Family, reason: str) -> Decision:
    """Keep the virtual model's name, because of *reason*."""
    return _of(family, None, NO_RULE, Verdict(SAFE, (reason,)))


def _by_the_operator(decision: Decision, family: Family, proposed: str | None) -> Decision:
    """Send the request of *decision* to the safe pool, as without routing, but named as for routed ones."""
    return replace(decision, pool=family.safe_pool, routing=family.routing, proposed=proposed)


def _decision(
    family: Family, routes: Routes, rule: str, verdict: Verdict, noted: tuple[str, ...], conversation: str | None
) -> Decision:
    pool = None if verdict.side == SAFE else family.cheap_pool if verdict.side == CHEAP else family.strong_pool
    # CRITICAL: LiteLLM answers 400 to an unknown pool, without trying a fallback.
    if pool is not None and pool not in routes.pools:
        return safe_decision(family, REASON_ERROR)
    return _of(family, pool, rule, verdict, noted, conversation)


def _of(
    family: Family,
    pool: str | None,
    rule: str,
    verdict: Verdict,
    noted: tuple[str, ...] = (),
    conversation: str | None = None,
) -> Decision:
    return Decision(
        family=family.name,
        virtual_model=family.virtual_model,
        pool=pool,
        safe_pool=family.safe_pool,
        rule=rule,
        score=verdict.score,
        threshold=family.threshold,
        reasons=verdict.reasons + noted,
        conversation=conversation,
        adapter=None if verdict.score is None else family.adapter,
    )
