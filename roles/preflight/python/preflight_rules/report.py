"""The findings of all hosts as one report: a fault of shared variables concerns every host, and is one fault."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .finding import Finding


def merge_findings(findings: Mapping[str, Iterable[Finding]]) -> list[dict[str, Any]]:
    """Return each finding once, with the hosts that have it; *findings* has the findings of each host."""
    merged: dict[str, dict[str, Any]] = {}
    for host, found in findings.items():
        for finding in found:
            entry = merged.setdefault(json.dumps(finding, sort_keys=True), {**finding, "hosts": []})
            if host not in entry["hosts"]:
                entry["hosts"].append(host)
    return list(merged.values())


def findings_text(merged: Sequence[Mapping[str, Any]], host_count: int) -> str:
    """Return the report for the terminal; hosts are named if there are several."""
    lines = [f"{len(merged)} finding{'' if len(merged) == 1 else 's'}; nothing was changed."]
    for number, finding in enumerate(merged, 1):
        lines += [f"{number}. {finding['subject']}: {finding['wrong']}.", f"   Fix: {finding['fix']}."]
        hosts = finding.get("hosts", [])
        if host_count > 1 and hosts:
            lines.append(f"   On: {'every host' if len(hosts) == host_count else ', '.join(hosts)}")
    return "\n".join(lines)
