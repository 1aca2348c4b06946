"""Every container runs as configured: healthy, and with no more rights than it needs."""

from __future__ import annotations

import json
import re
import unittest

from deployed_names import ROUTER_PREFIX
from report.model import require

from host.context import CURRENT, HINT_BY_HAND, HINT_DEPLOY, HINT_LOG, HostContext
from host.registry import CONTAINER_ROLES, check
from host.restarts import judge_restarts

SHORTEST_START_PERIOD_S = 60
SHORTEST_STOP_S = 60
COMPOSE_LABELS = ("project", "project.working_dir", "project.config_files", "service", "config-hash")
# Ports of a router's slot: its API, for the gateways, and its counters.
COUNTERS, LOOPBACK = "9464/tcp", "127.0.0.1"
PUBLISHED = {"router": {"4000/tcp", COUNTERS}, "redis": {"6379/tcp"}}
MOUNTED = {"/app/config.yaml", "/app/vibe_router.py", "/app/vibe", "/app/vibe_routes.json"}
# The containers of the router's slots, and of the validation before a rollout.
SLOTS = f"--filter name=^{ROUTER_PREFIX}- --format '{{{{.Names}}}}'"


@check(each=CONTAINER_ROLES)
def container_is_healthy(host: HostContext, role: str) -> None:
    container = host.container(role)
    host.about[f"image of {role}"] = f"{container['Config']['Image']} ({container['Image'][:19]})"
    health = container["State"].get("Health") or {"Status": "without a health check"}
    last = " ".join(str((health.get("Log") or [{}])[-1].get("Output", "")).split())
    found = f"{health['Status']}: {last}" if last else health["Status"]
    require(health["Status"] == "healthy", "healthy", found, HINT_LOG.format(name=container["Name"].lstrip("/")))


@check(each=CONTAINER_ROLES)
def container_does_not_keep_crashing(host: HostContext, role: str) -> None:
    container = host.container(role)
    listing = f"docker events --since 24h --until 0s --filter container={container['Id']} --format '{{{{json .}}}}'"
    events = [json.loads(line) for line in host.command(listing).splitlines()]
    now = float(host.command("date +%s"))
    judged = judge_restarts(container, events, now, host.quiet_minutes * 60)
    name = container["Name"].lstrip("/")
    require(
        not judged.fault, f"no restart within {host.quiet_minutes:g} minutes", judged.fault, HINT_LOG.format(name=name)
    )
    if judged.note:
        host.notes.append(judged.note)


@check(each=CONTAINER_ROLES)
def container_does_not_run_as_root(host: HostContext, role: str) -> None:
    user = host.container(role)["Config"]["User"].split(":")[0]
    require(user.isdigit() and int(user) > 0, "a user by number, and not 0", repr(user), HINT_BY_HAND)


@check(each=CONTAINER_ROLES)
def container_has_a_read_only_root_file_system(host: HostContext, role: str) -> None:
    read_only = host.container(role)["HostConfig"]["ReadonlyRootfs"]
    require(read_only is True, "a read-only root file system", "a writable one", HINT_BY_HAND)


@check(each=CONTAINER_ROLES)
def container_has_no_capabilities_and_can_gain_none(host: HostContext, role: str) -> None:
    settings = host.container(role)["HostConfig"]
    faults = {
        f"dropped are {settings['CapDrop']}": settings["CapDrop"] != ["ALL"],
        f"added are {settings['CapAdd']}": bool(settings["CapAdd"]),
        "no-new-privileges is not set": "no-new-privileges:true" not in (settings["SecurityOpt"] or []),
        "it is privileged": settings["Privileged"] is not False,
    }
    found = ", ".join(fault for fault, is_so in faults.items() if is_so)
    require(not found, "all capabilities dropped, none added, no-new-privileges", found, HINT_BY_HAND)


@check(each=CONTAINER_ROLES)
def container_publishes_only_expected_ports(host: HostContext, role: str) -> None:
    container = host.container(role)
    bindings = container["HostConfig"]["PortBindings"] or {}
    foreign = sorted(bindings.keys() - PUBLISHED.get(role, set()))
    open_counters = {each["HostIp"] for each in bindings.get(COUNTERS) or []} - {LOOPBACK}
    faults = [f"{port} is published" for port in foreign]
    faults += [f"the counters are published on {address or 'every address'}" for address in sorted(open_counters)]
    if container["HostConfig"]["PublishAllPorts"]:
        faults.append("every port of the image is published")
    wanted = ", ".join(sorted(PUBLISHED.get(role, set()))) or "no port"
    require(not faults, f"{wanted} published, counters on {LOOPBACK}", ", ".join(faults), HINT_BY_HAND)


@check(each=CONTAINER_ROLES)
def container_is_limited_in_memory_and_processes(host: HostContext, role: str) -> None:
    limits = {name: host.container(role)["HostConfig"][name] for name in ("Memory", "PidsLimit")}
    unlimited = ", ".join(name for name, value in limits.items() if not value or value <= 0)
    require(not unlimited, "limits of memory and processes", f"none for {unlimited}", HINT_BY_HAND)


@check(each=CONTAINER_ROLES)
def container_runs_the_image_that_its_tag_names(host: HostContext, role: str) -> None:
    container = host.container(role)
    name = container["Config"]["Image"]
    image = host.command(f"docker image inspect --format '{{{{.Id}}}}' {name}").strip()
    require(container["Image"] == image, f"{name} is {image[:19]}", container["Image"][:19], HINT_DEPLOY)


@check(each=CONTAINER_ROLES)
def container_matches_its_compose_file(host: HostContext, role: str) -> None:
    labels = host.container(role)["Config"]["Labels"] or {}
    project, folder, files, service, made_of = (labels.get(f"com.docker.compose.{name}") for name in COMPOSE_LABELS)
    require(bool(made_of), "a container that Compose made", "one that was made by hand", HINT_BY_HAND)
    # Distributions add to it, and the label has it without: 2.26.1-4, v2.40.3.
    version = re.search(r"\d+(\.\d+)+", host.shell.run("docker compose version --short").stdout)
    if version is None or version[0] != labels.get("com.docker.compose.version"):
        # ./deploy.sh would not change it: a container that serves as wanted is not recreated.
        raise unittest.SkipTest("another Compose made it, and digests of two versions are not the same")
    environment = labels.get("com.docker.compose.project.environment_file")
    where = f"--project-name {project} --project-directory {folder} --file {files}"
    where += f" --env-file {environment}" if environment else ""
    # Compose's own comparison: addresses, networks, mounts, limits, health check, image.
    said = host.command(f"docker compose {where} config --hash {service}").split()[-1]
    require(said == made_of, f"what {files} says now", "an older or another configuration", HINT_DEPLOY)


@check(each=CONTAINER_ROLES)
def container_restarts_by_itself(host: HostContext, role: str) -> None:
    policy = host.container(role)["HostConfig"]["RestartPolicy"]["Name"]
    require(policy in ("unless-stopped", "always"), "restart: unless-stopped", policy or "none", HINT_BY_HAND)


@check(each=CONTAINER_ROLES)
def log_of_the_container_is_limited_in_size(host: HostContext, role: str) -> None:
    log = host.container(role)["HostConfig"]["LogConfig"]
    bounded = log["Type"] != "json-file" or bool((log.get("Config") or {}).get("max-size"))
    require(bounded, "a max-size of its log", "none", HINT_BY_HAND)


@check("router")
def health_check_waits_for_a_slow_start(host: HostContext) -> None:
    start_period_s = host.router["Config"]["Healthcheck"].get("StartPeriod", 0) / 1e9
    long_enough = start_period_s >= SHORTEST_START_PERIOD_S
    require(long_enough, f"a start_period of {SHORTEST_START_PERIOD_S} s", f"{start_period_s} s", "router_start_period")


@check("router")
def health_check_calls_no_model(host: HostContext) -> None:
    test = host.router["Config"]["Healthcheck"]["Test"]
    sound = test[:2] == ["CMD", "python3"] and "/health/liveliness" in test[-1]
    require(sound, "python3 that asks /health/liveliness, which asks no model", str(test), HINT_BY_HAND)


@check("router")
def stop_leaves_time_for_open_streams(host: HostContext) -> None:
    seconds = host.router["Config"].get("StopTimeout") or 0
    expected = f"a stop_grace_period of {SHORTEST_STOP_S} s"
    require(seconds >= SHORTEST_STOP_S, expected, f"{seconds} s", "__router_stop_grace_period")


@check("router")
def nothing_is_mounted_over_the_programs_of_the_image(host: HostContext) -> None:
    targets = [mount["Destination"] for mount in host.router["Mounts"]]
    require("/app" not in targets, "single files below /app", "/app itself is mounted", HINT_BY_HAND)


@check("router")
def release_is_mounted_and_cannot_be_written(host: HostContext) -> None:
    writable = {mount["Destination"]: mount["RW"] for mount in host.router["Mounts"]}
    missing = ", ".join(sorted(MOUNTED - set(writable)))
    require(not missing, f"mounts of {', '.join(sorted(MOUNTED))}", f"none of {missing}", HINT_BY_HAND)
    open_ones = ", ".join(target for target, may_write in writable.items() if may_write)
    require(not open_ones, "read-only mounts", f"{open_ones} can be written", HINT_BY_HAND)


@check("router")
def container_has_the_plugin_of_the_release(host: HostContext) -> None:
    inside = host.command(f"docker exec {host.serving_container} sha256sum /app/vibe_router.py").split()[0]
    release = host.command(f"sha256sum {CURRENT}/vibe_router.py").split()[0]
    hint = "the container has another plug-in than the release: ./deploy.sh rollout"
    require(inside == release, f"sha256 {release[:12]}", inside[:12], hint)


@check("router")
def plugin_finds_its_package(host: HostContext) -> None:
    paths = [word for word in host.router["Config"]["Env"] if word.startswith("PYTHONPATH=")]
    require(paths == ["PYTHONPATH=/app"], "PYTHONPATH=/app", str(paths), HINT_BY_HAND)


@check("router")
def router_runs_the_release_that_current_names(host: HostContext) -> None:
    current = host.command(f"readlink {CURRENT}").strip().rsplit("/", 1)[-1]
    running = host.router["Config"]["Labels"].get("vibe.release", "none")
    host.about["slot"], host.about["release"] = host.serving_container.rsplit("-", 1)[-1], running
    require(running == current, f"release {current}", running, HINT_DEPLOY)


@check("router")
def only_the_serving_slot_runs(host: HostContext) -> None:
    running = host.command(f"docker ps {SLOTS}").split()
    serving = host.serving_container
    require(running == [serving], f"{serving} alone", ", ".join(running) or "none", HINT_DEPLOY)


@check("router")
def nothing_is_left_of_a_rollout(host: HostContext) -> None:
    there = host.command(f"docker ps --all {SLOTS}").split()
    left = ", ".join(name for name in there if name != host.serving_container)
    require(not left, f"{host.serving_container} alone", f"also {left}", HINT_DEPLOY)
