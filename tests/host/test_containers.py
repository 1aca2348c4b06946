"""Every container runs as it was asked to: healthy, and with no more rights than it needs."""

import json
from typing import Any

from host.on_host import QUIET_MINUTES, ROUTER_DIR, command
from host.restarts import judge_restarts
from testinfra.host import Host


def test_container_is_healthy(container: dict[str, Any]) -> None:
    assert container["State"]["Health"]["Status"] == "healthy", container["State"]["Health"]["Log"][-1:]


def test_container_does_not_keep_crashing(host: Host, container: dict[str, Any], notes: list[str]) -> None:
    ask = f"docker events --since 24h --until 0s --filter container={container['Id']} --format '{{{{json .}}}}'"
    events = [json.loads(line) for line in command(host, ask).splitlines()]
    now = float(command(host, "date +%s"))
    judged = judge_restarts(container, events, now, QUIET_MINUTES * 60)
    assert not judged.fault, judged.fault
    if judged.note:
        notes.append(judged.note)


def test_container_does_not_run_as_root(container: dict[str, Any]) -> None:
    user = container["Config"]["User"].split(":")[0]
    assert user.isdigit(), f"user is {user!r}, expected a number that is not 0"
    assert int(user) > 0


def test_container_cannot_write_its_root(container: dict[str, Any]) -> None:
    assert container["HostConfig"]["ReadonlyRootfs"] is True


def test_container_has_no_capabilities_and_can_gain_none(container: dict[str, Any]) -> None:
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert not container["HostConfig"]["CapAdd"]
    assert "no-new-privileges:true" in container["HostConfig"]["SecurityOpt"]
    assert container["HostConfig"]["Privileged"] is False


def test_container_is_limited_in_memory_and_processes(container: dict[str, Any]) -> None:
    assert container["HostConfig"]["Memory"] > 0
    assert container["HostConfig"]["PidsLimit"] > 0


def test_health_check_waits_for_a_slow_start(router: dict[str, Any]) -> None:
    start_period_s = router["Config"]["Healthcheck"]["StartPeriod"] / 1e9
    assert start_period_s >= 60, f"start_period is {start_period_s} s: see router_start_period"


def test_health_check_needs_no_curl_and_bills_nobody(router: dict[str, Any]) -> None:
    test = router["Config"]["Healthcheck"]["Test"]
    assert test[:2] == ["CMD", "python3"], test
    assert "/health/liveliness" in test[-1], "only /health/liveliness asks no model"


def test_stop_leaves_time_for_running_streams(router: dict[str, Any]) -> None:
    assert router["Config"]["StopTimeout"] >= 60, "see router_stop_grace_period"


def test_nothing_is_mounted_over_the_programs_of_the_image(router: dict[str, Any]) -> None:
    targets = [mount["Destination"] for mount in router["Mounts"]]
    assert "/app" not in targets
    assert {"/app/config.yaml", "/app/vibe_router.py", "/app/vibe", "/app/vibe_routes.json"} <= set(targets)
    assert [mount["Destination"] for mount in router["Mounts"] if mount["RW"]] == []


def test_plugin_in_the_container_is_the_one_of_the_release(host: Host, router: dict[str, Any]) -> None:
    name = router["Name"][1:]
    inside = command(host, f"docker exec {name} sha256sum /app/vibe_router.py").split()[0]
    release = command(host, f"sha256sum {ROUTER_DIR}/current/vibe_router.py").split()[0]
    assert inside == release, "the container has an older plug-in than the release: run playbooks/rollout.yml"


def test_plugin_finds_its_package(router: dict[str, Any]) -> None:
    assert "PYTHONPATH=/app" in router["Config"]["Env"]


def test_router_runs_the_release_that_current_names(host: Host, router: dict[str, Any]) -> None:
    current = command(host, f"readlink {ROUTER_DIR}/current").strip().rsplit("/", 1)[-1]
    assert router["Config"]["Labels"]["vibe.release"] == current


def test_only_the_serving_slot_runs(host: Host, router: dict[str, Any]) -> None:
    running = command(host, "docker ps --filter name=litellm-vibe-router --format '{{.Names}}'").split()
    assert running == [router["Name"][1:]]


def test_release_is_complete_and_names_what_runs(host: Host, router: dict[str, Any]) -> None:
    manifest = json.loads(command(host, f"cat {ROUTER_DIR}/current/manifest.json"))
    assert manifest["release"] == router["Config"]["Labels"]["vibe.release"]
    assert manifest["image"] == router["Config"]["Image"]
