"""Filters of the images role: the inputs of images, their names, and the images of an engine that serve."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

DOCUMENTATION = r"""
name: images
short_description: Hashes, sources and selection of images
description:
  - A built image is named by a hash over everything that goes into it, so that the same inputs find the same image.
"""

_BASE = "base"
_POCKETS = ("", "-updates", "-security")
_VERBS = {"present": "present", "archive": "loaded", "pull": "pulled", "build": "built"}


class Selected(TypedDict):
    """The image of an engine that serves a name; *size* in bytes."""

    ref: str
    id: str
    size: int


def input_hashes(base: list[Any], inputs: Mapping[str, Any], context: str) -> dict[str, str]:
    """Return a hash of 12 hexadecimal digits for the base image and for each image of *inputs*.

    *base* has what the base depends on beside its files, *inputs* the same for each image. The files are those in the
    folder of that name in *context*; each image depends on the base too.
    """
    hashes: dict[str, str] = {}
    for name in (_BASE, *inputs):
        paths = sorted(path for path in Path(context, name).iterdir() if path.is_file())
        files = [[path.name, path.read_text(encoding="utf-8")] for path in paths]
        parts = [files, *base] if name == _BASE else [files, hashes[_BASE], inputs[name]]
        hashes[name] = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
    return hashes


def _digests(image: Mapping[str, Any]) -> list[str]:
    return [reference.rpartition("@")[2] for reference in image.get("RepoDigests") or []]


def _selected(image: Mapping[str, Any], reference: str) -> Selected:
    return Selected(ref=reference, id=image["Id"], size=image["Size"])


def select_images(
    images: Iterable[Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]], source: str
) -> dict[str, Selected]:
    """Return which of an engine's *images* serves each name of *wanted*.

    A name has *pull_tag*, *built_tag*, the *digest* and *id* that a pulled image must have (empty: any), and
    *loaded_id*, the image that an archive brought. A pulled image is preferred to a built one,
    unless *source* allows only one of them.
    """
    found: dict[str, Selected] = {}
    there = list(images)
    for name, want in wanted.items():
        for image in there if source != "build" else []:
            digests = _digests(image)
            is_right = not want["digest"] or want["digest"] in digests or image["Id"] in (want["id"], want["loaded_id"])
            if want["pull_tag"] in (image.get("RepoTags") or []) and is_right:
                pinned = f"@{want['digest']}" if want["digest"] in digests else ""
                found.setdefault(name, _selected(image, want["pull_tag"] + pinned))
        for image in there if source != "pull" else []:
            if want["built_tag"] in (image.get("RepoTags") or []):
                found.setdefault(name, _selected(image, want["built_tag"]))
    return found


def wanted_images(
    names: Iterable[str],
    tags: Mapping[str, Mapping[str, str]],
    given_digests: Mapping[str, str],
    recorded: Mapping[str, Mapping[str, str]],
    loaded_ids: Mapping[str, str],
) -> dict[str, dict[str, str]]:
    """Return the input of select_images for the *names* that a host needs.

    A digest in the inventory overrides the recorded one; *recorded* has digest and id of pulled tags.
    """
    wanted: dict[str, dict[str, str]] = {}
    for name in names:
        pull_tag, given = tags["pull"][name], given_digests.get(name) or ""
        record = {} if given else recorded.get(pull_tag) or {}
        wanted[name] = {
            "pull_tag": pull_tag,
            "built_tag": tags["built"][name],
            "digest": given or record.get("digest") or "",
            "id": record.get("id") or "",
            "loaded_id": loaded_ids.get(name) or "",
        }
    return wanted


def apt_sources(lines: Iterable[str]) -> dict[str, str]:
    """Return the mirror of each suite; *lines* are those of `apt-get indextargets`: suite, component, address."""
    found: dict[str, str] = {}
    for line in lines:
        parts = line.split()
        if len(parts) == 3 and parts[1] == "main":
            found.setdefault(parts[0], parts[2])
    return found


def source_lines(mirrors: Mapping[str, str], release: str, suite: str, distribution: str) -> list[str]:
    """Return the lines of sources.list for *suite*, from the host's own *mirrors* of its *release*."""
    keyring = f"/usr/share/keyrings/{'ubuntu' if distribution == 'Ubuntu' else 'debian'}-archive-keyring.gpg"
    components = "main universe" if distribution == "Ubuntu" else "main"
    return [
        f"deb [signed-by={keyring}] {mirrors[release + pocket]} {suite}{pocket} {components}"
        for pocket in _POCKETS
        if mirrors.get(release + pocket)
    ]


def report_lines(report: Iterable[Mapping[str, Any]], would_bring: Iterable[str]) -> list[str]:
    """Return a line for each image with its source, or in check mode its future source."""
    pending = set(would_bring)
    lines = []
    for image in report:
        verb = _VERBS[image["source"]]
        if image["name"] in pending and image["source"] != "present":
            verb = f"would be {verb}"
        size = f" {round(image['size'] / 1_000_000)} MB" if image["size"] else ""
        lines.append(f"{image['name']}: {verb} ({image['reason']}) {image['ref']}{size}")
    return lines


class FilterModule:
    """The class that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "images_apt_sources": apt_sources,
            "images_input_hashes": input_hashes,
            "images_report_lines": report_lines,
            "images_select": select_images,
            "images_source_lines": source_lines,
            "images_wanted": wanted_images,
        }
