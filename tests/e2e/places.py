"""Places where a secret could leak on this machine: outputs, logs, the engine's answers, world-readable files, git."""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from e2e.machine import PROJECT, run

# Folders with world-readable files; the project's clone is wherever CI put it.
ROOTS = ("/opt/litellm-vibe-router", "/var/lib/litellm-vibe-router", "/etc", "/run", "/tmp", "/var/tmp", "/var/log")
OUR_IMAGES = ("litellm-vibe-router/", "vibe-test-")
LARGEST_FILE = 2 * 1024 * 1024
# Large downloads of others.
_FETCHED = frozenset((".venv", ".venv-test", "node_modules", ".git", "__pycache__", "site-packages"))
_LOOK_SECONDS = 0.02


class ProcessWatch:
    """The command lines of all processes, read repeatedly while the block runs."""

    def __init__(self) -> None:
        """Start with none."""
        self.seen: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> ProcessWatch:
        """Start reading."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Read once more, and stop."""
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            is_last = self._done.wait(_LOOK_SECONDS)
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    # The process has ended.
                    continue
            if is_last:
                return


def found(secrets: Sequence[str], places: Iterator[tuple[str, str]]) -> list[str]:
    """Return the names of the *places* that contain one of the *secrets*."""
    return [name for name, text in places if any(secret in text for secret in secrets)]


def engine_places() -> Iterator[tuple[str, str]]:
    """Yield everything that the engine shows: containers and their logs, images and their history."""
    for name in run("docker", "ps", "--all", "--format", "{{.Names}}").stdout.split():
        yield f"docker inspect {name}", run("docker", "inspect", name, check=False).stdout
        logs = run("docker", "logs", name, check=False)
        yield f"docker logs {name}", logs.stdout + logs.stderr
    for image in set(run("docker", "images", "--quiet", "--no-trunc").stdout.split()):
        yield f"docker inspect {image}", run("docker", "inspect", image).stdout
        yield f"docker history {image}", run("docker", "history", "--no-trunc", image).stdout


def layer_places() -> Iterator[tuple[str, str]]:
    """Yield every file of every layer of this project's images, also files that a later layer removes."""
    listed = run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    names = sorted(name for name in listed if name.startswith(OUR_IMAGES))
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "images.tar"
        # Layers that images share are read once.
        run("docker", "save", "--output", str(saved), *names)
        with tarfile.open(saved) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None:
                    yield from _layer(f"layers of images: {member.name}", content)


def file_places(roots: Sequence[str] = ROOTS) -> Iterator[tuple[str, str]]:
    """Yield every world-readable file below *roots*, with its full path."""
    for root in roots:
        for folder, folders, names in os.walk(root):
            try:
                is_open = bool(os.stat(folder).st_mode & stat.S_IXOTH)
            except OSError:
                is_open = False
            # Nothing below a closed folder can be read.
            folders[:] = [name for name in folders if name not in _FETCHED] if is_open else []
            for name in names if is_open else ():
                yield from _text(Path(folder) / name)


def report_places() -> Iterator[tuple[str, str]]:
    """Yield the project's reports."""
    for path in sorted((PROJECT / "reports").rglob("*")):
        if path.is_file():
            yield str(path), path.read_text(encoding="utf-8", errors="replace")


def git_places() -> Iterator[tuple[str, str]]:
    """Yield every file that git tracks or would add."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    for name in listed:
        path = PROJECT / name
        if path.is_file():
            yield f"git: {name}", path.read_text(encoding="utf-8", errors="replace")


def _layer(name: str, content: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Yield the files of a layer, or, if it is not a layer, its text."""
    is_layer = tarfile.is_tarfile(content)
    content.seek(0)
    if not is_layer:
        yield name, content.read().decode(errors="replace")
        return
    with tarfile.open(fileobj=content) as layer:
        for member in layer:
            inner = layer.extractfile(member) if member.isreg() else None
            if inner is not None:
                yield f"{name}: {member.name}", inner.read().decode(errors="replace")


def _text(path: Path) -> Iterator[tuple[str, str]]:
    try:
        status = path.lstat()
        is_wanted = stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH and status.st_size <= LARGEST_FILE
        if is_wanted:
            yield str(path), path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        # The file is gone.
        return
