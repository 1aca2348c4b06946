"""A family: one virtual model, its pools, and the settings by which its requests are routed."""

from __future__ import annotations

from dataclasses import dataclass

from vibe.request.explicit_choice import SOURCES
from vibe.routes.pool import UNKNOWN, Pool
from vibe.routes.signals import NO_SIGNALS, Signals

# ACTIVE routes. SHADOW decides and reports, while the safe pool serves. OFF decides nothing: the safe pool serves.
ACTIVE, SHADOW, OFF = "active", "shadow", "off"
ROUTINGS = (ACTIVE, SHADOW, OFF)
# What moves a conversation down: savings, or nothing. OFF: each turn is scored by itself, without its history.
PRICED, UPWARD = "priced", "upward"
AFFINITIES = (PRICED, UPWARD, OFF)


@dataclass(frozen=True)
class Family:
    """One virtual model and its pools; ``threshold`` is the score (0 to 100) that makes the strong pool.

    ``move_up_margin`` and ``move_down_margin``: points beyond the threshold that move a conversation;
    ``escalate_after``: failed tool results in a row that do, 0 for never; ``rules``: by name, in the order in which
    they are asked; none means all. ``cache_life``: seconds for which a provider keeps a prompt that it has read.
    ``strong_share``: of the prompts, 0 to 1, that the threshold follows; None keeps it fixed.
    ``adapter``: the adapter that was fitted on the operator's labels; None scores by the prior alone.
    ``signals``: phrases that the operator chose as signs of a hard or an easy prompt.
    """

    name: str
    virtual_model: str
    cheap_pool: str
    strong_pool: str
    safe_pool: str
    threshold: float = 50.0
    routing: str = ACTIVE
    rules: tuple[str, ...] = ()
    explicit_choice: tuple[str, ...] = SOURCES
    move_up_margin: float = 5.0
    move_down_margin: float = 10.0
    escalate_after: int = 3
    strong_share: float | None = None
    affinity: str = PRICED
    cache_life: float = 300.0
    adapter: str | None = None
    signals: Signals = NO_SIGNALS
    cheap: Pool = UNKNOWN
    strong: Pool = UNKNOWN

    @property
    def escalates_failures(self) -> bool:
        """Whether tool results that fail in a row move a conversation."""
        return self.escalate_after > 0 and (not self.rules or "escalation" in self.rules)
