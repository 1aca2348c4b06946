"""Every host check turns red, and no other, when its fault is planted in a sound host.

The host is a fake with answers recorded on a deployed host; tests/e2e checks real ones.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import verify
import yaml
from deployed_names import BASE_DIR, CONTAINERS, HOOK, ROUTER_DIR
from host import containers, release, suite
from host.context import HostContext, roles_here
from host.local_shell import LocalAnswer
from host.registry import CHECKS, CONTAINER_ROLES
from report.model import FAILED, SKIPPED, Result

ROLES = (*CONTAINER_ROLES, "firewall")
RELEASE, SLOT = "0123456789ab", "litellm-vibe-router-blue"
SECRET = "sk-a-secret-of-twenty"
IMAGE = "litellm-vibe-router/litellm:1.0-0123456789ab"
DISK = "/dev/vda 1000000 300000 700000 {}% /"
STATISTICS = "# pxname,svname,status,\nrouters,a-blue,UP,\nrouters,a-green,MAINT,\nrouters,BACKEND,UP,\n"


def _labels() -> dict[str, str]:
    told = dict.fromkeys(containers.COMPOSE_LABELS, "x") | {"config-hash": "hash-of-it", "version": "2.26.1"}
    return {f"com.docker.compose.{name}": text for name, text in told.items()}


def _container(name: str, user: str) -> dict[str, Any]:
    """Return the parts of a sound container's `docker inspect` output that the checks read."""
    return {
        "Id": f"id-of-{name}",
        "Name": f"/{name}",
        "Image": "sha256:0123456789abcdef",
        "Created": "2026-01-01T00:00:00.000000000Z",
        "RestartCount": 0,
        "State": {
            "Health": {"Status": "healthy", "Log": [{"Output": "well"}]},
            "OOMKilled": False,
            "Restarting": False,
            "FinishedAt": "0001-01-01T00:00:00Z",
        },
        "Config": {"User": user, "Image": IMAGE, "Env": [], "Labels": _labels(), "StopTimeout": 10, "Healthcheck": {}},
        "HostConfig": {
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "CapAdd": None,
            "SecurityOpt": ["no-new-privileges:true"],
            "Privileged": False,
            "Memory": 1 << 30,
            "PidsLimit": 512,
            "RestartPolicy": {"Name": "unless-stopped"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "20m"}},
            "PortBindings": {},
            "PublishAllPorts": False,
        },
        "Mounts": [],
    }


def _redis() -> dict[str, Any]:
    container = _container("vibe-redis", "10002")
    container["HostConfig"]["PortBindings"] = {"6379/tcp": [{"HostIp": "10.0.0.3", "HostPort": "6379"}]}
    return container


def _router() -> dict[str, Any]:
    container = _container(SLOT, "10001:10001")
    container["HostConfig"]["PortBindings"] = {
        "4000/tcp": [{"HostIp": "10.0.0.1", "HostPort": "4101"}],
        "9464/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4201"}],
    }
    container["Config"] |= {
        "Env": ["PYTHONPATH=/app"],
        "Labels": {**_labels(), "vibe.release": RELEASE},
        "StopTimeout": 120,
        "Healthcheck": {
            "StartPeriod": 120 * 10**9,
            "Test": ["CMD", "python3", "-c", "ask('http://127.0.0.1:4000/health/liveliness')"],
        },
    }
    container["Mounts"] = [{"Destination": target, "RW": False} for target in sorted(containers.MOUNTED)]
    return container


def _config() -> dict[str, Any]:
    """Return the parts of a sound config.yaml that the checks read."""
    key = {"api_base": "os.environ/UP_BASE", "api_key": "os.environ/PROVIDER_KEY"}
    return {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {"model": f"openai/{name}", **key},
                "model_info": {"id": name, "input_cost_per_token": 0.1},
            }
            for name in ("pool-chat-mini", "pool-chat-standard")
        ],
        "router_settings": {
            "model_group_alias": {"chat-auto": "pool-chat-standard"},
            "fallbacks": [{"pool-chat-mini": ["pool-chat-standard"]}],
        },
        "litellm_settings": {"callbacks": [HOOK]},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }


SHIPPED = {"vibe_router.py": "aaaa", "vibe/log.py": "aaaa"}


def _listing(without: str = "") -> str:
    """Return the digests of a release's files as the host lists them."""
    return "\n".join(f"aaaa  ./{name}" for name in (*release.RENDERED, *SHIPPED) if name != without)


FAMILY = {"virtual_model": "chat-auto", "cheap_pool": "pool-chat-mini", "strong_pool": "pool-chat-standard"}
SECRETS = {"UP_BASE": "http://upstream/v1", "PROVIDER_KEY": SECRET, "LITELLM_MASTER_KEY": "sk-a-master-key-of-it"}


@dataclass(eq=False)
class World:
    """A sound host; a fault changes something in it."""

    inspected: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            SLOT: _router(),
            "vibe-redis": _redis(),
            "vibe-gateway": _container("vibe-gateway", "10003"),
            "vibe-stub-upstream": _container("vibe-stub-upstream", "10004"),
        }
    )
    # A path -> its mode and its user, as stat prints them.
    files: dict[str, str] = field(
        default_factory=lambda: {
            f"{BASE_DIR}/gateway/run": "700 0",
            f"{ROUTER_DIR}/current/secrets.json": "400 10001",
            f"{BASE_DIR}/redis/redis.conf": "400 0",
            f"{BASE_DIR}/redis/password": "400 0",
        }
    )
    config: Any = field(default_factory=_config)
    families: dict[str, Any] = field(default_factory=lambda: {"chat": copy.deepcopy(FAMILY)})
    # The beginning of a command -> its output; None: it fails.
    answers: dict[str, str | None] = field(
        default_factory=lambda: {
            "true": "",
            "date": str(round(time.time())),
            "docker events": "",
            "nft": "    tcp dport { 4101, 4102 } ip saddr 10.0.0.1 accept\n    tcp dport { 4101, 6379 } drop",
            f"readlink {ROUTER_DIR}/serving": "slots/blue.env",
            f"readlink {ROUTER_DIR}/current": f"releases/{RELEASE}",
            f"docker exec {SLOT} sha256sum": "aaaa  /app/vibe_router.py",
            "sha256sum": "aaaa  vibe_router.py",
            "docker ps --all": SLOT,
            "docker ps": SLOT,
            "docker image inspect": "sha256:0123456789abcdef",
            "docker info": "/var/lib/docker",
            "df": f"Filesystem\n{DISK.format(30)}",
            f"cat {ROUTER_DIR}/current/manifest.json": json.dumps(
                {"release": RELEASE, "image": IMAGE, "files": SHIPPED}
            ),
            f"cat {ROUTER_DIR}/current/secrets.json": json.dumps(SECRETS),
            f"cd {ROUTER_DIR}/current && find": _listing(),
            f"docker exec {SLOT} python3 -B -c": "",
            f"docker exec {SLOT} python3 -B /app/vibe_router.py check-routes": "",
            "docker version": "26.1.5",
            "docker compose --project-name": "service hash-of-it",
            "docker compose": "2.26.1-4",
            "cat /etc/docker/daemon.json": '{"log-opts": {"max-size": "20m"}}',
            "python3 -c": STATISTICS,
            "docker exec vibe-gateway haproxy": "",
            "docker exec vibe-redis redis-cli ping": "NOAUTH Authentication required.",
            "ping": "PONG",
            "config get appendonly": "appendonly\nyes",
            "config get maxmemory": "maxmemory\n268435456",
            "docker logs": "a line",
            "cat /proc": "/usr/sbin/dockerd -H fd:// haproxy -W",
        }
    )

    def run(self, command: str) -> LocalAnswer:
        """Answer a command as a host would."""
        if found := re.fullmatch(r"docker inspect (\S+)", command):
            if found[1] not in self.inspected:
                return LocalAnswer(1, "", f"No such object: {found[1]}")
            return LocalAnswer(0, json.dumps([self.inspected[found[1]]]), "")
        if found := re.fullmatch(r"stat --format '%a %u' (\S+)", command):
            return LocalAnswer(0, self.files[found[1]], "")
        if command == f"cat {ROUTER_DIR}/current/config.yaml":
            return LocalAnswer(0, yaml.safe_dump(self.config), "")
        if command == f"cat {ROUTER_DIR}/current/vibe_routes.json":
            return LocalAnswer(0, json.dumps({"families": self.families}), "")
        for known, said in self.answers.items():
            if command.startswith(known) or (command.endswith(known) and "REDISCLI_AUTH" in command):
                return LocalAnswer(1, "", "it failed") if said is None else LocalAnswer(0, said, "")
        raise AssertionError(f"the made-up host does not know: {command}")


def _results(world: World, roles: tuple[str, ...] = ROLES) -> list[tuple[str, Result]]:
    """Return the name and the result of each check of a host."""
    host = HostContext(world, "local", roles)
    return [(check.function.__name__, suite.run_check(check, host)) for check in suite.checks_of(roles)]


def _red(world: World) -> dict[str, Result]:
    """Return the checks that fail on a host."""
    return {name: result for name, result in _results(world) if result.verdict == FAILED}


def _in(name: str, *path: str, to: Any) -> Callable[[World], None]:
    """Return a fault that changes a value of a container's `docker inspect` output."""

    def plant(world: World) -> None:
        node = world.inspected[name]
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = to

    return plant


def _says(command: str, said: str | None) -> Callable[[World], None]:
    return lambda world: world.answers.update({command: said})


def _mode(path: str, mode: int, uid: int = 0) -> Callable[[World], None]:
    return lambda world: world.files.update({path: f"{mode:o} {uid}"})


def _configured(*path: Any, to: Any) -> Callable[[World], None]:
    """Return a fault that changes a value of config.yaml."""

    def plant(world: World) -> None:
        node = world.config
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = to

    return plant


def _mounts(*mounts: tuple[str, bool]) -> Callable[[World], None]:
    return _in(SLOT, "Mounts", to=[{"Destination": target, "RW": writable} for target, writable in mounts])


FIRST = ("model_list", 0)
WHOLE = tuple((target, False) for target in sorted(containers.MOUNTED))
NOTHING_PUBLISHED = "container_publishes_only_expected_ports"
NO_PRIVILEGES = "container_has_no_capabilities_and_can_gain_none"
LIMITED = "container_is_limited_in_memory_and_processes"

# Fault -> how it is planted, the check that must fail, and a word of its message.
FAULTS: dict[str, tuple[Callable[[World], None], str, str]] = {
    "slot unhealthy": (_in(SLOT, "State", "Health", "Status", to="unhealthy"), "container_is_healthy", SLOT),
    "slot starting": (_in(SLOT, "State", "Health", "Status", to="starting"), "container_is_healthy", "starting"),
    "Redis without a health check": (_in("vibe-redis", "State", "Health", to=None), "container_is_healthy", "without"),
    "gateway unhealthy": (
        _in("vibe-gateway", "State", "Health", "Status", to="unhealthy"),
        "container_is_healthy",
        "vibe-gateway",
    ),
    "killed for want of memory": (
        _in(SLOT, "State", "OOMKilled", to=True),
        "container_does_not_keep_crashing",
        "memory limit",
    ),
    "restart loop": (
        _in("vibe-redis", "RestartCount", to=100000),
        "container_does_not_keep_crashing",
        "again and again",
    ),
    "gateway runs as root": (_in("vibe-gateway", "Config", "User", to=""), "container_does_not_run_as_root", "not 0"),
    "Redis runs as a name": (
        _in("vibe-redis", "Config", "User", to="redis"),
        "container_does_not_run_as_root",
        "redis",
    ),
    "gateway runs as 0": (_in("vibe-gateway", "Config", "User", to="0:0"), "container_does_not_run_as_root", "'0'"),
    "root file system is writable": (
        _in(SLOT, "HostConfig", "ReadonlyRootfs", to=False),
        "container_has_a_read_only_root_file_system",
        "writable",
    ),
    "capabilities kept": (_in(SLOT, "HostConfig", "CapDrop", to=None), NO_PRIVILEGES, "dropped are None"),
    "a capability added": (_in("vibe-gateway", "HostConfig", "CapAdd", to=["NET_ADMIN"]), NO_PRIVILEGES, "NET_ADMIN"),
    "new privileges possible": (_in("vibe-redis", "HostConfig", "SecurityOpt", to=None), NO_PRIVILEGES, "no-new"),
    "privileged": (_in("vibe-redis", "HostConfig", "Privileged", to=True), NO_PRIVILEGES, "privileged"),
    "a foreign port published": (
        _in("vibe-gateway", "HostConfig", "PortBindings", to={"8404/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8404"}]}),
        NOTHING_PUBLISHED,
        "8404/tcp is published",
    ),
    # On a network address it would be a fault of the firewall too.
    "the slot's counters elsewhere": (
        _in(SLOT, "HostConfig", "PortBindings", to={"9464/tcp": [{"HostIp": "127.0.0.5", "HostPort": "4201"}]}),
        NOTHING_PUBLISHED,
        "the counters are published on 127.0.0.5",
    ),
    "every port published": (_in(SLOT, "HostConfig", "PublishAllPorts", to=True), NOTHING_PUBLISHED, "every port of"),
    "no memory limit": (_in(SLOT, "HostConfig", "Memory", to=0), LIMITED, "none for Memory"),
    "no limit of processes": (_in("vibe-redis", "HostConfig", "PidsLimit", to=None), LIMITED, "PidsLimit"),
    "no start_period": (
        _in(SLOT, "Config", "Healthcheck", "StartPeriod", to=0),
        "health_check_waits_for_a_slow_start",
        "router_start_period",
    ),
    "health check by curl": (
        _in(SLOT, "Config", "Healthcheck", "Test", to=["CMD-SHELL", "curl localhost:4000/health"]),
        "health_check_calls_no_model",
        "curl",
    ),
    "health check asks models": (
        _in(SLOT, "Config", "Healthcheck", "Test", to=["CMD", "python3", "-c", "ask('/health')"]),
        "health_check_calls_no_model",
        "asks no model",
    ),
    "no time to finish streams": (
        _in(SLOT, "Config", "StopTimeout", to=10),
        "stop_leaves_time_for_open_streams",
        "__router_stop_grace_period",
    ),
    "/app mounted over": (
        _mounts(*WHOLE, ("/app", False)),
        "nothing_is_mounted_over_the_programs_of_the_image",
        "/app itself",
    ),
    "configuration not mounted": (
        _mounts(*(mount for mount in WHOLE if mount[0] != "/app/config.yaml")),
        "release_is_mounted_and_cannot_be_written",
        "none of /app/config.yaml",
    ),
    "plug-in can be written": (
        _mounts(*(mount for mount in WHOLE if mount[0] != "/app/vibe_router.py"), ("/app/vibe_router.py", True)),
        "release_is_mounted_and_cannot_be_written",
        "/app/vibe_router.py can be written",
    ),
    "another plug-in in the container": (
        _says(f"docker exec {SLOT} sha256sum", "bbbb  /app/vibe_router.py"),
        "container_has_the_plugin_of_the_release",
        "bbbb",
    ),
    "slot does not run": (
        _says(f"docker exec {SLOT} sha256sum", None),
        "container_has_the_plugin_of_the_release",
        "exit code 1",
    ),
    "package is not found": (_in(SLOT, "Config", "Env", to=[]), "plugin_finds_its_package", "PYTHONPATH=/app"),
    "two slots run": (
        _says("docker ps", f"{SLOT}\nlitellm-vibe-router-green"),
        "only_the_serving_slot_runs",
        "litellm-vibe-router-green",
    ),
    "manifest of another image": (
        _says(f"cat {ROUTER_DIR}/current/manifest.json", json.dumps({"release": RELEASE, "image": "other"})),
        "manifest_names_what_runs",
        "other",
    ),
    "current names another release": (
        _says(f"readlink {ROUTER_DIR}/current", "releases/ffffffffffff"),
        "router_runs_the_release_that_current_names",
        "ffffffffffff",
    ),
    "old engine": (_says("docker version", "19.3.8"), "engine_is_recent_enough", "docker_package_source"),
    "old Compose": (_says("docker compose", "v2.10.0"), "compose_is_recent_enough", "docker_package_source"),
    "no Compose": (_says("docker compose", None), "compose_is_recent_enough", "exit code 1"),
    "logs grow for ever": (
        _says("cat /etc/docker/daemon.json", "{}"),
        "engine_rotates_container_logs",
        "docker_log_max_size",
    ),
    "slot in maintenance": (
        _says("python3 -c", STATISTICS.replace("a-blue,UP", "a-blue,MAINT")),
        "every_router_host_has_a_slot_in_service",
        "a-blue MAINT",
    ),
    "one host down": (
        _says("python3 -c", f"{STATISTICS}routers,b-blue,DOWN,\nrouters,b-green,MAINT,\n"),
        "every_router_host_has_a_slot_in_service",
        "b-blue DOWN",
    ),
    "gateway knows no slot": (
        _says("python3 -c", "# pxname,svname,status,\n"),
        "every_router_host_has_a_slot_in_service",
        "gateway_servers",
    ),
    "admin socket is silent": (_says("python3 -c", None), "every_router_host_has_a_slot_in_service", "exit code 1"),
    "admin socket is for all": (
        _mode(f"{BASE_DIR}/gateway/run", 0o755),
        "only_the_gateway_can_use_its_admin_socket",
        "0755",
    ),
    "configuration of the gateway is broken": (
        _says("docker exec vibe-gateway haproxy", None),
        "gateway_configuration_is_valid",
        "exit code 1",
    ),
    "Redis asks for no password": (
        _says("docker exec vibe-redis redis-cli ping", "PONG"),
        "redis_requires_a_password",
        "PONG",
    ),
    "Redis has another password": (_says("ping", "WRONGPASS"), "redis_answers_with_its_password", "WRONGPASS"),
    "Redis forgets": (
        _says("config get appendonly", "appendonly\nno"),
        "redis_saves_to_disk",
        "appendonly no",
    ),
    "Redis without a limit": (
        _says("config get maxmemory", "maxmemory\n0"),
        "redis_has_a_memory_limit",
        "redis_maxmemory",
    ),
    "Redis is open to all": (
        _in("vibe-redis", "HostConfig", "PortBindings", to={"6379/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6379"}]}),
        "redis_is_published_on_one_address_at_most",
        "redis_publish_address",
    ),
    "Redis is published without an address": (
        _in("vibe-redis", "HostConfig", "PortBindings", to={"6379/tcp": [{"HostIp": "", "HostPort": "6379"}]}),
        "redis_is_published_on_one_address_at_most",
        "every address",
    ),
    "secret in the environment": (
        _in(SLOT, "Config", "Env", to=["PYTHONPATH=/app", f"PROVIDER_KEY={SECRET}"]),
        "containers_show_no_secret",
        "PROVIDER_KEY",
    ),
    "secret's name in the environment": (
        _in("vibe-gateway", "Config", "Env", to=["STATS_PASSWORD=short"]),
        "containers_show_no_secret",
        "STATS_PASSWORD",
    ),
    "secret in a log": (_says("docker logs", f"asked with {SECRET}"), "logs_show_no_secret", "PROVIDER_KEY"),
    "secret in the process list": (
        _says("cat /proc", f"dockerd curl -H {SECRET}"),
        "process_list_shows_no_secret",
        "PROVIDER_KEY",
    ),
    "secrets are readable": (
        _mode(f"{ROUTER_DIR}/current/secrets.json", 0o444, 10001),
        "only_the_router_can_read_its_secrets",
        "0444",
    ),
    "secrets are another's": (
        _mode(f"{ROUTER_DIR}/current/secrets.json", 0o400, 0),
        "only_the_router_can_read_its_secrets",
        "user 0",
    ),
    "password of Redis is readable": (
        _mode(f"{BASE_DIR}/redis/password", 0o644),
        "only_redis_can_read_its_password",
        "redis/password",
    ),
    "rules are gone": (_says("nft", None), "firewall_limits_published_ports_to_hosts_that_need_them", "it failed"),
    "a port is for everybody": (
        _says("nft", "tcp dport { 4101, 4102 } drop\ntcp dport 6379 accept"),
        "firewall_limits_published_ports_to_hosts_that_need_them",
        "none for 6379",
    ),
    "disk is full": (_says("df", f"Filesystem\n{DISK.format(97)}"), "disks_have_room", "/ is 97 % full"),
    "clock is wrong": (
        _says("date", str(round(time.time()) - 3600)),
        "clock_agrees_with_the_control_node",
        "s apart",
    ),
    "image was made again": (
        _in("vibe-redis", "Image", to="sha256:ffffffffffffffff"),
        "container_runs_the_image_that_its_tag_names",
        "sha256:ffffffffffff",
    ),
    "compose file was edited": (
        _says("docker compose --project-name", "service another-hash"),
        "container_matches_its_compose_file",
        "another configuration",
    ),
    "container was made by hand": (
        _in("vibe-redis", "Config", "Labels", to={}),
        "container_matches_its_compose_file",
        "made by hand",
    ),
    "stays down after a crash": (
        _in("vibe-gateway", "HostConfig", "RestartPolicy", "Name", to=""),
        "container_restarts_by_itself",
        "unless-stopped",
    ),
    "log grows for ever": (
        _in(SLOT, "HostConfig", "LogConfig", "Config", to={}),
        "log_of_the_container_is_limited_in_size",
        "max-size",
    ),
    "a validation is left over": (
        _says("docker ps --all", f"{SLOT}\nlitellm-vibe-router-validate-0123"),
        "nothing_is_left_of_a_rollout",
        "validate-0123",
    ),
    **{
        f"release without {name}": (
            _says(f"cd {ROUTER_DIR}/current && find", _listing(without=name)),
            "release_is_complete",
            f"no {name}",
        )
        for name in (*release.RENDERED, *SHIPPED)
    },
    "file of the release was changed": (
        _says(f"cd {ROUTER_DIR}/current && find", _listing().replace("aaaa  ./vibe/log.py", "bbbb  ./vibe/log.py")),
        "release_is_complete",
        "vibe/log.py was changed",
    ),
    "deployment without a model": (
        _configured(*FIRST, "litellm_params", "model", to=""),
        "every_deployment_names_its_model",
        "pool-chat-mini",
    ),
    "hook not registered": (
        _configured("litellm_settings", to={}),
        "hook_is_registered_in_litellm_settings",
        "callbacks is []",
    ),
    "hook registered in the wrong place": (
        _configured("general_settings", "callbacks", to=[HOOK]),
        "hook_is_registered_in_litellm_settings",
        "general_settings.callbacks is set",
    ),
    "deployment with a tier": (
        _configured(*FIRST, "model_info", "tier", to="standard"),
        "no_deployment_has_a_tier",
        "pool-chat-mini",
    ),
    "shell variable": (
        _configured(*FIRST, "litellm_params", "organization", to="${ORG}"),
        "configuration_has_no_shell_variables",
        "model_list[0].litellm_params.organization",
    ),
    "key in clear text": (
        _configured(*FIRST, "litellm_params", "api_key", to=SECRET),
        "configuration_refers_to_secrets",
        "model_list[0].litellm_params.api_key",
    ),
    "reference without a value": (
        _says(f"cat {ROUTER_DIR}/current/secrets.json", json.dumps(SECRETS | {"UP_BASE": ""})),
        "every_reference_has_a_value",
        "UP_BASE",
    ),
    "broken plug-in": (
        _says(f"docker exec {SLOT} python3 -B -c", None),
        "every_file_of_the_plugin_compiles",
        "it failed",
    ),
    "routes refused": (
        _says(f"docker exec {SLOT} python3 -B /app/vibe_router.py check-routes", None),
        "plugin_accepts_its_routes",
        "it failed",
    ),
    "route to an unknown pool": (
        lambda world: world.families["chat"].update(cheap_pool="pool-nope"),
        "routes_lead_to_configured_pools",
        "chat.cheap_pool is pool-nope",
    ),
    "virtual model without an alias": (
        _configured("router_settings", "model_group_alias", to={}),
        "virtual_models_are_aliases_of_pools",
        "chat-auto leads to None",
    ),
    "fallback to an unknown pool": (
        _configured("router_settings", "fallbacks", to=[{"pool-a": []}]),
        "fallbacks_lead_to_configured_pools",
        "pool-a in fallbacks",
    ),
    "host is away": (_says("true", None), "host_answers", "it failed"),
}


def test_a_sound_host_has_nothing_red() -> None:
    assert _red(World()) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_turns_its_check_red_and_no_other(fault: str) -> None:
    plant, check, word = FAULTS[fault]
    world = World()
    plant(world)
    red = _red(world)
    assert set(red) == {check}
    shown = f"{red[check].expected} {red[check].found} {red[check].hint}"
    assert word in shown
    assert SECRET not in shown
    assert red[check].hint


def test_digests_of_two_versions_of_compose_are_not_compared() -> None:
    world = World()
    world.answers |= {"docker compose --project-name": "service another-hash", "docker compose": "2.40.3"}
    skipped = {name for name, result in _results(world) if result.verdict == SKIPPED}
    assert (_red(world), skipped) == ({}, {"container_matches_its_compose_file"})


def test_a_host_that_does_not_answer_is_one_failure_and_no_more() -> None:
    world = World()
    world.answers["true"] = None
    (first, others) = (_results(world)[0], _results(world)[1:])
    assert (first[0], first[1].verdict, {result.verdict for _, result in others}) == (
        "host_answers", FAILED, {SKIPPED},
    )  # fmt: skip


def test_a_host_that_is_leaving_is_not_asked_for_a_folder_that_it_no_longer_has() -> None:
    world = World()
    # First, because the fake host takes the first answer that fits.
    world.answers = {f"df -Pk /var/lib/docker {BASE_DIR}": None, **world.answers}
    results = dict(_results(world, ("docker", "images")))
    assert {name for name, result in results.items() if result.verdict == FAILED} == set()
    assert "disks_have_room" in results


def test_an_error_of_a_check_is_a_failure_and_quotes_nothing() -> None:
    world = World()
    world.answers["docker version"] = SECRET
    red = _red(world)
    assert set(red) == {"engine_is_recent_enough"}
    assert SECRET not in str(red)


def test_every_check_has_a_fault() -> None:
    assert {check.function.__name__ for check in CHECKS} == {check for _, check, _ in FAULTS.values()}


def test_roles_are_known_by_what_was_deployed() -> None:
    class Shell:
        def run(self, command: str) -> LocalAnswer:
            here = "test -L" in command or CONTAINERS["redis"] in command
            return LocalAnswer(0 if here else 1, "", "")

    assert roles_here(Shell()) == ("router", "redis")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A sound host that verify.py takes for this one."""
    sound = World()
    monkeypatch.setattr(verify, "LocalShell", lambda: sound)
    return sound


def test_script_reports_what_fails_and_no_secret(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.inspected["vibe-gateway"]["Config"]["Env"] = [f"OPENAI_API_KEY={SECRET}"]
    assert verify.main(["--json", "-", "--roles", *ROLES]) == 1
    shown = capsys.readouterr()
    failed = [result for result in json.loads(shown.out)["results"] if result["verdict"] == FAILED]
    assert [result["check"] for result in failed] == ["Containers show no secret (gateway)"]
    assert all(failed[0][key] for key in ("expected", "found", "hint"))
    assert SECRET not in shown.out + shown.err


def test_script_passes_a_sound_host(world: World, tmp_path: Path) -> None:
    assert verify.main(["--junit", str(tmp_path / "new/junit.xml"), "--roles", *ROLES]) == 0
    assert "<testsuite" in (tmp_path / "new/junit.xml").read_text(encoding="utf-8")


def test_nothing_deployed_is_not_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        def run(self, _command: str) -> LocalAnswer:
            return LocalAnswer(1, "", "")

    monkeypatch.setattr(verify, "LocalShell", Empty)
    assert verify.main([]) == 1


def test_script_needs_no_package(tmp_path: Path) -> None:
    # -S: without the packages of this Python, as on a host that has none.
    command = [sys.executable, "-B", "-S", verify.__file__, "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
