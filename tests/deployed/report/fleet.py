"""Checks across hosts: all routers serve one release, and the gateways send to the serving slots."""

from __future__ import annotations

from report.model import FAILED, Report, Result

SLOTS = ("blue", "green")
IN_SERVICE = "UP"


def judge_fleet(report: Report) -> None:
    """Add the checks that compare the facts of several hosts."""
    serving = {host: facts["release"] for host, facts in report.about.items() if "release" in facts}
    if len(serving) > 1:
        report.results.append(_one_release(serving))
    slots = {host: facts["slot"] for host, facts in report.about.items() if "slot" in facts}
    for host, facts in list(report.about.items()):
        if "servers" in facts and slots:
            report.results.append(_sends_to_serving_slots(host, facts["servers"], slots))


def _one_release(serving: dict[str, str]) -> Result:
    """Judge the releases of all routers, {host: release}."""
    result = Result("fleet", "release", "Every router serves the same release")
    if len(set(serving.values())) > 1:
        result.verdict, result.expected = FAILED, "one release"
        result.found = ", ".join(f"{host} {release}" for host, release in serving.items())
        result.hint = "a rollout was interrupted, or --limit left hosts out: ./deploy.sh brings them to one"
    return result


def _sends_to_serving_slots(gateway: str, servers: str, slots: dict[str, str]) -> Result:
    """Judge one gateway's servers, "HOST-SLOT STATE, ...", by the slots that the routers serve from, {host: slot}."""
    result = Result(gateway, "gateway", "Gateway sends to the serving slot of every router, and to no other")
    states = dict(server.split(" ", 1) for server in servers.split(", "))
    wrong = [
        f"{host}-{slot} {states.get(f'{host}-{slot}', 'is unknown to it')}"
        for host, serving in slots.items()
        for slot in SLOTS
        # "UP 2/3" has missed a health check, but is still in service.
        if states.get(f"{host}-{slot}", "").startswith(IN_SERVICE) != (slot == serving)
    ]
    if wrong:
        result.verdict, result.found = FAILED, ", ".join(wrong)
        result.expected = ", ".join(f"{host}-{slot} {IN_SERVICE}" for host, slot in slots.items()) + " alone"
        result.hint = "a rollout was interrupted, or somebody drained by hand: ./deploy.sh fixes it; docs/runbooks.md"
    return result
