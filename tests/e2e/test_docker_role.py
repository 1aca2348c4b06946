"""The docker role on bare throwaway hosts: Debian 12 and 13, with systemd as PID 1 and with no init at all.

Each host is a container with an engine inside. The tests of one host depend on each other, in order.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from e2e.machine import PLAYBOOK, PROJECT, run
from e2e.throwaway import Host, throwaway_host

# The older Debian in every run; test_systemd_host.py and test_fleet.py deploy to the newer one.
# ./test.sh full runs all of them.
KINDS = [
    ("systemd", "bookworm"),
    pytest.param(("systemd", "trixie"), marks=pytest.mark.slow),
    pytest.param(("none", "bookworm"), marks=pytest.mark.slow),
    pytest.param(("none", "trixie"), marks=pytest.mark.slow),
]
PACKAGES = ("ca-certificates", "python3", "iproute2")
# An administrator's settings, which every run must keep.
ADMIN = {"labels": ["rack=7"], "max-concurrent-downloads": 2, "log-opts": {"tag": "{{.Name}}"}}


@dataclass
class DockerHost(Host):
    """A throwaway host and the role run against it."""

    def role(self, *options: str, tasks: str = "main", ok: bool = True, **variables: object) -> tuple[str, int]:
        """The play's output and its number of changed tasks."""
        play = self.folder / "play.yml"
        play.write_text(
            json.dumps(
                [
                    {
                        "name": "Docker",
                        "hosts": "all",
                        "tasks": [
                            {"name": "Role", "ansible.builtin.include_role": {"name": "docker", "tasks_from": tasks}},
                            {
                                "name": "Said",
                                "ansible.builtin.debug": {
                                    "msg": "engine={{ docker_engine_version }} compose={{ docker_compose_version }}"
                                },
                            },
                        ],
                    }
                ]
            )
        )
        inventory = self.folder / "hosts.json"
        connection = {"ansible_connection": "community.docker.docker", "ansible_python_interpreter": "/usr/bin/python3"}
        inventory.write_text(json.dumps({"all": {"hosts": {self.name: connection}}}))
        done = run(
            *(PLAYBOOK, "-i", str(inventory), str(play), "--extra-vars", json.dumps(variables), *options),
            check=False,
            ANSIBLE_ROLES_PATH=str(PROJECT / "roles"),
        )
        # Ansible prints messages as YAML: wrapped, and with quotes doubled.
        said = " ".join((done.stdout + done.stderr).split()).replace("''", "'")
        assert (done.returncode == 0) is ok, said
        assert "DEPRECATION" not in said, said
        changed = re.search(r"changed=(\d+)", said)
        return said, int(changed.group(1)) if changed else -1

    def engine_pid(self) -> str:
        return self.sh("cat /run/docker.pid 2>/dev/null", check=False)

    def answers(self) -> bool:
        return self.sh("docker version --format '{{.Server.Version}}' 2>/dev/null", check=False) != ""

    def wait_for_engine(self, seconds: float = 40) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.answers():
                return True
            time.sleep(0.5)
        return False

    def daemon_json(self) -> dict[str, object]:
        content: dict[str, object] = json.loads(self.sh("cat /etc/docker/daemon.json"))
        return content

    def write(self, path: str, content: str) -> None:
        source = self.folder / "content"
        source.write_text(content, encoding="utf-8")
        self.sh(f"mkdir -p $(dirname {path})")
        self.put(source, path)


@pytest.fixture(scope="session", params=KINDS, ids="-".join)
def host(
    images_at_hand: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DockerHost]:
    init, suite = request.param
    folder = tmp_path_factory.mktemp(f"{init}-{suite}")
    with throwaway_host(f"docker-role-test-{init}-{suite}", init, suite, PACKAGES, folder) as made:
        yield DockerHost(**vars(made))


def test_check_mode_tells_the_truth_on_a_bare_host(host: DockerHost) -> None:
    said, changed = host.role("--check", "--diff")
    assert "Would be installed: docker.io" in said
    assert changed > 0
    assert host.sh("ls -d /etc/docker /etc/sv /usr/sbin/dockerd 2>/dev/null", check=False) == ""


def test_existing_without_an_engine_is_a_clear_error(host: DockerHost) -> None:
    said, _ = host.role(ok=False, docker_package_source="existing")
    assert "docker_package_source is existing, and no Docker Engine is here" in said
    assert "Docker Compose 2.26 or newer is needed" in said


def test_malformed_daemon_json_stops_before_anything_is_installed(host: DockerHost) -> None:
    host.write("/etc/docker/daemon.json", '{\n  "debug": true,\n}\n')
    said, changed = host.role(ok=False)
    assert (
        "/etc/docker/daemon.json is malformed at line 3, column 1" in said
        or "/etc/docker/daemon.json is malformed at line 2, column 16" in said
    )
    assert changed == 0
    assert host.sh("ls /usr/sbin/dockerd 2>/dev/null", check=False) == ""


def test_unknown_user_is_a_clear_error(host: DockerHost) -> None:
    host.sh("rm /etc/docker/daemon.json")
    said, changed = host.role(ok=False, docker_users=["nobody-knows"])
    assert "docker_users names accounts that do not exist on this host: nobody-knows" in said
    assert changed == 0


def test_engine_and_plugins_are_installed_beside_the_administrators_settings(host: DockerHost) -> None:
    host.write("/etc/docker/daemon.json", json.dumps(ADMIN))
    host.sh("useradd -m dev")
    said, _ = host.role(docker_users=["dev"])
    assert re.search(r"engine=(20\.10|26\.1)\.\d+ compose=2\.26\.1", said), said
    assert host.sh("docker buildx version")
    assert "docker" in host.sh("id -nG dev")
    content = host.daemon_json()
    assert content == {
        **ADMIN,
        "live-restore": True,
        "log-opts": {"tag": "{{.Name}}", "max-size": "20m", "max-file": "5"},
    }
    assert host.sh("docker info --format '{{.LiveRestoreEnabled}}'") == "true"


def test_second_run_changes_nothing(host: DockerHost) -> None:
    pid = host.engine_pid()
    said, changed = host.role(docker_users=["dev"])
    assert changed == 0, said
    assert host.engine_pid() == pid


def test_check_mode_on_a_deployed_host_reports_nothing(host: DockerHost) -> None:
    said, changed = host.role("--check", "--diff", docker_users=["dev"])
    assert changed == 0, said


def test_a_container_runs(host: DockerHost) -> None:
    files = "$(ldd /bin/sleep | grep -o '/[^ ]*') /bin/sleep"
    host.sh(f"tar -chf - {files} 2>/dev/null | docker import - tiny >/dev/null")
    host.sh("docker run -d --name probe tiny /bin/sleep 100000")
    assert host.sh("docker inspect -f '{{.State.Running}}' probe") == "true"


def test_killed_engine_comes_back_and_the_container_never_stopped(host: DockerHost) -> None:
    pid, started = host.engine_pid(), host.sh("docker inspect -f '{{.State.StartedAt}}' probe")
    host.sh(f"kill -9 {pid}")
    time.sleep(1)
    assert host.wait_for_engine()
    assert host.engine_pid() != pid
    assert host.sh("docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' probe") == f"true {started}"


def test_what_a_reload_can_do_needs_no_restart(host: DockerHost) -> None:
    pid = host.engine_pid()
    _, changed = host.role(docker_daemon_options={"debug": True})
    assert changed > 0
    assert host.engine_pid() == pid
    assert host.sh("docker info --format '{{.Debug}}'") == "true"


def test_restart_waits_or_leaves_containers_alone(host: DockerHost) -> None:
    pid, started = host.engine_pid(), host.sh("docker inspect -f '{{.State.StartedAt}}' probe")
    said, _ = host.role(docker_log_max_file=3, docker_restart="never")
    assert "log-opts of /etc/docker/daemon.json take effect at the engine's next restart" in said
    assert host.engine_pid() == pid
    host.role(docker_log_max_file=4)
    assert host.engine_pid() != pid
    assert host.sh("docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' probe") == f"true {started}"


def test_malformed_daemon_json_leaves_the_running_engine_alone(host: DockerHost) -> None:
    pid, good = host.engine_pid(), host.sh("cat /etc/docker/daemon.json")
    host.write("/etc/docker/daemon.json", "{'debug': true}")
    said, changed = host.role(ok=False)
    assert "/etc/docker/daemon.json is malformed at line 1, column 2" in said
    assert changed == 0
    assert host.sh("cat /etc/docker/daemon.json") == "{'debug': true}"
    assert host.engine_pid() == pid
    host.write("/etc/docker/daemon.json", good + "\n")


def test_settings_that_the_engine_refuses_never_reach_the_file(host: DockerHost) -> None:
    pid, before = host.engine_pid(), host.daemon_json()
    said, _ = host.role(ok=False, docker_log_max_file=4, docker_daemon_options={"no-such-option": 1})
    assert "The engine refuses the settings meant for /etc/docker/daemon.json" in said
    assert "no-such-option" in said
    assert (host.engine_pid(), host.daemon_json()) == (pid, before)


def test_settings_that_fail_only_at_the_start_are_taken_back(host: DockerHost) -> None:
    before = host.daemon_json()
    said, _ = host.role(
        ok=False, docker_log_max_file=4, __docker_start_timeout=15, docker_daemon_options={"storage-driver": "bogus"}
    )
    assert "the previous file is back and the engine runs" in said
    assert host.daemon_json() == before
    assert host.answers()
    assert host.sh("docker inspect -f '{{.State.Running}}' probe") == "true"


def test_another_client_earlier_on_the_path_finds_the_plugins(host: DockerHost) -> None:
    client = shutil.which("docker")
    assert client
    run("docker", "cp", "--follow-link", client, f"{host.name}:/usr/local/bin/docker")
    said, changed = host.role(docker_log_max_file=4)
    assert changed == 0, said
    assert "compose=2.26.1" in said


def test_nothing_but_the_plugins_comes_from_the_next_debian(host: DockerHost) -> None:
    if host.suite != "bookworm":
        assert (
            host.sh("ls /etc/apt/sources.list.d /etc/apt/preferences.d")
            == "/etc/apt/preferences.d:\n\n/etc/apt/sources.list.d:"
        )
        return
    upgrades = host.sh("apt-get --simulate dist-upgrade | grep '^Inst'", check=False)
    assert "trixie" not in upgrades and "Debian:13" not in upgrades, upgrades
    policy = host.sh("apt-cache policy docker.io python3 libc6 docker-cli")
    assert "Candidate: 20.10" in policy
    assert "docker-cli:\n  Installed: (none)\n  Candidate: (none)" in policy, policy
    origin = "dpkg-query -W -f '${Package} ${Version}\\n' docker-compose docker-buildx"
    assert host.sh(origin).splitlines() == [
        "docker-buildx 0.13.1+ds1-3",
        "docker-compose 2.26.1-4",
    ] or "docker-compose 2." in host.sh(origin)


def test_engine_outlives_its_supervisor_and_gets_a_new_one(host: DockerHost) -> None:
    if host.init == "systemd":
        pytest.skip("systemd is PID 1 here")
    pid = host.engine_pid()
    host.sh("kill -9 $(pidof runsv)")
    said, changed = host.role(docker_log_max_file=4)
    assert changed == 1, said
    assert host.engine_pid() == pid
    host.sh(f"kill -9 {pid}")
    time.sleep(2)
    assert host.wait_for_engine()
    _, changed = host.role(docker_log_max_file=4)
    assert changed == 0


def test_engine_is_stopped_and_started_again(host: DockerHost) -> None:
    host.role(tasks="stop")
    assert not host.answers()
    _, changed = host.role(tasks="stop")
    assert changed == 0
    host.role(docker_log_max_file=4)
    assert host.answers()


def test_restarts_in_a_row_do_not_meet_systemds_limit(host: DockerHost) -> None:
    if host.init != "systemd":
        pytest.skip("nothing counts the starts here")
    assert (
        host.sh("systemctl reset-failed docker; for i in 1 2 3; do systemctl restart docker || exit; done; echo up")
        == "up"
    )
    pid = host.engine_pid()
    host.role(docker_log_max_file=6)
    assert host.engine_pid() != pid
    assert host.answers()
    refused = host.run("sh", "-c", "for i in 1 2 3 4; do systemctl restart docker || exit 1; done", check=False)
    assert refused.returncode == 1, "systemd has no such limit here, so this test proves nothing"
    assert not host.answers()
    host.role(docker_log_max_file=4)
    assert host.answers()
