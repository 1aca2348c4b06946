"""./deploy.sh sbom: writes the contents of each image as CycloneDX, and lists known vulnerabilities.

    ./deploy.sh sbom                               # every image of this toolkit in this machine's engine
    ./deploy.sh sbom IMAGE…                        # these; DOCKER_HOST=ssh://host reads another engine
    ./deploy.sh sbom --advisories FILE_OR_FOLDER   # and compares it with advisories in OSV's format

Debian's packages are listed by debsbom and Python's by cyclonedx-py, from the image's own files: nothing of it is run.
Advisories are read as OSV (https://ossf.github.io/osv-schema/) has them, one or a list in a file, or a folder of such
files; none is fetched. Exit code: 0 no known vulnerability, 1 known vulnerabilities, 2 wrong usage, or an image
cannot be read.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from rich.console import Console
from rich.table import Table

from .advisories import AdvisoryError, Finding, findings, read_advisories
from .messages import log

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

PROJECT = Path(__file__).resolve().parents[3]
OURS = "litellm-vibe-router/*"
# The base image has no command, and is part of each other image.
BASE = "litellm-vibe-router/base:"
SPEC = SchemaVersion.V1_6
FOUND, FAULT = 1, 2
Document = dict[str, Any]
# The first is a link to the second.
OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
# Property of a document: the image's distribution, as advisories name it.
DISTRIBUTION = "litellm-vibe-router:distribution"


class SbomError(Exception):
    """The contents of an image cannot be read; the message says why."""


def _wanted(name: str) -> bool:
    """Return whether a file of an image lists contents: dpkg's records, or those of Python packages."""
    path = Path(name)
    return name.startswith("var/lib/dpkg/") or path.parent.name.endswith(".dist-info") or name in OS_RELEASE


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill *buffer* from one chunk, and return how many bytes came; 0 is the end."""
        wanted = memoryview(buffer)
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        given, self._rest = self._rest[: len(wanted)], self._rest[len(wanted) :]
        wanted[: len(given)] = given
        return len(given)


def unpack(chunks: Iterator[bytes], root: Path) -> list[Path]:
    """Unpack the package records of an image from its file system, a tar in *chunks*.

    Returns:
        The folders of Python's packages below *root*.
    """

    with tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks)), mode="r|") as archive:
        for member in archive:
            if member.isreg() and _wanted(member.name):
                archive.extract(member, root, filter="data")
    return sorted({path.parent for path in root.rglob("*.dist-info")})


def _output(*words: str) -> Document:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SbomError(f"{Path(words[0]).name} failed: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
    document: Document = json.loads(done.stdout)
    return document


def of_debian(root: Path) -> Document:
    """Return the document of Debian's packages below *root*."""
    tool = Path(sys.executable).with_name("debsbom")
    return _output(
        str(tool), "generate", "-t", "cdx", "--cdx-schema-version", SPEC.to_version(), "-r", str(root), "-o", "-"
    )


def of_python(sites: list[Path], work: Path) -> Document:
    """Return the document of Python's packages in *sites*.

    cyclonedx-py asks an interpreter for its path; this one answers, and no Python of the image is run.
    """
    (work / "path.json").write_text(json.dumps([str(site) for site in sites]), encoding="utf-8")
    interpreter = work / "python"
    interpreter.write_text(f'#!/bin/sh\nexec cat "{work}/path.json"\n', encoding="utf-8")
    interpreter.chmod(0o700)
    tool = Path(sys.executable).with_name("cyclonedx-py")
    return _output(str(tool), "environment", "--sv", SPEC.to_version(), "--of", "JSON", "-o", "-", str(interpreter))


def distribution_of(root: Path) -> str:
    """Return the distribution below *root* and its release as OSV names them, as Debian:13; "" if unknown."""
    path = next((root / name for name in OS_RELEASE if (root / name).exists()), None)
    if path is None:
        return ""
    said = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    return f"{said.get('ID', '').strip(chr(34)).capitalize()}:{said.get('VERSION_ID', '').strip(chr(34))}"


def merged(name: str, image_id: str, created: str, distribution: str, parts: list[Document]) -> Document:
    """Return one document of an image from those of its *parts*: their components, under a component for the image.

    The same image gives the same document: its number follows from the image's id, its time is the image's.
    """
    components = [component for part in parts for component in part.get("components", [])]
    repository, _, tag = name.rpartition(":")
    document: Document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC.to_version()}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC.to_version(),
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, image_id)}",
        "version": 1,
        "metadata": {
            "timestamp": created,
            "component": {"type": "container", "bom-ref": image_id, "name": repository, "version": tag},
            "properties": [{"name": DISTRIBUTION, "value": distribution}],
        },
        "components": sorted(components, key=lambda component: str(component["bom-ref"])),
        "dependencies": [
            {"ref": image_id, "dependsOn": sorted(component["bom-ref"] for component in components)},
            *(each for part in parts for each in part.get("dependencies", []) if _is_of(each["ref"], components)),
        ],
    }
    if problem := make_schemabased_validator(OutputFormat.JSON, SPEC).validate_str(json.dumps(document)):
        raise SbomError(f"{name}: what was written is not CycloneDX: {problem}")
    return document


def _is_of(ref: str, components: list[Document]) -> bool:
    return any(component["bom-ref"] == ref for component in components)


def document_of(client: docker.DockerClient, name: str) -> Document:
    """Return the document of the image *name* in the engine.

    Raises:
        SbomError: there is no such image, or it has no package records.
    """
    try:
        image = client.images.get(name)
    except docker.errors.ImageNotFound:
        raise SbomError(f"{name}: the engine has no such image. Fix: name one that docker images lists") from None
    container = client.containers.create(name, entrypoint="none")
    try:
        with tempfile.TemporaryDirectory(prefix="vibe-sbom-") as folder:
            root, work = Path(folder) / "root", Path(folder) / "work"
            root.mkdir()
            work.mkdir()
            sites = unpack(container.export(), root)
            parts = [of_debian(root)] if (root / "var/lib/dpkg/status").exists() else []
            parts += [of_python(sites, work)] if sites else []
            distribution = distribution_of(root)
    finally:
        container.remove()
    if not parts:
        raise SbomError(
            f"{name}: it has neither dpkg's records nor a Python package. Fix: name an image with one of them"
        )
    return merged(name, image.id, f"{image.attrs['Created'][:19]}Z", distribution, parts)


def show(found: list[Finding], console: Console) -> None:
    """Print the known vulnerabilities as a table."""
    table = Table("image", "package", "version", "fixed in", "advisory", title=f"{len(found)} known vulnerabilities")
    for each in found:
        table.add_row(
            each.image, each.package, each.version, each.fixed or "not yet", " ".join((each.advisory, *each.aliases))
        )
    console.print(table)


def main(words: Sequence[str]) -> int:
    """Run ./deploy.sh sbom with *words*; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="./deploy.sh sbom", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="default: every image of this toolkit in the engine")
    parser.add_argument("--advisories", type=Path, help="file or folder of advisories in OSV's format")
    parser.add_argument("--out", type=Path, default=PROJECT / "sboms", help="folder for the documents; default: sboms")
    given = parser.parse_args(words)
    try:
        advisories = read_advisories(given.advisories) if given.advisories else []
        client = docker.from_env()
        names = given.images or sorted(
            tag for image in client.images.list(OURS) for tag in image.tags if not tag.startswith(BASE)
        )
        if not names:
            raise SbomError("this engine has no image of this toolkit. Fix: run ./deploy.sh first, or name an image")
        found: list[Finding] = []
        given.out.mkdir(parents=True, exist_ok=True)
        for name in names:
            document = document_of(client, name)
            path = given.out / f"{name.replace('/', '_').replace(':', '_')}.cdx.json"
            path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            log("INFO", f"{path}: {len(document['components'])} components")
            distribution = document["metadata"]["properties"][0]["value"]
            found += findings(name, document["components"], distribution, advisories)
    except (SbomError, AdvisoryError, docker.errors.DockerException) as error:
        log("ERROR", str(error))
        return FAULT
    if given.advisories:
        show(found, Console())
        (given.out / "vulnerabilities.json").write_text(
            json.dumps([each.as_dict() for each in found], indent=2) + "\n", encoding="utf-8"
        )
    return FOUND if found else 0
