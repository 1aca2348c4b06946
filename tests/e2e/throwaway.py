"""Throwaway hosts: bare containers of this machine's engine, with systemd as PID 1 or without an init.

Each can run its own engine, and gets this machine's settings for mirrors and package indexes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.machine import PROJECT, Run, run

# The lab role has the one definition of such a host.
RECIPE: dict[str, Any] = yaml.safe_load((PROJECT / "roles/lab/vars/main.yml").read_text(encoding="utf-8"))["__lab_host"]
SYSTEMD_PACKAGES = ("systemd", "systemd-sysv", "dbus")


@dataclass
class Host:
    """A throwaway host."""

    name: str
    init: str
    suite: str
    folder: Path

    def run(self, *words: str, check: bool = True, timeout: float = 1200, user: str = "root") -> Run:
        """Run a command on the host as *user* and return it with its output."""
        return run("docker", "exec", "--user", user, self.name, *words, check=check, timeout=timeout)

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell script as root and return what it printed."""
        return self.run("sh", "-c", script, check=check).stdout.strip()

    def put(self, source: Path, destination: str) -> None:
        """Copy a file or folder to the host, owned by root."""
        run("docker", "cp", str(source), f"{self.name}:{destination}")


def cgroup_v1() -> bool:
    """Return whether this machine has cgroup v1."""
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


@contextmanager
def throwaway_host(name: str, init: str, suite: str, packages: tuple[str, ...], folder: Path) -> Iterator[Host]:
    """Create a bare host of Debian *suite* with *packages*, removed when the block ends, or skip."""
    image = bare_image(init, suite, packages, folder)
    run("docker", "rm", "-fv", name, check=False)
    run(
        "docker",
        "run",
        "-d",
        "--name",
        name,
        "--hostname",
        name,
        *_options(),
        image,
        *_command(init),
    )
    try:
        host = Host(name, init, suite, folder)
        if init == "systemd":
            host.sh("for i in $(seq 60); do systemctl is-system-running | grep -Eq 'runn|degr' && exit; sleep 1; done")
        yield host
    finally:
        run("docker", "rm", "-fv", name, check=False)


def bare_image(init: str, suite: str, packages: tuple[str, ...], folder: Path) -> str:
    """Create an image of Debian *suite* with *packages* if it is missing, and return its name; or skip."""
    if run("docker", "version", check=False).returncode:
        pytest.skip("needs a running Docker Engine")
    image = f"vibe-throwaway/{init}-{suite}:{'-'.join(packages)}"
    _make_image(image, init, suite, packages, folder)
    return image


def _make_image(image: str, init: str, suite: str, packages: tuple[str, ...], folder: Path) -> None:
    if run("docker", "image", "inspect", image, check=False).returncode == 0:
        return
    if not shutil.which("mmdebstrap"):
        pytest.skip("needs mmdebstrap to make a bare host")
    wanted = ",".join(packages + (SYSTEMD_PACKAGES if init == "systemd" else ()))
    archive = folder / "root.tar"
    run("mmdebstrap", "--variant=minbase", f"--include={wanted}", suite, str(archive))
    run("docker", "import", str(archive), image)
    archive.unlink()


def _options() -> list[str]:
    lent = [f"{path}:{path}:ro" for path in RECIPE["lent"] if Path(path).exists()]
    values = {
        "--cap-add": RECIPE["cap_add"],
        "--cap-drop": RECIPE["cap_drop"],
        "--security-opt": RECIPE["security_opt"],
        "--cgroupns": [_cgroups()["namespace"]],
        "--tmpfs": RECIPE["tmpfs"],
        "--volume": [*RECIPE["volumes"], _cgroups()["volume"], *lent],
    }
    return [word for option, found in values.items() for value in found for word in (option, value)]


def _cgroups() -> dict[str, Any]:
    found: dict[str, Any] = RECIPE["cgroup_v1" if cgroup_v1() else "cgroup_v2"]
    return found


def _command(init: str) -> list[str]:
    return [*RECIPE["command"], *_cgroups()["words"]] if init == "systemd" else ["sleep", "infinity"]
