"""A fleet in the lab, over SSH: deployed, changed under load, undone, rolled back, looked at, made smaller, taken down.

The tests build on each other, in order. A third of the load are streams of some seconds.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.lab import GATEWAY, HOSTS, INVENTORY, LAB, ROUTERS, on
from e2e.load import traffic_to
from e2e.machine import PLAYBOOK, Run, changed, chat, run

BASE = "/opt/litellm-vibe-router"
OURS = (
    "docker ps --all --quiet; docker images --quiet; docker network ls --quiet --filter name=^vibe$;"
    f" ls -d {BASE} /var/lib/litellm-vibe-router"
)
FLEET = ("-i", "inventory/lab")


def _play(*words: str, check: bool = True) -> Run:
    return run(PLAYBOOK, *FLEET, *words, check=check, timeout=1200)


def _serving() -> dict[str, str]:
    """Return the release that each router serves, as the gateway's answers to the status say."""
    rows = json.loads(run("./deploy.sh", "status", *FLEET, "-e", "format=json").stdout)
    routers = [row for row in rows if row["role"] == "router"]
    # "UP 2/3" has missed a health check of a busy moment, and serves.
    assert all(row["gateways"].startswith("UP") for row in routers), routers
    return {row["host"]: row["release"] for row in routers}


@pytest.fixture(scope="module")
def fleet(lab: None) -> Run:
    """The lab, deployed with the README's command."""
    return run("./deploy.sh", *FLEET, timeout=1800)


@pytest.fixture(scope="module")
def settings(fleet: Run) -> dict[str, str]:
    """The client's settings of the fleet."""
    exports = run("./deploy.sh", "env", *FLEET).stdout
    return dict(re.findall(r"^export (\w+)=(\S+)$", exports, flags=re.MULTILINE))


def test_hosts_become_a_fleet_that_serves_one_release(fleet: Run, settings: dict[str, str]) -> None:
    assert "DEPRECATION" not in fleet.stdout + fleet.stderr
    assert re.search(r"\d+ good, 0 failed", fleet.stdout)
    serving = _serving()
    assert set(serving) == set(ROUTERS)
    assert len(set(serving.values())) == 1
    assert chat(settings, "hi").status_code == 200


@pytest.mark.slow
def test_a_second_run_changes_nothing(fleet: Run) -> None:
    assert changed(run("./deploy.sh", *FLEET).stdout) == 0


def test_the_verification_looks_at_the_hosts_and_not_at_this_machine(fleet: Run) -> None:
    on(GATEWAY, f"chmod 755 {BASE}/gateway/run")
    done = run("./deploy.sh", "verify", *FLEET, check=False)
    on(GATEWAY, f"chmod 700 {BASE}/gateway/run")
    assert done.returncode != 0
    assert "Runtime socket is for the gateway alone" in done.stdout
    assert f"fatal: [{GATEWAY}]" in done.stdout


def test_the_doctor_walks_over_ssh_and_names_the_host_with_the_broken_link(fleet: Run) -> None:
    assert "No link is broken." in run("./deploy.sh", "doctor", *FLEET).stdout
    slots = "$(docker ps --quiet --filter name=^litellm-vibe-router)"
    on(ROUTERS[1], f"docker pause {slots}")
    done = run("./deploy.sh", "doctor", *FLEET, check=False)
    on(ROUTERS[1], f"docker unpause {slots}")
    assert done.returncode == 2
    assert f"BROKEN  Serving slot runs ({ROUTERS[1]})" in done.stdout
    assert done.stdout.count("docker unpause") > 0
    assert f"({ROUTERS[0]})" not in done.stdout


def test_a_changed_release_reaches_every_host_without_a_lost_request(settings: dict[str, str]) -> None:
    before = _serving()
    with traffic_to(settings) as traffic:
        _play("playbooks/rollout.yml", "-e", "router_cooldown_time=31")
    assert not traffic.failed, traffic.story()
    assert traffic.streamed > 50
    after = _serving()
    assert len(set(after.values())) == 1
    assert set(after.values()).isdisjoint(before.values())


@pytest.fixture
def bad_on_the_second(tmp_path: Path) -> str:
    """Variables of a release that is good on the first router, and whose requests fail on the second."""
    models = yaml.safe_load((INVENTORY / "group_vars/all/models.yml").read_text(encoding="utf-8"))
    for pool in models["router_pools"]:
        deployment = pool["deployments"][0]
        good = deployment["api_base"]
        deployment["api_base"] = f"{{{{ 'http://127.0.0.1:9' if inventory_hostname == '{ROUTERS[1]}' else '{good}' }}}}"
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps({"router_pools": models["router_pools"], "router_cooldown_time": 32}), encoding="utf-8")
    return f"@{extra}"


def test_a_release_that_fails_on_the_second_host_is_undone_on_both(
    settings: dict[str, str], bad_on_the_second: str
) -> None:
    before = _serving()
    with traffic_to(settings) as traffic:
        done = _play("playbooks/rollout.yml", "-e", bad_on_the_second, check=False)
    assert done.returncode == 2
    assert "did not prove itself" in done.stdout
    assert not traffic.failed, traffic.story()
    assert _serving() == before
    told = {host: on(host, f"tail --lines 3 {BASE}/deployment/audit.jsonl").splitlines() for host in ROUTERS}
    actions = {host: [json.loads(line)["action"] for line in lines] for host, lines in told.items()}
    assert actions[ROUTERS[0]] == ["switch", "undo", "rollout"], "it had switched, and went back"
    assert actions[ROUTERS[1]][-2:] == ["undo", "rollout"]
    assert "lock.json" not in on(ROUTERS[0], f"ls {BASE}/deployment"), "the lock was freed"


def test_a_rollback_brings_the_release_before_without_a_lost_request(settings: dict[str, str]) -> None:
    before = _serving()
    with traffic_to(settings) as traffic:
        run("./deploy.sh", "rollback", *FLEET)
    assert not traffic.failed, traffic.story()
    after = _serving()
    assert len(set(after.values())) == 1
    assert set(after.values()).isdisjoint(before.values())


def test_drift_names_the_host_where_somebody_changed_something(fleet: Run) -> None:
    run("./deploy.sh", "drift", *FLEET)
    on(ROUTERS[1], f"echo '# edited by hand' >> {BASE}/router/current/config.yaml")
    done = run("./deploy.sh", "drift", *FLEET, check=False)
    assert done.returncode == 2
    findings: list[dict[str, Any]] = json.loads(Path("reports/lab/drift.json").read_text(encoding="utf-8"))
    assert {finding["host"] for finding in findings} == {ROUTERS[1]}
    assert "config.yaml: was changed" in done.stdout


@pytest.fixture
def second_leaves(fleet: Run) -> None:
    """The inventory with the second router in router_leaving."""
    path = INVENTORY / "hosts.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    host = document["routers"]["hosts"].pop(ROUTERS[1])
    document["router_leaving"] = {"hosts": {ROUTERS[1]: host}}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


@pytest.mark.usefixtures("second_leaves")
def test_a_router_leaves_without_a_lost_request_and_nothing_of_ours_stays_there(settings: dict[str, str]) -> None:
    with traffic_to(settings) as traffic:
        run("./deploy.sh", *FLEET)
    assert not traffic.failed, traffic.story()
    assert set(_serving()) == {ROUTERS[0]}
    assert ROUTERS[1] not in on(GATEWAY, f"cat {BASE}/gateway/conf/haproxy.cfg")
    assert on(ROUTERS[1], OURS, check=False) == ""
    assert on(ROUTERS[1], "docker version --format up >/dev/null && echo engine") == "engine"


def test_a_teardown_wants_to_be_confirmed(settings: dict[str, str]) -> None:
    done = _play("playbooks/teardown.yml", "-e", "confirm=local", check=False)
    assert done.returncode != 0
    assert "Mend: add -e confirm=lab" in done.stdout
    assert chat(settings, "hi").status_code == 200


def test_a_teardown_leaves_the_engine_and_what_is_not_ours(fleet: Run) -> None:
    image = on(ROUTERS[0], "docker images --format '{{.Repository}}:{{.Tag}}' litellm-vibe-router/litellm").split()[0]
    on(ROUTERS[0], f"docker run --detach --name theirs --network vibe --entrypoint sleep {image} 900")
    run("./deploy.sh", "teardown", *FLEET, "-e", "confirm=lab")
    assert on(ROUTERS[0], "docker ps --all --format '{{.Names}}'") == "theirs"
    networks = "docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' theirs"
    assert on(ROUTERS[0], networks), "it was taken out of the network that it had joined"
    on(ROUTERS[0], "docker rm --force theirs")
    for host in HOSTS - {ROUTERS[0]}:
        assert on(host, OURS, check=False) == "", host
    assert on(ROUTERS[0], f"ls -d {BASE}", check=False) == ""
    again = run("./deploy.sh", "teardown", *FLEET, "-e", "confirm=lab")
    assert "lab is down" in again.stdout


def test_the_lab_leaves_nothing_behind(lab: None) -> None:
    run(*LAB, "-e", "lab_state=down")
    assert run("docker", "ps", "--all", "--quiet", "--filter", "label=vibe.lab").stdout == ""
    assert run("docker", "network", "ls", "--quiet", "--filter", "name=vibe-lab").stdout == ""
    assert not INVENTORY.exists()
