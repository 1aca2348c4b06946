"""Every container runs as configured: healthy, and with no more rights than it needs."""

import json
import re
from typing import Any

import pytest
from deployed_names import ROUTER_DIR
from host.on_host import HINT_BY_HAND, HINT_DEPLOY, HINT_LOG, QUIET_MINUTES, command
from host.restarts import judge_restarts
from report.model import require
from testinfra.host import Host

SHORTEST_START_PERIOD_S = 60
SHORTEST_STOP_S = 60
COMPOSE_LABELS = ("project", "project.working_dir", "project.config_files", "service", "config-hash")
# Ports of a router's slot: its API, for the gateways, and its counters.
COUNTERS, LOOPBACK = "9464/tcp", "127.0.0.1"
PUBLISHED = {"router": {"4000/tcp", COUNTERS}, "redis": {"6379/tcp"}}
MOUNTED = {"/app/config.yaml", "/app/vibe_router.py", "/app/vibe", "/app/vibe_routes.json"}


def test_container_is_healthy(role: str, container: dict[str, Any], about: dict[str, str]) -> None:
    about[f"image of {role}"] = f"{container['Config']['Image']} ({container['Image'][:19]})"
    health = container["State"].get("Health") or {"Status": "without a health check"}
    last = " ".join(str((health.get("Log") or [{}])[-1].get("Output", "")).split())
    found = f"{health['Status']}: {last}" if last else health["Status"]
    require(health["Status"] == "healthy", "healthy", found, HINT_LOG.format(name=container["Name"].lstrip("/")))


def test_container_does_not_keep_crashing(host: Host, container: dict[str, Any], notes: list[str]) -> None:
    listing = f"docker events --since 24h --until 0s --filter container={container['Id']} --format '{{{{json .}}}}'"
    events = [json.loads(line) for line in command(host, listing).splitlines()]
    now = float(command(host, "date +%s"))
    judged = judge_restarts(container, events, now, QUIET_MINUTES * 60)
    name = container["Name"].lstrip("/")
    require(not judged.fault, f"no restart within {QUIET_MINUTES:g} minutes", judged.fault, HINT_LOG.format(name=name))
    if judged.note:
        notes.append(judged.note)


def test_container_does_not_run_as_root(container: dict[str, Any]) -> None:
    user = container["Config"]["User"].split(":")[0]
    require(user.isdigit() and int(user) > 0, "a user by number, and not 0", repr(user), HINT_BY_HAND)


def test_container_cannot_write_its_root(container: dict[str, Any]) -> None:
    read_only = container["HostConfig"]["ReadonlyRootfs"]
    require(read_only is True, "a read-only root file system", "a writable one", HINT_BY_HAND)


def test_container_has_no_capabilities_and_can_gain_none(container: dict[str, Any]) -> None:
    settings = container["HostConfig"]
    faults = {
        f"dropped are {settings['CapDrop']}": settings["CapDrop"] != ["ALL"],
        f"added are {settings['CapAdd']}": bool(settings["CapAdd"]),
        "no-new-privileges is not set": "no-new-privileges:true" not in (settings["SecurityOpt"] or []),
        "it is privileged": settings["Privileged"] is not False,
    }
    found = ", ".join(fault for fault, is_so in faults.items() if is_so)
    require(not found, "all capabilities dropped, none added, no-new-privileges", found, HINT_BY_HAND)


def test_container_publishes_nothing_that_nobody_asks_for(role: str, container: dict[str, Any]) -> None:
    bindings = container["HostConfig"]["PortBindings"] or {}
    foreign = sorted(bindings.keys() - PUBLISHED.get(role, set()))
    open_counters = {each["HostIp"] for each in bindings.get(COUNTERS) or []} - {LOOPBACK}
    faults = [f"{port} is published" for port in foreign]
    faults += [f"the counters are published on {address or 'every address'}" for address in sorted(open_counters)]
    if container["HostConfig"]["PublishAllPorts"]:
        faults.append("every port of the image is published")
    wanted = ", ".join(sorted(PUBLISHED.get(role, set()))) or "no port"
    require(not faults, f"{wanted} published, counters on {LOOPBACK}", ", ".join(faults), HINT_BY_HAND)


def test_container_is_limited_in_memory_and_processes(container: dict[str, Any]) -> None:
    limits = {name: container["HostConfig"][name] for name in ("Memory", "PidsLimit")}
    unlimited = ", ".join(name for name, value in limits.items() if not value or value <= 0)
    require(not unlimited, "limits of memory and processes", f"none for {unlimited}", HINT_BY_HAND)


def test_container_is_made_of_the_image_that_its_name_means_now(host: Host, container: dict[str, Any]) -> None:
    name = container["Config"]["Image"]
    image = command(host, f"docker image inspect --format '{{{{.Id}}}}' {name}").strip()
    require(container["Image"] == image, f"{name} is {image[:19]}", container["Image"][:19], HINT_DEPLOY)


def test_container_is_as_its_compose_file_says(host: Host, container: dict[str, Any]) -> None:
    labels = container["Config"]["Labels"] or {}
    project, folder, files, service, made_of = (labels.get(f"com.docker.compose.{name}") for name in COMPOSE_LABELS)
    require(bool(made_of), "a container that Compose made", "one that was made by hand", HINT_BY_HAND)
    # Distributions add to it, and the label has it without: 2.26.1-4, v2.40.3.
    version = re.search(r"\d+(\.\d+)+", host.run("docker compose version --short").stdout)
    if version is None or version[0] != labels.get("com.docker.compose.version"):
        # ./deploy.sh would not change it: a container that serves as wanted is not recreated.
        pytest.skip("another Compose made it, and digests of two versions are not the same")
    environment = labels.get("com.docker.compose.project.environment_file")
    where = f"--project-name {project} --project-directory {folder} --file {files}"
    where += f" --env-file {environment}" if environment else ""
    # Compose's own comparison: addresses, networks, mounts, limits, health check, image.
    said = command(host, f"docker compose {where} config --hash {service}").split()[-1]
    require(said == made_of, f"what {files} says now", "an older or another configuration", HINT_DEPLOY)


def test_container_comes_back_by_itself(container: dict[str, Any]) -> None:
    policy = container["HostConfig"]["RestartPolicy"]["Name"]
    require(policy in ("unless-stopped", "always"), "restart: unless-stopped", policy or "none", HINT_BY_HAND)


def test_log_of_the_container_is_bounded(container: dict[str, Any]) -> None:
    log = container["HostConfig"]["LogConfig"]
    bounded = log["Type"] != "json-file" or bool((log.get("Config") or {}).get("max-size"))
    require(bounded, "a max-size of its log", "none", HINT_BY_HAND)


def test_health_check_waits_for_a_slow_start(router: dict[str, Any]) -> None:
    start_period_s = router["Config"]["Healthcheck"].get("StartPeriod", 0) / 1e9
    long_enough = start_period_s >= SHORTEST_START_PERIOD_S
    require(long_enough, f"a start_period of {SHORTEST_START_PERIOD_S} s", f"{start_period_s} s", "router_start_period")


def test_health_check_needs_no_curl_and_bills_nobody(router: dict[str, Any]) -> None:
    test = router["Config"]["Healthcheck"]["Test"]
    sound = test[:2] == ["CMD", "python3"] and "/health/liveliness" in test[-1]
    require(sound, "python3 that asks /health/liveliness, which asks no model", str(test), HINT_BY_HAND)


def test_stop_leaves_time_for_running_streams(router: dict[str, Any]) -> None:
    seconds = router["Config"].get("StopTimeout") or 0
    expected = f"a stop_grace_period of {SHORTEST_STOP_S} s"
    require(seconds >= SHORTEST_STOP_S, expected, f"{seconds} s", "__router_stop_grace_period")


def test_nothing_is_mounted_over_the_programs_of_the_image(router: dict[str, Any]) -> None:
    targets = [mount["Destination"] for mount in router["Mounts"]]
    require("/app" not in targets, "single files below /app", "/app itself is mounted", HINT_BY_HAND)


def test_release_is_mounted_and_cannot_be_written(router: dict[str, Any]) -> None:
    writable = {mount["Destination"]: mount["RW"] for mount in router["Mounts"]}
    missing = ", ".join(sorted(MOUNTED - set(writable)))
    require(not missing, f"mounts of {', '.join(sorted(MOUNTED))}", f"none of {missing}", HINT_BY_HAND)
    open_ones = ", ".join(target for target, may_write in writable.items() if may_write)
    require(not open_ones, "read-only mounts", f"{open_ones} can be written", HINT_BY_HAND)


def test_plugin_in_the_container_is_the_one_of_the_release(host: Host, router: dict[str, Any]) -> None:
    name = router["Name"][1:]
    inside = command(host, f"docker exec {name} sha256sum /app/vibe_router.py").split()[0]
    release = command(host, f"sha256sum {ROUTER_DIR}/current/vibe_router.py").split()[0]
    hint = "the container has another plug-in than the release: ./deploy.sh rollout"
    require(inside == release, f"sha256 {release[:12]}", inside[:12], hint)


def test_plugin_finds_its_package(router: dict[str, Any]) -> None:
    paths = [word for word in router["Config"]["Env"] if word.startswith("PYTHONPATH=")]
    require(paths == ["PYTHONPATH=/app"], "PYTHONPATH=/app", str(paths), HINT_BY_HAND)


def test_router_runs_the_release_that_current_names(host: Host, router: dict[str, Any], about: dict[str, str]) -> None:
    current = command(host, f"readlink {ROUTER_DIR}/current").strip().rsplit("/", 1)[-1]
    running = router["Config"]["Labels"].get("vibe.release", "none")
    about["slot"], about["release"] = router["Name"].rsplit("-", 1)[-1], running
    require(running == current, f"release {current}", running, HINT_DEPLOY)


def test_only_the_serving_slot_runs(host: Host, router: dict[str, Any]) -> None:
    running = command(host, "docker ps --filter name=litellm-vibe-router --format '{{.Names}}'").split()
    serving = router["Name"][1:]
    require(running == [serving], f"{serving} alone", ", ".join(running) or "none", HINT_DEPLOY)


def test_nothing_of_a_rollout_is_left_over(host: Host, router: dict[str, Any]) -> None:
    there = command(host, "docker ps --all --filter name=^litellm-vibe-router --format '{{.Names}}'").split()
    left = ", ".join(name for name in there if name != router["Name"][1:])
    require(not left, f"{router['Name'][1:]} alone", f"also {left}", HINT_DEPLOY)


def test_release_is_complete_and_names_what_runs(host: Host, router: dict[str, Any]) -> None:
    manifest = json.loads(command(host, f"cat {ROUTER_DIR}/current/manifest.json"))
    running = {"release": router["Config"]["Labels"].get("vibe.release"), "image": router["Config"]["Image"]}
    named = {name: manifest.get(name) for name in running}
    require(named == running, f"a manifest that names {running}", str(named), HINT_DEPLOY)
