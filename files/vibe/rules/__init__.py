"""The rules, in the order in which they are asked: the first that has a verdict decides.

A rule is a file with ``NAME`` and ``judge``; it looks at the request, the family and the scorer, and knows no other
rule. Adding one is adding a file, and a line here.
"""

from __future__ import annotations

from typing import Protocol

from vibe.request import Request
from vibe.routes import Family
from vibe.rules import ability, background, explicit, no_ask, score
from vibe.scorer import Scorer
from vibe.verdict import Verdict


class Rule(Protocol):
    """What the module of a rule offers."""

    NAME: str

    def judge(self, request: Request, family: Family, scorer: Scorer) -> Verdict | None:
        """Return the verdict, or None to pass the request on to the next rule."""


RULES: tuple[Rule, ...] = (explicit, ability, background, no_ask, score)
