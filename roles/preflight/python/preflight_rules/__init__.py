"""Rules that preflight checks before any host is touched, one module for each role whose variables they are about.

A rule is a function that yields what is wrong, decorated with its subject and its fix. `values` checks single values,
`variables` the names and types, `host` the host, `images_source` where the images come from, and `control_node` the
versions and files of the control node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import firewall, gateway, images, redis, router
from .finding import Finding
from .values import value_findings

RULES = {
    "router": router.rules,
    "gateway": gateway.rules,
    "redis": redis.rules,
    "firewall": firewall.rules,
    "images": images.rules,
}


def variable_findings(given: Mapping[str, Any], defaults: Mapping[str, Any], roles: Iterable[str]) -> list[Finding]:
    """Return what is wrong with the variables that an inventory gives to a host with these *roles*.

    *defaults* has the roles' own values. Rules compare only values that are right by themselves.
    """
    if wrong := value_findings(given, defaults):
        return wrong
    variables = {**defaults, **given}
    return [finding for role in roles if role in RULES for finding in RULES[role].findings(variables)]
