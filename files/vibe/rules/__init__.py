"""The rules, in the order in which they are asked: the first that has a verdict decides.

A rule is a file with ``NAME`` and ``judge``; it looks at the request, the family, the scorer and how the conversation
stands, and knows no other rule. Adding one is adding a file, and a line here and in ``family.RULE_NAMES``.
"""

from __future__ import annotations

from typing import Protocol

from vibe.family import Family
from vibe.request import Request
from vibe.rules import ability, background, escalation, explicit, inherit, no_ask, score
from vibe.scorer import Scorer
from vibe.standing import Standing
from vibe.verdict import Verdict


class Rule(Protocol):
    """What the module of a rule offers."""

    NAME: str

    def judge(self, request: Request, family: Family, scorer: Scorer, standing: Standing) -> Verdict | None:
        """Return the verdict, or None to pass the request on to the next rule."""


RULES: tuple[Rule, ...] = (explicit, ability, background, escalation, inherit, no_ask, score)
BY_NAME = {rule.NAME: rule for rule in RULES}
