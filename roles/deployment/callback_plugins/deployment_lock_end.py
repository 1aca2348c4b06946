"""Frees the lock of a deployment that failed or was interrupted, when no task can run any more."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: deployment_lock_end
type: aggregate
short_description: Free the lock of a deployment that failed or was interrupted
description:
  - Remembers whether the run holds the lock. Where it still does when Ansible ends, playbooks/unlock.yml is run for it.
  - Makes a termination signal, and a terminal that is closed, end a run as Ctrl-C does, so that the lock is freed.
  - Repeats an interrupt that Python has swallowed, at the start of the next task.
requirements:
  - enabled in ansible.cfg
"""

PLAYBOOK = Path(__file__).resolve().parents[3] / "playbooks" / "unlock.yml"
# Options of the run that reach the hosts and read the inventory, by their name in Ansible's parsed command line.
LISTS = {
    "inventory": "-i",
    "extra_vars": "-e",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
}
VALUES = {
    "remote_user": "--user",
    "private_key_file": "--private-key",
    "connection": "--connection",
    "ssh_common_args": "--ssh-common-args",
    "ssh_extra_args": "--ssh-extra-args",
    "become_user": "--become-user",
    "become_method": "--become-method",
    "become_password_file": "--become-password-file",
    "connection_password_file": "--connection-password-file",
}
SWITCHES = {
    "ask_pass": "--ask-pass",
    "become_ask_pass": "--ask-become-pass",
    "ask_vault_pass": "--ask-vault-password",
}
# Set by the role's main.yml right before the lock is taken.
RUN_FACT = "deployment_run"
MODULES = ("deployment_lock", "ansible.legacy.deployment_lock")
REASON_LENGTH = 300


def unlock_command(arguments: Mapping[str, Any], run: str, reason: str) -> list[str]:
    """Return the command that frees the lock of *run*, with the run's own connection options."""
    command = [sys.argv[0], str(PLAYBOOK)]
    for name, option in LISTS.items():
        command += [word for value in arguments.get(name) or () for word in (option, str(value))]
    for name, option in VALUES.items():
        if arguments.get(name):
            command += [option, str(arguments[name])]
    command += [option for name, option in SWITCHES.items() if arguments.get(name)]
    # JSON, because a reason has spaces and may have quotes.
    return [*command, "-e", json.dumps({"unlock_run": run, "unlock_reason": reason})]


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no type stubs.
    """Knows whether this run holds the lock, and what failed last."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "deployment_lock_end"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._run = ""
        self._failure = ""
        self._process = os.getpid()
        self._interrupted = False
        self._interrupt_run: Any = signal.default_int_handler

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Prepare the end of the run; here, because signal handlers can only be set in the main thread."""
        atexit.register(self._end)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._as_an_interrupt)
        self._interrupt_run = signal.getsignal(signal.SIGINT)
        if callable(self._interrupt_run):
            signal.signal(signal.SIGINT, self._interrupt)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """End a run that continues after an interrupt."""
        self._repeat_interrupt()

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """As at the start of a task."""
        self._repeat_interrupt()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """As at the start of a task: the interrupt may have been lost in the last one."""
        self._repeat_interrupt()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Record whether this run holds the lock.

        From the moment when the run has its name: an interrupt may come before the lock's own result.
        """
        named = result.result.get("ansible_facts", {}).get(RUN_FACT)
        if named:
            self._run = str(named)
        if result.task.action in MODULES and "held" in result.result:
            self._run = result.result["run"] if result.result["held"] else ""

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Record the last failure, by the first line of its message; a secret one has no message."""
        if not ignore_errors:
            said = str(result.result.get("msg") or result.task.get_name()).strip()
            self._failure = f"{result.host.get_name()}: {said.splitlines()[0]}"

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Record the last unreachable host."""
        self._failure = f"{result.host.get_name()}: was not reached any more"

    def _repeat_interrupt(self) -> None:
        """Raise the interrupt that was lost.

        Python ignores what is raised while an object is finalized or a process forks, which a run does at every task:
        the run would go on, and the next interrupt would end it without its lock being freed.
        """
        if self._interrupted:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        # Ansible's own, which ends the workers and raises; it leaves the next signal to the system.
        self._interrupt_run(number, frame)

    def _as_an_interrupt(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() == self._process:
            os.kill(self._process, signal.SIGINT)
        else:
            # A worker, which only inherited this.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _end(self) -> None:
        if not self._run or os.getpid() != self._process:
            return
        reason = (self._failure or "interrupted")[:REASON_LENGTH]
        self._say(f"The run ended before its time ({reason}): its lock is being freed.")
        command = unlock_command(context.CLIARGS, self._run, reason)
        # Nothing is inherited: Ansible has closed its streams by now. A password prompt uses the terminal itself.
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            self._say(f"{done.stdout}\nThe lock of run {self._run} could not be freed. Fix: ./deploy.sh unlock")

    def _say(self, words: str) -> None:
        # The lock must be freed even if nothing reads the output any more.
        with contextlib.suppress(OSError):
            self._display.display(words, stderr=True)
