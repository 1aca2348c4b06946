"""Throwaway hosts: containers of this machine's engine, bare, with systemd as PID 1 or with no init at all.

Each has room for an engine of its own. What this machine needs to reach its mirrors and indexes is lent to them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.machine import Run, run

# Lent read-only, so that a host behind the same proxy as this machine trusts the same authorities.
LENT = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf")
SYSTEMD_PACKAGES = ("systemd", "systemd-sysv", "dbus")


@dataclass
class Host:
    """A throwaway host."""

    name: str
    init: str
    suite: str
    folder: Path

    def run(self, *words: str, check: bool = True, timeout: float = 600, user: str = "root") -> Run:
        """Run a command on the host as *user* and return it with its output."""
        return run("docker", "exec", "--user", user, self.name, *words, check=check, timeout=timeout)

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell script as root and return what it printed."""
        return self.run("sh", "-c", script, check=check).stdout.strip()

    def put(self, source: Path, destination: str) -> None:
        """Copy a file or folder to the host, owned by root."""
        run("docker", "cp", str(source), f"{self.name}:{destination}")


def cgroup_v1() -> bool:
    """Say whether this machine has the older kind of control groups."""
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


@contextmanager
def throwaway_host(name: str, init: str, suite: str, packages: tuple[str, ...], folder: Path) -> Iterator[Host]:
    """Make a bare host of Debian *suite* with *packages*, gone when the block ends. Skips where none can be made."""
    if run("docker", "version", check=False).returncode:
        pytest.skip("needs a running Docker Engine")
    _make_image(_image(init, suite, packages), init, suite, packages, folder)
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
        _image(init, suite, packages),
        *_command(init),
    )
    try:
        host = Host(name, init, suite, folder)
        if init == "systemd":
            host.sh("for i in $(seq 60); do systemctl is-system-running | grep -Eq 'runn|degr' && exit; sleep 1; done")
        yield host
    finally:
        run("docker", "rm", "-fv", name, check=False)


def _image(init: str, suite: str, packages: tuple[str, ...]) -> str:
    return f"vibe-throwaway/{init}-{suite}:{'-'.join(packages)}"


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
    # No CAP_SYS_RESOURCE: what is deployed must do without raised limits.
    options = ["--cap-add=ALL", "--cap-drop=SYS_RESOURCE"]
    options += ["--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"]
    options += (
        ["--cgroupns=host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:ro"]
        if cgroup_v1()
        else [
            "--cgroupns=private",
            "-v",
            "/sys/fs/cgroup:/sys/fs/cgroup:rw",
        ]
    )
    options += ["--tmpfs", "/run:exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"]
    options += ["-v", "/var/lib/docker", "-v", "/var/lib/containerd"]
    for path in LENT:
        options += ["-v", f"{path}:{path}:ro"] if Path(path).exists() else []
    return options


def _command(init: str) -> list[str]:
    if init != "systemd":
        return ["sleep", "infinity"]
    return ["/sbin/init"] + (
        ["SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", "systemd.unified_cgroup_hierarchy=0"] if cgroup_v1() else []
    )
