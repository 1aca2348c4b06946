"""The contents of an image are listed from its files, reproducibly, and compared with advisories."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vibe_commands import sbom
from vibe_commands.advisories import AdvisoryError, findings, read_advisories

STATUS = """Package: libfoo1
Status: install ok installed
Architecture: amd64
Source: foo (2.0-3)
Version: 2.0-3+b1
Maintainer: Nobody <nobody@example.org>
Description: a library

Package: dpkg
Status: install ok installed
Architecture: amd64
Version: 1.22.21
Maintainer: Nobody <nobody@example.org>
Description: package manager

"""
SITE = "opt/app/lib/site-packages"
FILES = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "usr/lib/os-release": 'ID=debian\nVERSION_ID="13"\n',
    "var/lib/dpkg/status": STATUS,
    f"{SITE}/snake_case-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: Snake_Case\nVersion: 1.5\n",
    f"{SITE}/snake_case/__init__.py": "raise SystemExit('run')\n",
}


def _image() -> Iterator[bytes]:
    """Yield the file system of an image as an engine exports it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    whole = packed.getvalue()
    return (whole[at : at + 700] for at in range(0, len(whole), 700))


def _document(folder: Path) -> dict[str, Any]:
    root, work = folder / "root", folder / "work"
    root.mkdir(parents=True)
    work.mkdir()
    sites = sbom.unpack(_image(), root)
    parts = [sbom.of_debian(root), sbom.of_python(sites, work)]
    return sbom.merged("us/app:1", "sha256:1234", "2026-01-02T03:04:05Z", sbom.distribution_of(root), parts)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of the image."""
    return _document(tmp_path_factory.mktemp("first"))


def test_nothing_else_of_an_image_is_unpacked(tmp_path: Path) -> None:
    assert sbom.unpack(_image(), tmp_path) == [tmp_path / SITE]
    assert not (tmp_path / "etc/passwd").exists()
    assert not (tmp_path / f"{SITE}/snake_case").exists()


def test_an_image_is_listed_with_debians_packages_and_pythons(document: dict[str, Any]) -> None:
    listed = {component["purl"].partition("?")[0] for component in document["components"] if "purl" in component}
    assert {"pkg:deb/debian/libfoo1@2.0-3%2Bb1", "pkg:deb/debian/foo@2.0-3", "pkg:pypi/snake-case@1.5"} <= listed
    assert document["metadata"]["component"]["name"] == "us/app"
    known = {component["bom-ref"] for component in document["components"]} | {"sha256:1234"}
    refs = [each["ref"] for each in document["dependencies"]]
    assert set(refs) <= known
    assert len(refs) == len(set(refs))
    assert all(set(each.get("dependsOn", [])) <= known for each in document["dependencies"])


def test_the_same_image_gives_the_same_document(document: dict[str, Any], tmp_path: Path) -> None:
    assert json.dumps(_document(tmp_path), sort_keys=True) == json.dumps(document, sort_keys=True)


def _advisory(ecosystem: str, name: str, *events: tuple[str, str], **more: Any) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{kind: at} for kind, at in events]}]
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, **more}
    return {"id": "X-1", "aliases": ["CVE-1"], "affected": [affected]}


@pytest.mark.parametrize(
    ("advisory", "fixed"),
    [
        (_advisory("PyPI", "snake-case", ("introduced", "0"), ("fixed", "1.10")), "1.10"),
        (_advisory("PyPI", "snake-case", ("introduced", "0"), ("fixed", "1.5")), None),
        (_advisory("PyPI", "snake-case", ("introduced", "1.6")), None),
        (_advisory("PyPI", "snake-case", ("introduced", "0")), ""),
        (_advisory("PyPI", "snake-case", ("introduced", "0"), ("last_affected", "1.5")), ""),
        (_advisory("PyPI", "snake-case", ("introduced", "0"), ("last_affected", "1.4")), None),
        (_advisory("PyPI", "snake-case", ("introduced", "0"), ("fixed", "1.2"), ("introduced", "1.4")), ""),
        (_advisory("PyPI", "snake-case", ("introduced", "9"), versions=["1.5"]), ""),
        (_advisory("PyPI", "other", ("introduced", "0")), None),
        (_advisory("npm", "snake-case", ("introduced", "0")), None),
        # Debian's advisories name source packages, per release; ~ sorts before everything.
        (_advisory("Debian:13", "foo", ("introduced", "0"), ("fixed", "2.0-3")), None),
        (_advisory("Debian:13", "foo", ("introduced", "0"), ("fixed", "2.0-4~deb13u1")), "2.0-4~deb13u1"),
        (_advisory("Debian:13", "foo", ("introduced", "0"), ("fixed", "1:1.0")), "1:1.0"),
        (_advisory("Debian:12", "foo", ("introduced", "0")), None),
        (_advisory("Debian:13", "libfoo1", ("introduced", "0")), None),
    ],
)
def test_what_an_advisory_is_about_is_found_with_its_mend(
    document: dict[str, Any], advisory: dict[str, Any], fixed: str | None
) -> None:
    distribution = document["metadata"]["properties"][0]["value"]
    assert distribution == "Debian:13"
    found = findings("us/app:1", document["components"], distribution, [advisory])
    assert [each.fixed for each in found] == ([] if fixed is None else [fixed])
    assert all(each.advisory == "X-1" and each.aliases == ("CVE-1",) for each in found)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), ("{", "is not JSON"), ("[1]", "is not an advisory"), ('{"a": 1}', "is not an advisory")],
)
def test_what_is_no_advisory_is_refused_by_name(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "advisories.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(AdvisoryError, match=words):
        read_advisories(path)


def test_advisories_of_a_folder_are_read_but_for_those_that_were_withdrawn(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"id": "X-1"}', encoding="utf-8")
    (tmp_path / "two.json").write_text('[{"id": "X-2"}, {"id": "X-3", "withdrawn": "2026-01-01"}]', encoding="utf-8")
    assert [each["id"] for each in read_advisories(tmp_path)] == ["X-1", "X-2"]


def test_an_empty_folder_is_no_clean_bill_of_health(tmp_path: Path) -> None:
    with pytest.raises(AdvisoryError, match=r"has no \.json file"):
        read_advisories(tmp_path)
