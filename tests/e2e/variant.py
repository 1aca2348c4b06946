"""A second router next to the deployed one, from a copy of its release without one fix."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml
from e2e.machine import Run, run

NAME = "litellm-vibe-router-variant"
PORT = 4199
START_SECONDS = 120
FILES = ("config.yaml", "vibe_router.py", "vibe_auth.py", "vibe_launch.py", "vibe_routes.json", "vibe")
Change = Callable[[dict[str, Any]], None]


def copy_release(release: Path, folder: Path, change: Change) -> Path:
    """Copy *release* into *folder* and let *change* alter its parsed config.yaml."""
    copy = folder / "release"
    shutil.copytree(release, copy)
    config = yaml.safe_load((copy / "config.yaml").read_text(encoding="utf-8"))
    change(config)
    (copy / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    owner = (release / "secrets.json").stat()
    os.chown(copy / "secrets.json", owner.st_uid, owner.st_gid)
    # The container's user reads the mounted files through the temporary folder.
    for parent in (folder, *list(folder.parents)[:2]):
        parent.chmod(0o755)
    return copy


def _options(release: Path) -> list[str]:
    image = yaml.safe_load((release / "compose.yaml").read_text(encoding="utf-8"))["services"]["router"]["image"]
    mounts = [f"--volume={release / name}:/app/{name}:ro" for name in FILES]
    mounts.append(f"--volume={release / 'secrets.json'}:/run/secrets/vibe.json:ro")
    hardening = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--user=10001:10001", "--network=vibe"]
    settings = ["--env=PYTHONPATH=/app", "--env=HOME=/tmp", "--env=LITELLM_LOCAL_MODEL_COST_MAP=True"]
    return [*mounts, *hardening, *settings, "--workdir=/usr/local/share", f"--name={NAME}", image]


def check(release: Path) -> Run:
    """Validate *release* as the stage step does; the return code says whether it is accepted."""
    *options, image = _options(release)
    return run(
        "docker", "run", "--rm", "--entrypoint=python3", *options, image, "/app/vibe_launch.py", "check", check=False
    )


@contextmanager
def serving(release: Path, *command: str, health: tuple[str, ...] = ()) -> Iterator[str]:
    """Serve *release* on a separate port; yield its address once it answers, and remove it afterwards.

    *command* replaces the launcher's; *health* are further options of `docker run`.
    """
    *options, image = _options(release)
    entry = command or ("/app/vibe_launch.py", "serve")
    publish = f"--publish=127.0.0.1:{PORT}:4000"
    try:
        run("docker", "run", "--detach", "--entrypoint=python3", publish, *health, *options, image, *entry)
        yield f"http://127.0.0.1:{PORT}"
    finally:
        run("docker", "rm", "--force", NAME)


def wait_until_ready(url: str) -> None:
    """Wait until the router at *url* answers.

    Raises:
        AssertionError: it did not within START_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/health/readiness", timeout=5).status_code == 200:
                return
        except requests.RequestException as error:
            last = error
        time.sleep(0.5)
    raise AssertionError(f"{url} did not answer: {last}\n{run('docker', 'logs', NAME).stderr[-3000:]}")
