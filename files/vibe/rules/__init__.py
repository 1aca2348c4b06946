"""The rules, in the order in which they are asked: the first that has a verdict decides.

A rule is a file with ``NAME`` and ``judge``; it looks at the ``RuleContext``, and knows no other rule. Adding one is
adding a file, and its name to ``RULES``.
"""

from __future__ import annotations

from typing import Protocol

from vibe.rules import ability, background, escalation, explicit, inherit, no_ask, score
from vibe.rules.context import RuleContext
from vibe.verdict import Verdict


class Rule(Protocol):
    """What the module of a rule offers."""

    NAME: str

    def judge(self, context: RuleContext) -> Verdict | None:
        """Return the verdict, or None to pass the request on to the next rule."""


# The one list of them: what routes may name, and the order where a family names none.
RULES: tuple[Rule, ...] = (explicit, ability, background, escalation, inherit, no_ask, score)
BY_NAME = {rule.NAME: rule for rule in RULES}
RULE_NAMES = tuple(BY_NAME)
