"""Why a container does not do its work."""

from __future__ import annotations

import json
import shlex
from typing import Any

from host.restarts import judge_restarts
from report.model import CheckFailedError, require

from doctor.case import Machine
from doctor.symptoms import HEALTH_CHECKS, LOGS, quoted, seen

LOG_LINES = 60
# Exit codes after a signal: 128 plus its number. SIGTERM is how a container is stopped by hand.
KILLED, STOPPED = 137, (0, 143)


def run(machine: Machine, text: str) -> str:
    """Return what a command prints; the link is broken if it fails."""
    done = machine.host.run(text)
    said = quoted(done.stderr or done.stdout)
    full = seen(said, LOGS[:1])
    hint = full.fix if full else "try it there by hand; ./deploy.sh drift says what was changed"
    require(done.rc == 0, f"`{text}` to succeed", f"exit code {done.rc}: {said}", hint)
    return str(done.stdout)


def inspect(machine: Machine, name: str) -> dict[str, Any]:
    """Return the `docker inspect` output of a container; the link is broken if there is none."""
    done = machine.host.run(f"docker inspect {shlex.quote(name)}")
    require(
        done.rc == 0,
        f"a container {name}",
        "none: it was never made, or was removed",
        "./deploy.sh makes it; ./deploy.sh audit says who did what",
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found[0]


def log_of(machine: Machine, name: str) -> str:
    """Return the last lines of a container's log."""
    return str(machine.host.run(f"docker logs --tail {LOG_LINES} {shlex.quote(name)} 2>&1").stdout)


def require_running(machine: Machine, name: str) -> dict[str, Any]:
    """Return the `docker inspect` output of a running container; the link is broken if it does not run."""
    container = inspect(machine, name)
    state = container["State"]
    if state["Status"] == "running" and not state.get("Restarting"):
        return container
    expected = f"{name} running"
    if state["Status"] == "paused":
        raise CheckFailedError(expected, "paused", f"docker unpause {name}")
    if state.get("OOMKilled"):
        raise _no_memory(expected, container)
    text = f"{state.get('Error') or ''}\n{log_of(machine, name)}"
    symptom = seen(text, LOGS)
    found = f"{state['Status']}, exit code {state['ExitCode']}"
    if symptom:
        raise CheckFailedError(expected, f"{found}: {symptom.meaning}: {quoted(text)}", symptom.fix)
    if state["ExitCode"] == KILLED:
        hint = f"it was killed, by hand or for want of memory on the host (`dmesg | grep -i kill`): docker start {name}"
    elif state["ExitCode"] in STOPPED:
        hint = f"it was stopped by hand: docker start {name}, or ./deploy.sh"
    else:
        hint = f"docker logs {name} 2>&1 | tail -50; an older release serves again with ./deploy.sh rollback"
    raise CheckFailedError(expected, f"{found}; its log ends with: {quoted(text)}", hint)


def require_no_loop(machine: Machine, container: dict[str, Any]) -> None:
    """Require that a container neither keeps restarting nor was killed for lack of memory; a single restart is over."""
    name = container["Name"].lstrip("/")
    command = f"docker events --since 24h --until 0s --filter container={container['Id']} --format '{{{{json .}}}}'"
    events = [json.loads(line) for line in run(machine, command).splitlines()]
    judged = judge_restarts(container, events, float(run(machine, "date +%s")), quiet_seconds=0)
    if "want of memory" in judged.fault:
        raise _no_memory(f"{name} running without a break", container)
    log = log_of(machine, name)
    symptom = seen(log, LOGS)
    hint = symptom.fix if symptom else f"docker logs {name} 2>&1 | tail -50 says why"
    meaning = f": {symptom.meaning}" if symptom else ""
    require(not judged.fault, f"{name} running without a break", f"{judged.fault}{meaning}", hint)


def require_healthy(container: dict[str, Any]) -> None:
    """Require that a running container is healthy; one that is still starting reports its time limit."""
    name = container["Name"].lstrip("/")
    health = container["State"].get("Health")
    if health is None:
        raise CheckFailedError(
            f"{name} with a health check", "none", "a compose file of your own: ./deploy.sh makes ours"
        )
    if health["Status"] == "healthy":
        return
    period = container["Config"]["Healthcheck"].get("StartPeriod", 0) / 1e9
    last = str((health.get("Log") or [{}])[-1].get("Output", ""))
    symptom = seen(last, HEALTH_CHECKS) or seen(last, LOGS)
    found = f"{health['Status']}: {quoted(last)}"
    if symptom:
        raise CheckFailedError(f"{name} healthy", f"{found}: {symptom.meaning}", symptom.fix)
    if health["Status"] == "starting":
        hint = f"wait: it may start for {period:g} s (start_period); then walk again"
    else:
        hint = f"it runs, and does not answer: docker logs {name} 2>&1 | tail -50; docker restart {name} if it hangs"
    raise CheckFailedError(f"{name} healthy", found, hint)


def _no_memory(expected: str, container: dict[str, Any]) -> CheckFailedError:
    """Return the failure of a container that the kernel killed for lack of memory."""
    limit = int(container["HostConfig"].get("Memory") or 0)
    found = f"killed for want of memory, at its limit of {limit >> 20} MiB" if limit else "killed for want of memory"
    return CheckFailedError(
        expected,
        found,
        "router_memory_limit or redis_maxmemory; one LiteLLM worker needs some 570 MiB (25219: 512 is too little)",
    )
