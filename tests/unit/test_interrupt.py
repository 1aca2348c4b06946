"""An interrupt ends a run even where Python swallows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
# Python ignores exceptions in finalizers, as in callbacks of a fork, which is where a run loses an interrupt.
SWALLOWED = """
import os
import signal

from ansible.plugins.callback import CallbackBase


class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(10):
            pass


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_NAME = "swallowed"

    def v2_playbook_on_task_start(self, task, is_conditional):
        if task.get_name() == "First":
            Finalized()
"""
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: First
      ansible.builtin.debug:
        msg: first
    - name: Second
      ansible.builtin.debug:
        msg: second
"""


@pytest.mark.parametrize("callback", ["deployment_lock_end", ""])
def test_an_interrupt_that_python_swallowed_ends_the_run_at_its_next_task(tmp_path: Path, callback: str) -> None:
    (tmp_path / "swallowed.py").write_text(SWALLOWED, encoding="utf-8")
    play = tmp_path / "play.yml"
    play.write_text(PLAY, encoding="utf-8")
    settings = {
        "ANSIBLE_CONFIG": str(tmp_path / "none.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": f"{tmp_path}:{PROJECT / 'roles/deployment/callback_plugins'}",
        "ANSIBLE_CALLBACKS_ENABLED": f"swallowed,{callback}".rstrip(","),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    done = subprocess.run(
        [PLAYBOOK, "-i", "localhost,", "-c", "local", play],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Exception ignored in" in done.stderr
    assert "DEPRECATION" not in done.stderr
    # Without the callback the run continues: Python does swallow it.
    assert (done.returncode != 0) == bool(callback), done.stderr
    assert ("msg: second" in done.stdout or '"msg": "second"' in done.stdout) != bool(callback)
