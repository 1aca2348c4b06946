"""Errors of the argument specs, and names that no spec has."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .finding import Finding


def spec_findings(results: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return the errors of validate_argument_spec; *results* has one for each role, which is its item."""
    findings: list[Finding] = []
    for result in results:
        role = result.get("item", "role")
        for error in result.get("argument_errors") or []:
            prefix = "unknown key " if "Supported parameters" in error else ""
            findings.append(
                Finding(
                    subject=f"{role} variables",
                    wrong=prefix + re.sub(r"[.]+$", "", error),
                    fix=f"see roles/{role}/meta/argument_specs.yml for names and types",
                )
            )
        message = result.get("msg") or ""
        if "argument_errors" not in result and "passed" not in message:
            findings.append(
                Finding(
                    subject=f"{role} variables",
                    wrong=f"a value cannot be evaluated: {message or 'no reason given'}",
                    fix="correct the expression in the inventory that the message names",
                )
            )
    return findings


def unknown_name_findings(
    names: Iterable[str],
    known: Mapping[str, Iterable[str]],
    renamed: Mapping[str, str],
    removed: Iterable[Mapping[str, Any]] = (),
) -> list[Finding]:
    """Return unknown names that look like options of a role.

    *known* has the options of each role, *renamed* the new name of each option that an upgrade renamed, and *removed*
    what to use instead of those that an upgrade removed, each group with *names* and *instead*.
    """
    findings: list[Finding] = []
    given = sorted(names)
    instead = {name: each["instead"] for each in removed for name in each["names"]}
    for role, options in known.items():
        listed = set(options)
        for name in given:
            if not name.startswith(f"{role}_") or name in listed:
                continue
            near = difflib.get_close_matches(name, listed, n=1, cutoff=0.8)
            if name in renamed:
                fix = f"it was renamed: {name} → {renamed[name]}"
            elif name in instead:
                fix = f"it was removed; use {instead[name]}"
            elif near:
                fix = f"did you mean {near[0]}? roles/{role}/README.md lists all options"
            else:
                fix = f"correct the name or remove it; roles/{role}/README.md lists all options"
            findings.append(Finding(subject=name, wrong=f"the role {role} has no option of this name", fix=fix))
    return findings
