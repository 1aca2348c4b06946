"""The README's command on a bare Debian 13 host with systemd, by a user with sudo; the images come in an archive.

Debian 13's own Python takes the newer one of the two pinned releases of Ansible.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.machine import PLAYBOOK, PROJECT, Run, run
from e2e.throwaway import Host, throwaway_host

# The packages of a Debian server, and sudo; the toolkit installs python3-venv and the engine.
PACKAGES = ("ca-certificates", "iproute2", "sudo", "git", "python3")
USER = "deployer"
FOLDER = "/home/deployer/gateway"
ARCHIVE = "/srv/images.tar"


@pytest.fixture(scope="session")
def archive(images_at_hand: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of this machine's deployment, as the images role saves them."""
    folder = tmp_path_factory.mktemp("archive")
    play = folder / "play.yml"
    role = {"name": "images", "tasks_from": "{{ item }}"}
    play.write_text(
        json.dumps(
            [
                {
                    "hosts": "local",
                    "tasks": [
                        {"ansible.builtin.include_role": role, "loop": ["main", "save"]},
                    ],
                }
            ]
        )
    )
    archive = folder / "images.tar"
    variables = json.dumps({"images_archive": str(archive)})
    run(PLAYBOOK, str(play), "--extra-vars", variables, ANSIBLE_ROLES_PATH=str(PROJECT / "roles"))
    return archive


@pytest.fixture(scope="session")
def host(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A bare host with the clone in the home of a user who has sudo."""
    folder = tmp_path_factory.mktemp("systemd")
    with throwaway_host("vibe-test-systemd", "systemd", "trixie", PACKAGES, folder) as made:
        made.sh(
            f"useradd --create-home --shell /bin/bash {USER}"
            f" && echo '{USER} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/{USER}"
        )
        run("git", "clone", "--quiet", "--no-hardlinks", str(PROJECT), str(folder / "gateway"))
        made.put(folder / "gateway", FOLDER)
        made.sh(f"chown -R {USER}:{USER} {FOLDER}")
        made.put(archive, ARCHIVE)
        made.put(archive.with_name("images.tar.json"), f"{ARCHIVE}.json")
        yield made


def _deploy(host: Host, *options: str, check: bool = True) -> Run:
    command = " ".join(["./deploy.sh", f"-e images_archive={ARCHIVE}", *options])
    return host.run("bash", "-lc", f"cd {FOLDER} && {command}", user=USER, check=check, timeout=1200)


@pytest.fixture(scope="session")
def first(host: Host) -> Run:
    """The first deployment on the host."""
    return _deploy(host)


def test_a_dry_run_on_the_bare_host_changes_nothing(host: Host) -> None:
    _deploy(host, "--check", "--diff")
    assert host.sh("ls -d /opt/litellm-vibe-router /usr/sbin/dockerd 2>/dev/null", check=False) == ""


def test_a_user_with_sudo_deploys_and_verifies(first: Run) -> None:
    assert re.search(r"^ *(Images)? +litellm\s+loaded\s", first.stdout, re.MULTILINE), first.stdout[-4000:]
    assert re.search(r"Checks +\d+ passed, 0 failed", first.stdout)
    assert "DEPRECATION" not in first.stdout + first.stderr


def test_the_engine_is_a_systemd_service(first: Run, host: Host) -> None:
    assert host.sh("systemctl is-enabled docker && systemctl is-active docker") == "enabled\nactive"


def test_what_the_clone_keeps_belongs_to_the_user_alone(first: Run, host: Host) -> None:
    assert host.sh(f"find {FOLDER} ! -user {USER} | head -5") == ""
    assert host.sh(f"stat -c '%a %U' {FOLDER}/inventory/local/.secrets/client.env") == f"600 {USER}"


def test_a_second_run_changes_nothing(first: Run, host: Host) -> None:
    again = _deploy(host)
    assert re.search(r"^Deployed in .*: nothing to change on 1 host$", again.stdout, re.MULTILINE), again.stdout


def test_the_gateway_is_back_after_a_restart_of_the_host(first: Run, host: Host) -> None:
    run("docker", "restart", host.name)
    suite = ".venv/bin/python tests/test_route.py"
    wait = f"for i in $(seq 60); do sleep 2; {suite} >/dev/null 2>&1 && break; done"
    host.run("bash", "-lc", f'cd {FOLDER} && eval "$(./deploy.sh env)" && {wait}; {suite}', user=USER)
