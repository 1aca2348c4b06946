"""What a rule may read: one object, so that a rule that needs more does not change the others."""

from __future__ import annotations

from dataclasses import dataclass

from vibe.memory.standing import Standing
from vibe.request.request import Request
from vibe.routes.family import Family
from vibe.scoring.scorer import Scorer


@dataclass(frozen=True, slots=True)
class RuleContext:
    """The ``request``, its ``family``, the family's ``scorer``, and its conversation's standing."""

    request: Request
    family: Family
    scorer: Scorer
    standing: Standing
