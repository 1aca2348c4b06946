"""The rules, in their order: the first that has a verdict decides.

A rule is a module with a ``NAME`` and a function ``judge()``, which reads a ``context.RuleContext`` and returns a
verdict or None. It knows no other rule. To add one, add the module and its name to ``RULES``, the only list of rules.
Rules share ``continuation``, ``complaint``, ``pool_switch`` and ``cost_forecast``.
"""

from __future__ import annotations

from typing import Protocol

from vibe.memory.verdict import Verdict
from vibe.rules import ability, background, escalation, explicit, inherit, no_prompt, score, stored
from vibe.rules.context import RuleContext


class Rule(Protocol):
    """The interface of a rule's module."""

    NAME: str

    def judge(self, context: RuleContext) -> Verdict | None:
        """Return the verdict, or None to pass the request on to the next rule."""


# The only list of rules: the names for routes, and the default order.
RULES: tuple[Rule, ...] = (explicit, stored, ability, background, escalation, inherit, no_prompt, score)
BY_NAME = {rule.NAME: rule for rule in RULES}
RULE_NAMES = tuple(BY_NAME)
