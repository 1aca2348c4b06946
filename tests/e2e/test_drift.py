"""Differences from the inventory are found, shown, and removed by the next deployment; status shows what runs."""

import json
from pathlib import Path

import pytest
from e2e.machine import PLAYBOOK, PROJECT, chat, haproxy, run, servers, wait_for
from report.model import OK, read_report

BASE = Path("/opt/litellm-vibe-router")
VERIFY = PROJECT / "reports/local/verify"
STUB = "vibe-stub-upstream"
SLOT_START_SECONDS = 120


def _red() -> set[str]:
    """Verify the hosts, and return the checks that failed."""
    done = run("./deploy.sh", "verify", "-e", '{"verification_live_requests": false}', check=False)
    assert done.returncode == 2
    report = read_report(VERIFY / "report.json")
    assert all(result.expected and result.found and result.hint for result in report.failures)
    assert all(result.check in done.stdout for result in report.failures)
    return {result.check for result in report.failures}


def _slots() -> tuple[str, str]:
    serving = (BASE / "router/serving").readlink().stem
    return serving, "green" if serving == "blue" else "blue"


def test_the_status_tells_what_runs_and_what_serves(deployed: dict[str, str]) -> None:
    assert "last good" in run("./deploy.sh", "status").stdout
    rows = {row["role"]: row for row in json.loads(run("./deploy.sh", "status", "--json").stdout)}
    assert set(rows) == {"gateway", "redis", "router", "stub-upstream"}
    assert {row["health"] for row in rows.values()} == {"healthy"}
    release = (BASE / "router/current").readlink().name
    router = rows["router"]
    assert (router["host"], router["slot"], router["serves"]) == ("local", _slots()[0], True)
    assert router["gateways"].startswith("UP")
    assert (router["release"], router["last_good"]) == (release, release)
    assert router["uptime"]


def test_a_machine_as_deployed_has_none(deployed: dict[str, str]) -> None:
    run("./deploy.sh", "drift")


def test_a_run_that_would_mend_is_refused(deployed: dict[str, str]) -> None:
    done = run(PLAYBOOK, "playbooks/drift.yml", check=False)
    assert done.returncode != 0
    assert "a run without --check would change the hosts" in done.stdout


@pytest.fixture
def tampered(deployed: dict[str, str]) -> None:
    """A deployment that was changed by hand in six ways."""
    if not (BASE / f"router/slots/{_slots()[1]}.env").exists():
        # Nothing has run in the other slot yet: roll out and back.
        run("./deploy.sh", "-e", "router_cooldown_time=33")
        run("./deploy.sh")
    release = (BASE / "router/current").resolve()
    serving, idle = _slots()
    with (release / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("# edited by hand\n")
    (release / "secrets.json").chmod(0o644)
    (BASE / "gateway/run").chmod(0o755)
    run("docker", "stop", "--time", "1", STUB)
    project = ("--project-name", f"litellm-vibe-router-{idle}", "--env-file", str(BASE / f"router/slots/{idle}.env"))
    run("docker", "compose", *project, "--file", str(release / "compose.yaml"), "up", "--detach")
    assert haproxy(f"set server routers/local-{serving} state maint") == ""
    # Wait until the gateway sends to it, so that checks find the same on a slow machine.
    assert haproxy(f"set server routers/local-{idle} state ready") == ""
    wait_for(lambda: servers()[f"local-{idle}"] == "UP", SLOT_START_SECONDS, servers)


@pytest.mark.usefixtures("tampered")
def test_what_was_changed_by_hand_is_found_and_fixed_by_the_next_deployment(deployed: dict[str, str]) -> None:
    serving, idle = _slots()
    done = run("./deploy.sh", "drift", check=False)
    assert done.returncode != 0
    said = done.stdout[done.stdout.index("findings; nothing was changed") :]
    for words in (
        "config.yaml: was changed",
        "-# edited by hand",
        "secrets.json: has mode 0644 and owner 10001, not 0400 and 10001",
        '"path": "/opt/litellm-vibe-router/gateway/run"',
        f"{STUB}: Starting",
        f"slot {idle} with release",
        f"server local-{serving} is MAINT, and should be UP",
    ):
        assert words in said, said
    status = json.loads(run("./deploy.sh", "status", "--json").stdout)
    assert {row["health"] for row in status if row["role"] == "stub-upstream"} == {"exited"}
    assert {row["gateways"] for row in status if row["slot"] == serving} == {"MAINT"}
    findings = done.stdout[: done.stdout.index(" findings; nothing was changed")].split()[-1]
    assert {row["drift"] for row in status} == {findings}
    assert _red() == {
        "Only the router can read its secrets",
        "Only the gateway can use its admin socket",
        "Container is healthy (stub_upstream)",
        "Only the serving slot runs",
        "Nothing is left of a rollout",
        "Gateway sends to the serving slot of every router, and to no other",
    }
    run("./deploy.sh")
    assert chat(deployed, "hi").status_code == 200
    run("./deploy.sh", "drift")
    assert read_report(VERIFY / "report.json").verdict == OK
    assert "Fixed" in (VERIFY / "report.html").read_text(encoding="utf-8")
