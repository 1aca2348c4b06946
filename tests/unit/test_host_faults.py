"""Every host check turns red, and no other, when its fault is planted in a sound host.

The host is a made-up one that answers the checks' commands; tests/e2e asks real ones. What it answers was taken from a
deployed host.
"""

from __future__ import annotations

import inspect
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from deployed_names import BASE_DIR, CONTAINERS, ROUTER_DIR
from host import (
    on_host,
    test_answers,
    test_containers,
    test_engine,
    test_firewall,
    test_gateway,
    test_host,
    test_redis,
    test_secrets,
)
from report.model import CheckFailedError

MODULES: tuple[ModuleType, ...] = (
    test_answers,
    test_containers,
    test_engine,
    test_firewall,
    test_gateway,
    test_host,
    test_redis,
    test_secrets,
)
RELEASE, SLOT = "0123456789ab", "litellm-vibe-router-blue"
SECRET = "sk-a-secret-of-twenty"
IMAGE = "litellm-vibe-router/litellm:1.0-0123456789ab"
DISK = "/dev/vda 1000000 300000 700000 {}% /"
STATISTICS = "# pxname,svname,status,\nrouters,a-blue,UP,\nrouters,a-green,MAINT,\nrouters,BACKEND,UP,\n"


def _labels() -> dict[str, str]:
    told = dict.fromkeys(test_containers.COMPOSE_LABELS, "x") | {"config-hash": "hash-of-it", "version": "2.26.1"}
    return {f"com.docker.compose.{name}": text for name, text in told.items()}


def _container(name: str, user: str) -> dict[str, Any]:
    """Return what `docker inspect` says of a sound container, as far as the checks look."""
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
    container["Mounts"] = [{"Destination": target, "RW": False} for target in sorted(test_containers.MOUNTED)]
    return container


@dataclass
class _Answer:
    rc: int
    stdout: str
    stderr: str = ""


@dataclass
class _File:
    mode: int
    uid: int = 0


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
    files: dict[str, _File] = field(
        default_factory=lambda: {
            f"{BASE_DIR}/gateway/run": _File(0o700),
            f"{ROUTER_DIR}/current/secrets.json": _File(0o400, 10001),
            f"{BASE_DIR}/redis/redis.conf": _File(0o400),
            f"{BASE_DIR}/redis/password": _File(0o400),
        }
    )
    # The beginning of a command -> what it prints; None: it fails.
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
            f"cat {ROUTER_DIR}/current/manifest.json": json.dumps({"release": RELEASE, "image": IMAGE}),
            f"cat {ROUTER_DIR}/current/secrets.json": json.dumps({"PROVIDER_KEY": SECRET}),
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

    def run(self, command: str) -> _Answer:
        """Answer a command as a host would."""
        if found := re.fullmatch(r"docker inspect (\S+)", command):
            if found[1] not in self.inspected:
                return _Answer(1, "", f"No such object: {found[1]}")
            return _Answer(0, json.dumps([self.inspected[found[1]]]))
        if command.startswith("docker inspect --format"):
            return _Answer(0, json.dumps(self.inspected["vibe-redis"]["HostConfig"]["PortBindings"]))
        for known, said in self.answers.items():
            if command.startswith(known) or (command.endswith(known) and "REDISCLI_AUTH" in command):
                return _Answer(1, "", "it failed") if said is None else _Answer(0, said)
        raise AssertionError(f"the made-up host does not know: {command}")

    def file(self, path: str) -> _File:
        """Return a file's mode and owner."""
        return self.files[path]


def _arguments(check: Callable[..., None], world: World) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each case of a check, as its fixtures would give them."""
    names = inspect.signature(check).parameters
    given: dict[str, Any] = {"host": world, "notes": [], "about": {}}
    if "secrets" in names:
        given["secrets"] = json.loads(world.answers[f"cat {ROUTER_DIR}/current/secrets.json"] or "{}")
    if "router" in names:
        given["router"] = world.inspected[SLOT]
    many: list[dict[str, Any]] = [{}]
    if "role" in names or "container" in names:
        roles = ("router", *CONTAINERS)
        many = [{"role": role, "container": world.inspected[on_host.container_name(world, role)]} for role in roles]
    elif "name" in names:
        many = [{"name": name} for name in ("redis.conf", "password")]
    for more in many:
        yield {name: value for name, value in {**given, **more}.items() if name in names}


def _red(world: World) -> dict[str, CheckFailedError]:
    """Return the checks that fail on a host, with their messages."""
    red: dict[str, CheckFailedError] = {}
    for module in MODULES:
        for name, check in vars(module).items():
            if not name.startswith("test_"):
                continue
            for arguments in _arguments(check, world):
                try:
                    check(**arguments)
                except pytest.skip.Exception:
                    continue
                except CheckFailedError as failure:
                    red[name.removeprefix("test_")] = failure
    return red


def _in(name: str, *path: str, to: Any) -> Callable[[World], None]:
    """Return a fault: a value of a container's inspection is another."""

    def plant(world: World) -> None:
        node = world.inspected[name]
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = to

    return plant


def _says(command: str, said: str | None) -> Callable[[World], None]:
    return lambda world: world.answers.update({command: said})


def _mode(path: str, mode: int, uid: int = 0) -> Callable[[World], None]:
    return lambda world: world.files.update({path: _File(mode, uid)})


def _mounts(*mounts: tuple[str, bool]) -> Callable[[World], None]:
    return _in(SLOT, "Mounts", to=[{"Destination": target, "RW": writable} for target, writable in mounts])


WHOLE = tuple((target, False) for target in sorted(test_containers.MOUNTED))
NOTHING_PUBLISHED = "container_publishes_nothing_that_nobody_asks_for"
NO_PRIVILEGES = "container_has_no_capabilities_and_can_gain_none"
LIMITED = "container_is_limited_in_memory_and_processes"

# What is wrong with the host, the check that must say so, and a word that its message must have.
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
        "container_cannot_write_its_root",
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
    # On an address of the network it is a fault of the rules too.
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
        "health_check_needs_no_curl_and_bills_nobody",
        "curl",
    ),
    "health check asks models": (
        _in(SLOT, "Config", "Healthcheck", "Test", to=["CMD", "python3", "-c", "ask('/health')"]),
        "health_check_needs_no_curl_and_bills_nobody",
        "asks no model",
    ),
    "no time to finish streams": (
        _in(SLOT, "Config", "StopTimeout", to=10),
        "stop_leaves_time_for_running_streams",
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
        "plugin_in_the_container_is_the_one_of_the_release",
        "bbbb",
    ),
    "slot does not run": (
        _says(f"docker exec {SLOT} sha256sum", None),
        "plugin_in_the_container_is_the_one_of_the_release",
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
        "release_is_complete_and_names_what_runs",
        "other",
    ),
    "current names another release": (
        _says(f"readlink {ROUTER_DIR}/current", "releases/ffffffffffff"),
        "router_runs_the_release_that_current_names",
        "ffffffffffff",
    ),
    "old engine": (_says("docker version", "19.3.8"), "engine_answers_and_is_20_10_or_newer", "docker_package_source"),
    "old Compose": (_says("docker compose", "v2.10.0"), "compose_is_2_26_or_newer", "docker_package_source"),
    "no Compose": (_says("docker compose", None), "compose_is_2_26_or_newer", "exit code 1"),
    "logs grow for ever": (
        _says("cat /etc/docker/daemon.json", "{}"),
        "logs_of_containers_are_rotated",
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
        "runtime_socket_is_for_the_gateway_alone",
        "0755",
    ),
    "configuration of the gateway is broken": (
        _says("docker exec vibe-gateway haproxy", None),
        "configuration_in_place_is_valid",
        "exit code 1",
    ),
    "Redis asks for no password": (
        _says("docker exec vibe-redis redis-cli ping", "PONG"),
        "redis_demands_its_password",
        "PONG",
    ),
    "Redis has another password": (_says("ping", "WRONGPASS"), "redis_answers_with_its_password", "WRONGPASS"),
    "Redis forgets": (
        _says("config get appendonly", "appendonly\nno"),
        "redis_writes_what_it_is_given",
        "appendonly no",
    ),
    "Redis without a limit": (
        _says("config get maxmemory", "maxmemory\n0"),
        "redis_has_a_memory_limit",
        "redis_maxmemory",
    ),
    "Redis is open to all": (
        _in("vibe-redis", "HostConfig", "PortBindings", to={"6379/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6379"}]}),
        "redis_is_published_nowhere_or_on_one_address",
        "redis_publish_address",
    ),
    "Redis is published without an address": (
        _in("vibe-redis", "HostConfig", "PortBindings", to={"6379/tcp": [{"HostIp": "", "HostPort": "6379"}]}),
        "redis_is_published_nowhere_or_on_one_address",
        "every address",
    ),
    "secret in the environment": (
        _in(SLOT, "Config", "Env", to=["PYTHONPATH=/app", f"PROVIDER_KEY={SECRET}"]),
        "containers_show_no_secret",
        "PROVIDER_KEY",
    ),
    "secret in a log": (_says("docker logs", f"asked with {SECRET}"), "logs_show_no_secret", "PROVIDER_KEY"),
    "secret in the process list": (
        _says("cat /proc", f"dockerd curl -H {SECRET}"),
        "process_list_shows_no_secret",
        "PROVIDER_KEY",
    ),
    "secrets are readable": (
        _mode(f"{ROUTER_DIR}/current/secrets.json", 0o444, 10001),
        "secrets_of_the_router_belong_to_its_user_alone",
        "0444",
    ),
    "secrets are another's": (
        _mode(f"{ROUTER_DIR}/current/secrets.json", 0o400, 0),
        "secrets_of_the_router_belong_to_its_user_alone",
        "user 0",
    ),
    "password of Redis is readable": (
        _mode(f"{BASE_DIR}/redis/password", 0o644),
        "password_of_redis_belongs_to_its_user_alone",
        "redis/password",
    ),
    "rules are gone": (_says("nft", None), "what_is_published_is_kept_to_those_who_need_it", "it failed"),
    "a port is for everybody": (
        _says("nft", "tcp dport { 4101, 4102 } drop\ntcp dport 6379 accept"),
        "what_is_published_is_kept_to_those_who_need_it",
        "none for 6379",
    ),
    "disk is full": (_says("df", f"Filesystem\n{DISK.format(97)}"), "there_is_room_on_the_disk", "/ is 97 % full"),
    "clock is wrong": (
        _says("date", str(round(time.time()) - 3600)),
        "clock_is_that_of_the_control_node",
        "s apart",
    ),
    "image was made again": (
        _in("vibe-redis", "Image", to="sha256:ffffffffffffffff"),
        "container_is_made_of_the_image_that_its_name_means_now",
        "sha256:ffffffffffff",
    ),
    "compose file was edited": (
        _says("docker compose --project-name", "service another-hash"),
        "container_is_as_its_compose_file_says",
        "another configuration",
    ),
    "container was made by hand": (
        _in("vibe-redis", "Config", "Labels", to={}),
        "container_is_as_its_compose_file_says",
        "made by hand",
    ),
    "stays down after a crash": (
        _in("vibe-gateway", "HostConfig", "RestartPolicy", "Name", to=""),
        "container_comes_back_by_itself",
        "unless-stopped",
    ),
    "log grows for ever": (
        _in(SLOT, "HostConfig", "LogConfig", "Config", to={}),
        "log_of_the_container_is_bounded",
        "max-size",
    ),
    "a validation is left over": (
        _says("docker ps --all", f"{SLOT}\nlitellm-vibe-router-validate-0123"),
        "nothing_of_a_rollout_is_left_over",
        "validate-0123",
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
    assert word in str(red[check])
    assert SECRET not in str(red[check])
    assert red[check].hint


def test_digests_of_two_versions_of_compose_are_not_compared() -> None:
    world = World()
    world.answers |= {"docker compose --project-name": "service another-hash", "docker compose": "2.40.3"}
    assert _red(world) == {}


def test_a_host_that_is_leaving_is_not_asked_for_a_folder_that_it_no_longer_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(test_host, "LEAVES", True)
    world = World()
    world.answers[f"df -Pk /var/lib/docker {BASE_DIR}"] = None
    # Asked first, for the made-up host takes the first answer that fits.
    world.answers = dict(sorted(world.answers.items(), reverse=True))
    test_host.test_there_is_room_on_the_disk(world, {})


def test_every_check_has_a_fault() -> None:
    checks = {name.removeprefix("test_") for module in MODULES for name in vars(module) if name.startswith("test_")}
    assert checks == {check for _, check, _ in FAULTS.values()}
