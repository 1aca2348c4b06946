"""All host checks, and how one is run and the results are written."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from report.judge import judge
from report.model import SKIPPED, Result

from host import answers, containers, engine, firewall, gateway, redis, release, secrets, system
from host.context import HostContext
from host.registry import CHECKS, Check

# Importing a module adds its checks; they run in this order.
MODULES = (answers, release, containers, engine, firewall, gateway, system, redis, secrets)
_ORDER = [module.__name__ for module in MODULES]
HINT_ERROR = "the check found something of an unusual shape: ./deploy.sh drift, then ./deploy.sh"


def checks_of(roles: tuple[str, ...]) -> list[Check]:
    """Return the checks of a host that has *roles*."""
    fit = [check for check in CHECKS if set(check.needs) <= set(roles)]
    return sorted(fit, key=lambda check: _ORDER.index(check.function.__module__))


def run_check(check: Check, host: HostContext) -> Result:
    """Run one check. If the host does not answer, one failure reports that, and the other checks are skipped."""
    result = Result(host.name, check.area, check.title)
    if host.silence and check.function is not answers.host_answers:
        result.verdict, result.found = SKIPPED, "the host does not answer"
        return result
    role = (check.role,) if check.role else ()
    return judge(result, lambda: check.function(host, *role), HINT_ERROR)


def to_document(host: HostContext, results: list[Result]) -> dict[str, Any]:
    """Return what report/model.py reads: the results, and what the checks found out about the host."""
    rows = [asdict(result) for result in results]
    return {"host": host.name, "about": host.about, "notes": host.notes, "results": rows}
