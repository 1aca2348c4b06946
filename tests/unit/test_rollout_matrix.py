"""A rollout when hosts fail: the real playbook, with a role that fails on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
Tasks = dict[str, list[dict[str, Any]]]
HOSTS = ["r1", "r2", "r3", "r4", "r5"]

# The role's entry points without their work: each records that it ran, and fails where the test wants it to.
ROLE: Tasks = {
    "stage_alone": [
        {"ansible.builtin.set_fact": {"router_release": "new", "router_serving_release": "old"}},
    ],
    "rollout": [
        {"ansible.builtin.debug": {"msg": "EVENT rollout {{ inventory_hostname }}"}},
        {
            "ansible.builtin.set_fact": {
                "ansible_connection": "ssh",
                "ansible_host": "127.0.0.1",
                "ansible_port": 1,
            },
            "when": "'lost' in fault",
        },
        {"ansible.builtin.ping": {}},
        {"name": "Proof", "ansible.builtin.fail": {"msg": "planted"}, "when": "'rollout' in fault"},
        {"ansible.builtin.set_fact": {"router_serving_release": "new", "router_left_release": "old"}},
        {"ansible.builtin.set_fact": {"router_switched": True}},
    ],
    "rollback_failed_release": [
        {"ansible.builtin.debug": {"msg": "EVENT undo {{ inventory_hostname }}"}},
        {"ansible.builtin.fail": {"msg": "planted too"}, "when": "'undo' in fault"},
        {"ansible.builtin.set_fact": {"router_serving_release": "old", "router_undone_release": "new"}},
    ],
    "record": [{"ansible.builtin.debug": {"msg": "EVENT record {{ inventory_hostname }}"}}],
}
LOCK: Tasks = {
    "main": [{"ansible.builtin.set_fact": {"deployment_run": "a"}, "run_once": True}],
    "renew_lock": [],
    "append_audit": [
        {"ansible.builtin.debug": {"msg": "EVENT {{ deployment_note.action }}-noted {{ inventory_hostname }}"}}
    ],
    "keep_lock": [{"ansible.builtin.debug": {"msg": "EVENT keep {{ deployment_lock_host }}"}, "run_once": True}],
    "release_lock": [{"ansible.builtin.debug": {"msg": "EVENT free {{ deployment_lock_host }}"}, "run_once": True}],
}
PRUNE: Tasks = {"prune": []}
SETTLE: Tasks = {
    "drop_previous_credentials": [{"ansible.builtin.debug": {"msg": "EVENT settle {{ inventory_hostname }}"}}]
}


class Outcome:
    """The result of a run: its exit code, its output, and the hosts that reached each step."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.failed = done.returncode != 0
        self.said = done.stdout
        words = [line.split("EVENT ")[1].strip("'\" ").split() for line in done.stdout.splitlines() if "EVENT " in line]
        self.steps = {step: sorted(host for name, host in words if name == step) for step, _ in words}


def _roll(tmp_path: Path, faults: dict[str, list[str]], **variables: object) -> Outcome:
    roles = {"router": ROLE, "gateway": SETTLE, "redis": SETTLE, "deployment": LOCK, "images": PRUNE}
    for role, tasks in roles.items():
        folder = tmp_path / "roles" / role / "tasks"
        folder.mkdir(parents=True)
        for name, steps in tasks.items():
            (folder / f"{name}.yml").write_text(json.dumps(steps), encoding="utf-8")
    common = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
        "docker_engine_ready": True,
        "images_refs": {"haproxy": "x", "litellm": "x", "redis": "x"},
        "router_rollout_serial": [1, 2, "100%"],
        "fault": [],
        **variables,
    }
    hosts = {host: {"fault": faults.get(host, [])} for host in HOSTS}
    others: dict[str, Any] = {group: {"hosts": {"g1": {}}} for group in ("gateways", "redis_servers")}
    inventory = {"all": {"vars": common}, "routers": {"hosts": hosts}, **others}
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps(inventory), encoding="utf-8")
    environment = {
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_ROLES_PATH": str(tmp_path / "roles"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_SSH_RETRIES": "0",
    }
    done = subprocess.run(
        [str(PLAYBOOK), "-i", str(path), str(PROJECT / "playbooks/rollout.yml")],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(done)


def test_a_good_release_is_recorded_everywhere(tmp_path: Path) -> None:
    done = _roll(tmp_path, {})
    assert not done.failed, done.said
    assert done.steps == {
        "rollout": HOSTS,
        "switch-noted": HOSTS,
        "record": HOSTS,
        # Gateway and Redis share a host.
        "settle": ["g1", "g1"],
        "rollout-noted": ["g1", *HOSTS],
        "free": ["r1"],
    }


def test_a_failure_ends_the_rollout_after_its_batch_and_the_fleet_goes_back(tmp_path: Path) -> None:
    done = _roll(tmp_path, {"r2": ["rollout"]})
    assert done.failed
    assert done.steps["rollout"] == ["r1", "r2", "r3"], "the batch ends, no other begins"
    assert done.steps["undo"] == HOSTS, "each host is asked once whether it has something to undo"
    assert "record" not in done.steps
    assert "settle" not in done.steps, "the keys of the release before are still wanted"
    assert done.steps["undo-noted"] == ["r1", "r2", "r3"], "where the rollout never came, nothing was undone"
    assert "keep" not in done.steps
    assert "free" not in done.steps, "the end of a run that failed is recorded as such, by the callback plug-in"
    assert "r2: Proof: Task failed: Action failed: planted" in done.said or "r2: Proof: planted" in done.said
    assert "r1: release old, undone: new" in done.said


def test_with_the_scope_host_the_others_keep_what_serves(tmp_path: Path) -> None:
    done = _roll(tmp_path, {"r2": ["rollout"]}, router_rollback_scope="host")
    assert done.failed
    assert done.steps["undo"] == ["r2"]
    assert "r1: release new" in done.said
    assert "r2: release old, undone: new" in done.said


def test_an_undo_that_fails_is_told_and_the_others_go_back(tmp_path: Path) -> None:
    done = _roll(tmp_path, {"r2": ["rollout", "undo"]})
    assert done.failed
    assert done.steps["undo"] == HOSTS
    assert done.steps["keep"] == ["r1"]
    assert "The lock stays, so that nobody deploys over it. When r2 is in order" in done.said
    assert "r2: the rollback failed too" in done.said
    assert "planted too" in done.said
    assert "r3: release old, undone: new" in done.said


def test_several_hosts_of_a_batch_that_fail_are_each_undone_once(tmp_path: Path) -> None:
    done = _roll(tmp_path, {"r2": ["rollout"], "r3": ["rollout"]})
    assert done.failed
    assert done.steps["undo"] == HOSTS
    for host in ("r2", "r3"):
        assert f"  {host}: Proof: " in done.said


def test_a_host_that_goes_away_ends_the_rollout_after_its_batch(tmp_path: Path) -> None:
    done = _roll(tmp_path, {"r2": ["lost"]})
    assert done.failed
    assert done.steps == {
        "rollout": ["r1", "r2", "r3"],
        "switch-noted": ["r1", "r3"],
    }, "a host that is gone says nothing of the release"
    assert "r2: was lost during the rollout" in done.said


def test_a_whole_batch_that_goes_away_ends_the_rollout(tmp_path: Path) -> None:
    done = _roll(tmp_path, {"r1": ["lost"]})
    assert done.failed
    assert done.steps == {"rollout": ["r1"]}


@pytest.mark.parametrize("batches", [["100%"], [3]])
def test_the_batches_are_those_of_the_inventory(tmp_path: Path, batches: list[object]) -> None:
    done = _roll(tmp_path, {"r2": ["rollout"]}, router_rollout_serial=batches)
    assert done.steps["rollout"] == (HOSTS if batches == ["100%"] else ["r1", "r2", "r3"])
