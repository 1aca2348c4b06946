"""A finding, and the collection of rules that make findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypedDict

# Variables of one host by name, each role's defaults below what the inventory sets.
Variables = Mapping[str, Any]
Check = Callable[[Variables], Iterator[str]]


class Finding(TypedDict):
    """One problem: the variable or part it is about, what is wrong, and how to fix it."""

    subject: str
    wrong: str
    fix: str


class Rule(NamedTuple):
    """A check, the variable that it is about, and how to fix what it finds."""

    subject: str
    fix: str
    check: Check


class Rules:
    """Rules of one role. Decorate a generator of problems with it, and the rule is in the list."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def __call__(self, subject: str, *, fix: str) -> Callable[[Check], Check]:
        """Return a decorator that adds a check: *subject* is the variable to correct, *fix* says how."""

        def add(check: Check) -> Check:
            self._rules.append(Rule(subject, fix, check))
            return check

        return add

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def findings(self, variables: Variables) -> list[Finding]:
        """Return what the rules find, in the order of the rules."""
        return [
            Finding(subject=rule.subject, wrong=wrong, fix=rule.fix)
            for rule in self._rules
            for wrong in rule.check(variables)
        ]
