"""What a rule may look at: one object, so that a rule that needs more does not change the others."""

from __future__ import annotations

from dataclasses import dataclass

from vibe.family import Family
from vibe.request import Request
from vibe.scorer import Scorer
from vibe.standing import Standing


@dataclass(frozen=True, slots=True)
class RuleContext:
    """The ``request``, the ``family`` that it asks, the family's ``scorer``, and how its conversation stands."""

    request: Request
    family: Family
    scorer: Scorer
    standing: Standing
