#!/usr/bin/env python3
"""Prints values for LiteLLM's Helm chart that make it route as a release of this toolkit does.

    .venv/bin/python playbooks/python/chart_values.py /opt/litellm-vibe-router/router/current > vibe-values.yaml
    helm upgrade --install litellm ./litellm-helm -f vibe-values.yaml

The release's folder is that of a router host. Plug-in and routes become a ConfigMap, LiteLLM's configuration the
chart's `proxy_config`; no secret is read: the names that the cluster's Secret needs are printed on standard error.
See docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from vibe_commands.messages import log

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "files"))
from vibe_launch import CLIENT_CHECKS, references

NAME = "vibe-router"
MOUNT_PATH = "/etc/vibe-router"
SHIPPED = ("vibe_router.py", "vibe_routes.json", "vibe")
REDIS_PORT = 6379
# Of Kubernetes for one ConfigMap, in bytes (its documentation, ConfigMaps, Motivation).
MOST_BYTES = 2**20


class ReleaseError(Exception):
    """The folder is not a release, or one that a ConfigMap cannot hold; the message says what is wrong and the fix."""


def shipped(release: Path) -> dict[str, str]:
    """Return the texts of plug-in and routes by their paths below the release's folder.

    Raises:
        ReleaseError: one is missing, or all together are too large.
    """
    missing = [name for name in SHIPPED if not (release / name).exists()]
    if missing:
        raise ReleaseError(
            f"{release} is not a release: it has no {' and no '.join(missing)}; name one of router/releases"
        )
    paths = [
        path
        for name in SHIPPED
        for path in ([release / name] if (release / name).is_file() else (release / name).rglob("*"))
    ]
    texts = {
        path.relative_to(release).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(paths)
        if path.is_file() and "__pycache__" not in path.parts
    }
    size = sum(len(text.encode()) for text in texts.values())
    if size > MOST_BYTES:
        raise ReleaseError(
            f"plug-in and routes have {size} bytes; a ConfigMap holds {MOST_BYTES}. Fix: shorten router_families"
        )
    return texts


def key_of(path: str) -> str:
    """Return a ConfigMap's key for a path: one must not hold a slash."""
    return path.replace("/", "--")


def values(release: Path, redis: str) -> dict[str, Any]:
    """Return the chart's values for a release.

    Args:
        release: its folder.
        redis: host and port of the cluster's Redis; empty for the release's own.

    Raises:
        ReleaseError: the folder is not a release, or *redis* is not an address.
    """
    texts = shipped(release)
    try:
        config = yaml.safe_load((release / "config.yaml").read_text(encoding="utf-8"))
        compose = yaml.safe_load((release / "compose.yaml").read_text(encoding="utf-8"))
        environment = compose["services"]["router"]["environment"]
        coordination = config["general_settings"]["coordination_redis"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"{release}: config.yaml or compose.yaml cannot be read: {error!r}; deploy the release again"
        ) from None
    # LiteLLM itself checks the keys there: no gateway of this toolkit is in front of it.
    for section, name, _ in CLIENT_CHECKS:
        (config.get(section) or {}).pop(name, None)
    if redis:
        host, _, port = redis.partition(":")
        if port and not port.isdecimal():
            raise ReleaseError(f"--redis {redis}: the port is not a number. Fix: write HOST or HOST:PORT")
        coordination |= {"host": host, "port": int(port or REDIS_PORT)}
    items = [{"key": key_of(path), "path": path} for path in texts]
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME},
        "data": {key_of(path): text for path, text in texts.items()},
    }
    return {
        "proxy_config": config,
        "extraResources": [config_map],
        "volumes": [{"name": NAME, "configMap": {"name": NAME, "items": items}}],
        "volumeMounts": [{"name": NAME, "mountPath": MOUNT_PATH, "readOnly": True}],
        "envVars": {**environment, "PYTHONPATH": MOUNT_PATH},
        "environmentSecrets": [NAME],
        # Neither LiteLLM's keys nor its budgets are used, so no database.
        "db": {"deployStandalone": False},
        "migrationJob": {"enabled": False},
        # A changed plug-in alone does not change the pods; this digest does.
        "podAnnotations": {"vibe-router/release": release.resolve().name},
    }


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path, metavar="RELEASE", help="folder of a release")
    parser.add_argument("--redis", default="", metavar="HOST[:PORT]", help="the cluster's Redis, if it is another")
    options = parser.parse_args()
    try:
        found = values(options.release, options.redis)
    except ReleaseError as error:
        log("ERROR", str(error))
        return 1
    names = sorted({name for _, name in references(found["proxy_config"])})
    log("INFO", f"the Secret {NAME} has to have: {', '.join(names)}")
    manifest = options.release / "manifest.json"
    if manifest.exists():
        image = json.loads(manifest.read_text(encoding="utf-8"))["image"]
        log("INFO", f"the release was valid in {image}: give image.tag that version of LiteLLM")
    sys.stdout.write(yaml.safe_dump(found, sort_keys=False, allow_unicode=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
