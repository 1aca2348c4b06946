"""Whether the sources of the images are available: registries or an archive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .finding import Finding, Variables

# Role -> the option with the image that it pulls.
_REFERENCES = {
    "router": "images_litellm_pull_reference",
    "redis": "images_redis_pull_reference",
    "gateway": "images_haproxy_pull_reference",
}
# A first part with a dot or a port is a registry; without one the engine means Docker Hub.
_REGISTRY = re.compile(r"[^/]*[.:][^/]*(?=/)")
DOCKER_HUB = "registry-1.docker.io"


def pull_references(variables: Variables, roles: Iterable[str]) -> list[str]:
    """Return the references of the images that a host with these *roles* pulls."""
    return [str(variables[_REFERENCES[role]]) for role in roles if role in _REFERENCES]


def registries(references: Iterable[str]) -> list[str]:
    """Return the registries of *references*, each once."""
    found = (_REGISTRY.match(reference) for reference in references)
    return list(dict.fromkeys(match[0] if match else DOCKER_HUB for match in found))


def registry_findings(results: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return the registries that don't answer; *results* has one request for each, with the registry as its item."""
    return [
        Finding(
            subject="images_source",
            wrong=f"it is pull, and {result['item']} does not answer this host ({result.get('msg') or 'no answer'})",
            fix="open the way there, set a proxy or a mirror for the engine, or set images_source to archive or build",
        )
        for result in results
        if not result.get("skipped") and result.get("status", -1) not in (200, 401, 403)
    ]


def archive_findings(archive: str, is_on_host: bool) -> list[Finding]:
    """Return a finding if neither the host nor the control node has the file *archive*."""
    if is_on_host or (archive and Path(archive).exists()):
        return []
    what = f"there is no {archive} on this host or on the control node" if archive else "images_archive is empty"
    return [
        Finding(
            subject="images_archive",
            wrong=f"images_source is archive, and {what}",
            fix="name the file that the images role saved (tasks_from: save), or set images_source to auto",
        )
    ]
