"""The engine is fit for what runs on it."""

import json

from host.on_host import command
from report.model import require
from testinfra.host import Host


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.strip().lstrip("v").split("+")[0].split("-")[0].split(".")[:2])


def test_engine_answers_and_is_20_10_or_newer(host: Host, about: dict[str, str]) -> None:
    version = command(host, "docker version --format '{{.Server.Version}}'").strip()
    about["engine"] = version
    require(_version(version) >= (20, 10), "20.10 or newer", version, "docker_package_source")


def test_compose_is_2_26_or_newer(host: Host, about: dict[str, str]) -> None:
    version = command(host, "docker compose version --short").strip()
    about["compose"] = version
    require(_version(version) >= (2, 26), "2.26 or newer", version, "docker_package_source")


def test_logs_of_containers_are_rotated(host: Host) -> None:
    settings = json.loads(command(host, "cat /etc/docker/daemon.json")).get("log-opts") or {}
    require(bool(settings.get("max-size")), "log-opts.max-size in daemon.json", str(settings), "docker_log_max_size")
