"""The lab: hosts with their own addresses and SSH, created by one command and removed by another."""

from __future__ import annotations

import pytest
from e2e.lab import HOSTS, INVENTORY, LAB
from e2e.machine import PLAYBOOK, PROJECT, changed, run

VOLUMES = "{{range .Mounts}}{{if .Name}}{{.Name}} {{end}}{{end}}"


@pytest.mark.usefixtures("lab")
def test_the_hosts_are_reached_over_ssh_by_the_written_inventory() -> None:
    # The hosts' keys are known, so nothing is trusted on first use.
    ping = (str(PROJECT / ".venv/bin/ansible"), "all", "-i", "inventory/lab", "-m", "ansible.builtin.command")
    done = run(*ping, "-a", "systemctl is-active ssh", "--become", ANSIBLE_HOST_KEY_CHECKING="True")
    assert done.stdout.count("active") == len(HOSTS)
    assert all(f"{host} | CHANGED" in done.stdout for host in HOSTS)


@pytest.mark.usefixtures("lab")
def test_each_host_has_a_key_of_its_own() -> None:
    lines = (INVENTORY / ".secrets/known_hosts").read_text(encoding="utf-8").splitlines()
    assert len({line.split()[2] for line in lines}) == len(HOSTS)


@pytest.mark.usefixtures("lab")
def test_a_second_run_changes_nothing() -> None:
    assert changed(run(*LAB).stdout) == 0


@pytest.mark.usefixtures("lab")
def test_the_status_names_every_host_with_its_address() -> None:
    said = run(*LAB, "--extra-vars", "lab_state=status").stdout
    assert "4 hosts in the lab vibe-lab" in said
    for host, address in (("gateway-1", ".10"), ("router-1", ".20"), ("router-2", ".21"), ("redis-1", ".240")):
        assert f"vibe-lab-{host}" in said
        assert f"172.29.77{address}" in said


@pytest.mark.usefixtures("lab")
def test_a_host_that_is_one_too_many_goes_with_its_volumes() -> None:
    run(*LAB, "--extra-vars", "lab_gateways=2")
    volumes = set(run("docker", "inspect", "--format", VOLUMES, "vibe-lab-gateway-2").stdout.split())
    assert volumes
    run(*LAB)
    left = run("docker", "ps", "--format", "{{.Names}}", "--filter", "label=vibe.lab").stdout.split()
    assert set(left) == HOSTS
    assert volumes.isdisjoint(run("docker", "volume", "ls", "--quiet").stdout.split())
    assert "vibe-lab-gateway-2" not in (INVENTORY / "hosts.yml").read_text(encoding="utf-8")


@pytest.mark.usefixtures("images_at_hand")
def test_a_number_that_makes_no_sense_is_refused_before_anything_is_made() -> None:
    done = run(PLAYBOOK, "playbooks/lab.yml", "--extra-vars", "lab_routers=0", check=False)
    assert done.returncode != 0
    assert "lab_routers=0" in done.stdout
