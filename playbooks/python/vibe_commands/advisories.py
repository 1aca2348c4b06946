"""Which components of an image are known to be vulnerable, by advisories in OSV's format (https://ossf.github.io/osv-schema/)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from debian.debian_support import Version as DebianVersion
from packageurl import PackageURL
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion


class AdvisoryError(Exception):
    """Advisories cannot be read; the message says what is wrong and the fix."""


@dataclass(frozen=True)
class Finding:
    """A component that an advisory is about."""

    image: str
    package: str
    version: str
    fixed: str
    advisory: str
    aliases: tuple[str, ...]
    summary: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def read_advisories(path: Path) -> list[dict[str, Any]]:
    """Return the advisories of a file, or of every .json file in a folder; withdrawn ones are left out.

    Raises:
        AdvisoryError: *path* is missing, or something in it is not an advisory.
    """
    if not path.exists():
        raise AdvisoryError(
            f"--advisories: {path} does not exist. Fix: name a file or a folder of advisories in OSV's format"
        )
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files:
        raise AdvisoryError(
            f"--advisories: {path} has no .json file. Fix: unpack OSV's all.zip of PyPI or Debian there"
        )
    read: list[dict[str, Any]] = []
    for file in files:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise AdvisoryError(
                f"--advisories: {file} is not JSON: {error}. Fix: remove it, or fetch it again"
            ) from None
        entries = content if isinstance(content, list) else [content]
        if not all(isinstance(entry, dict) and "id" in entry for entry in entries):
            raise AdvisoryError(
                f"--advisories: {file} has an entry without an id, which is not an advisory. Fix: use OSV's files"
            )
        read += [entry for entry in entries if "withdrawn" not in entry]
    return read


def _component(component: dict[str, Any], distribution: str) -> tuple[str, str, str] | None:
    """Return ecosystem, name and version of a component as OSV names them; None where it has no advisories there.

    Debian's advisories are about source packages, each in a release: *distribution* is as Debian:13.
    """
    if "purl" not in component:
        return None
    purl = PackageURL.from_string(component["purl"])
    if purl.type == "pypi":
        return "PyPI", re.sub(r"[-_.]+", "-", purl.name).lower(), purl.version or ""
    if purl.type == "deb" and isinstance(purl.qualifiers, dict) and purl.qualifiers.get("arch") == "source":
        return distribution, purl.name, purl.version or ""
    return None


def _order(ecosystem: str) -> Callable[[str], Any]:
    return PythonVersion if ecosystem == "PyPI" else DebianVersion


def _fix(affected: dict[str, Any], ecosystem: str, version: str) -> str | None:
    """Return the version that fixes an affected package, "" for none yet; None if *version* is not affected."""
    order = _order(ecosystem)
    for known in affected.get("ranges", []):
        if known.get("type") != "ECOSYSTEM":
            continue
        within, fixed = False, ""
        for event in known["events"]:
            kind, at = next(iter(event.items()))
            if kind == "introduced" and (at == "0" or order(version) >= order(at)):
                within, fixed = True, ""
            elif kind == "fixed" and within:
                within, fixed = order(version) < order(at), at
            elif kind == "last_affected" and within:
                within = order(version) <= order(at)
        if within:
            return fixed
    return "" if version in affected.get("versions", []) else None


def _matches(advisories: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, str], dict[str, Any], dict[str, Any]]]:
    for advisory in advisories:
        for affected in advisory.get("affected", []):
            package = affected.get("package", {})
            yield (str(package.get("ecosystem", "")), str(package.get("name", ""))), advisory, affected


def findings(
    image: str, components: list[dict[str, Any]], distribution: str, advisories: list[dict[str, Any]]
) -> list[Finding]:
    """Return the known vulnerabilities of the *components* of an image, by package and advisory."""
    there: dict[tuple[str, str], set[str]] = {}
    for component in components:
        if named := _component(component, distribution):
            there.setdefault(named[:2], set()).add(named[2])
    found: set[Finding] = set()
    for key, advisory, affected in _matches(advisories):
        for version in there.get(key, ()):
            try:
                fixed = _fix(affected, key[0], version)
            except (InvalidVersion, ValueError):
                # A version that cannot be ordered is compared by its name alone.
                fixed = "" if version in affected.get("versions", []) else None
            if fixed is not None:
                aliases = tuple(advisory.get("aliases", []))
                summary = advisory.get("summary", "")
                found.add(Finding(image, key[1], version, fixed, advisory["id"], aliases, summary))
    return sorted(found, key=lambda each: (each.package, each.advisory))
