"""Two builds of the images, each on a new base, have the same files: contents, owners and modes.

Only file times differ, and with them the images' digests.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from e2e.machine import PLAYBOOK, PROJECT, run

CONTAINER = "vibe-test-rebuild"
Files = dict[str, tuple[bytes, int, int, int, str]]

pytestmark = pytest.mark.slow


def _built(folder: Path, refresh: str) -> dict[str, str]:
    """Build all images on a new base, and return their names by component."""
    play = folder / f"{refresh}.yml"
    found = folder / f"{refresh}.json"
    tasks = [
        {"ansible.builtin.include_role": {"name": "images"}},
        {"ansible.builtin.copy": {"content": "{{ images_refs | to_json }}", "dest": str(found), "mode": "0600"}},
    ]
    play.write_text(json.dumps([{"hosts": "local", "tasks": tasks}]), encoding="utf-8")
    refreshed = f"images_base_refresh={refresh}"
    run(PLAYBOOK, str(play), "--extra-vars", refreshed, ANSIBLE_ROLES_PATH=str(PROJECT / "roles"))
    names: dict[str, str] = json.loads(found.read_text(encoding="utf-8"))
    return names


def _files(image: str, folder: Path) -> Files:
    """Return the files of a container of *image*: by path its kind, mode, owner and content."""
    saved = folder / "files.tar"
    run("docker", "create", "--name", CONTAINER, image)
    try:
        run("docker", "export", "--output", str(saved), CONTAINER)
    finally:
        run("docker", "rm", CONTAINER)
    files: Files = {}
    with tarfile.open(saved) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            digest = hashlib.sha256(content.read()).hexdigest() if content else member.linkname
            files[member.name] = (member.type, member.mode, member.uid, member.gid, digest)
    saved.unlink()
    return files


def _differing(first: Files, second: Files) -> list[str]:
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


@pytest.fixture(scope="module")
def folder(deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the saved images; this machine's images exist already."""
    return tmp_path_factory.mktemp("rebuild")


@pytest.fixture(scope="module")
def builds(folder: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """The images, built twice; removed afterwards."""
    texts = [f"test-{uuid4().hex[:8]}" for _ in range(2)]
    first, second = (_built(folder, text) for text in texts)
    yield first, second
    run("docker", "rmi", "--force", *first.values(), *second.values(), check=False)


@pytest.mark.parametrize("image", ["litellm", "redis", "haproxy"])
def test_two_builds_have_the_same_files(
    image: str, builds: tuple[dict[str, str], dict[str, str]], folder: Path
) -> None:
    first, second = (build[image] for build in builds)
    layers = [run("docker", "inspect", "--format", "{{.RootFS.Layers}}", name).stdout for name in (first, second)]
    assert layers[0] != layers[1], "it was built once"
    files = _files(first, folder)
    assert len(files) > 3000
    assert _differing(files, _files(second, folder)) == []


def test_a_file_that_differs_is_found(builds: tuple[dict[str, str], dict[str, str]], folder: Path) -> None:
    image, planted = builds[0]["redis"], "vibe-test-rebuild:planted"
    script = "echo x >> /etc/hostname-of-nobody && chmod 600 /etc/debian_version"
    run("docker", "run", "--name", CONTAINER, "--user", "0", "--entrypoint", "sh", image, "-c", script)
    try:
        run("docker", "commit", CONTAINER, planted)
    finally:
        run("docker", "rm", CONTAINER)
    try:
        differing = _differing(_files(image, folder), _files(planted, folder))
    finally:
        run("docker", "rmi", planted)
    assert differing == ["etc/debian_version", "etc/hostname-of-nobody"]
