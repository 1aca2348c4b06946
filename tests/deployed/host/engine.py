"""The engine is fit for what runs on it."""

from __future__ import annotations

import json

from report.model import require

from host.context import HostContext
from host.registry import check


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.strip().lstrip("v").split("+")[0].split("-")[0].split(".")[:2])


@check()
def engine_is_recent_enough(host: HostContext) -> None:
    version = host.command("docker version --format '{{.Server.Version}}'").strip()
    host.about["engine"] = version
    require(_version(version) >= (20, 10), "20.10 or newer", version, "docker_package_source")


@check()
def compose_is_recent_enough(host: HostContext) -> None:
    version = host.command("docker compose version --short").strip()
    host.about["compose"] = version
    require(_version(version) >= (2, 26), "2.26 or newer", version, "docker_package_source")


@check()
def engine_rotates_container_logs(host: HostContext) -> None:
    settings = json.loads(host.command("cat /etc/docker/daemon.json")).get("log-opts") or {}
    require(bool(settings.get("max-size")), "log-opts.max-size in daemon.json", str(settings), "docker_log_max_size")
