"""The engine is fit for what runs on it."""

import json

from host.on_host import command
from testinfra.host import Host


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.strip().lstrip("v").split("+")[0].split("-")[0].split(".")[:2])


def test_engine_answers_and_is_20_10_or_newer(host: Host) -> None:
    version = command(host, "docker version --format '{{.Server.Version}}'")
    assert _version(version) >= (20, 10), f"Docker Engine is {version.strip()}; see docker_package_source"


def test_compose_is_2_26_or_newer(host: Host) -> None:
    version = command(host, "docker compose version --short")
    assert _version(version) >= (2, 26), f"Docker Compose is {version.strip()}; see docker_package_source"


def test_logs_of_containers_are_rotated(host: Host) -> None:
    settings = json.loads(command(host, "cat /etc/docker/daemon.json"))
    assert settings.get("log-opts", {}).get("max-size"), "daemon.json has no log-opts.max-size; see docker_log_max_size"
