"""The output of ./deploy.sh: steps, findings and the summary, with Ansible's own output in a log."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible.plugins.callback import CallbackBase

# Ansible loads a plug-in by its path, outside any package, so its package must be on the path before the imports.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from vibe_playbooks.run_log import RunLog
from vibe_playbooks.terminal import Terminal

DOCUMENTATION = r"""
name: vibe_terminal
type: stdout
short_description: Steps, findings and a summary instead of every task
description:
  - A line for each step, with its hosts, time and changes; what tasks named C(Show ...) say; failures in full; the
    task named C(Show the summary) last. On a terminal, a live line for what runs now.
  - A Show task with the variable C(vibe_show) set to a style is shown in that style alone.
  - Everything else goes to the log.
options:
  verb:
    description: What the run is called in its last line.
    type: str
    default: run
    env: [{name: VIBE_VERB}]
  style:
    description: C(steps) shows the steps, C(answer) only what Show tasks say, C(quiet) failures alone.
    type: str
    choices: [steps, answer, quiet]
    default: steps
    env: [{name: VIBE_OUTPUT}]
  log_file:
    description: File of the log. Older logs in its folder go.
    type: path
    env: [{name: VIBE_LOG_FILE}]
"""

SHOW = "Show "
SUMMARY = "Show the summary"
_VERBS_DONE = {"deploy": "Deployed", "rollback": "Rolled back", "teardown": "Removed", "rotate": "Rotated"}


def _is_rescued(task: Any) -> bool:
    """Whether a failure of *task* is handled by a rescue section around it."""
    child, parent = task, task._parent
    while parent is not None:
        if getattr(parent, "rescue", None) and any(each._uuid == child._uuid for each in parent.block):
            return True
        child, parent = parent, parent._parent
    return False


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no type stubs.
    """Hands the events of a run to the terminal and to the log."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "vibe_terminal"

    def __init__(self) -> None:
        super().__init__()
        self._terminal = Terminal(sys.stdout, is_terminal=False)
        self._log: RunLog | None = None
        self._summary: Any = None
        # The messages of one task: its name, and each message with the hosts that have it.
        self._said: list[tuple[str, Any, list[str]]] = []
        self._failures: list[tuple[str, str, list[str]]] = []
        self._rescued: list[tuple[str, str, list[str]]] = []
        self._failed = False
        self._process = os.getpid()
        self._display_line: Callable[..., None] = self._display.display

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Open terminal and log, as the environment variables ask."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        self._verb, self._style = self.get_option("verb"), self.get_option("style")
        # Its own copy of the standard output: a worker that is forked while a line is drawn must not wait for its lock.
        out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
        is_terminal = out.isatty() and os.environ.get("TERM") != "dumb" and not constants.ANSIBLE_NOCOLOR
        self._terminal = Terminal(
            out, is_terminal=is_terminal, shows_steps=self._style == "steps", is_quiet=self._style == "quiet"
        )
        self._errors = Terminal(sys.stderr, is_terminal=False) if self._style == "quiet" else self._terminal
        if file := self.get_option("log_file"):
            try:
                self._log = RunLog(Path(file))
            except OSError as error:
                self._terminal.say(f"WARNING: this run has no log: {error}. Fix: make {file} writable.")

    # The run.

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Take over what Ansible itself prints, warnings above all: they go above the live line."""
        self._display.display = self._say
        atexit.register(self._end)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Begin a step, or continue it."""
        self._flush()
        self._write(f"PLAY [{play.get_name()}]")
        self._terminal.begin_play(play.get_name().strip())

    def v2_playbook_on_vars_prompt(self, varname: str, *_: Any, **__: Any) -> None:
        """Leave the terminal to the question."""
        self._terminal.close()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Show what runs now."""
        self._flush()
        self._write(f"TASK [{task.get_name()}]")
        self._terminal.begin_task(task.get_name())

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """As for a task."""
        self.v2_playbook_on_task_start(task, False)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Log it."""
        self._write(f"included: {included_file._filename}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """End the last step, and print the summary, or the log's path."""
        self._flush()
        if not self._failed and (stats.failures or stats.dark):
            # All failures were in blocks with a rescue section, but the run failed.
            self._failed = True
            for task, message, hosts in self._rescued[-1:]:
                self._errors.fail(", ".join(sorted(hosts)), task, message)
        self._terminal.end_step(failed=self._failed)
        self._terminal.close()
        for host in sorted(stats.processed):
            self._write(f"{host}: {stats.summarize(host)}")
        done = not (self._failed or stats.failures or stats.dark)
        if done and self._style == "steps" and self._verb in _VERBS_DONE:
            self._terminal.say("")
            word = "Dry run" if context.CLIARGS.get("check") else _VERBS_DONE[self._verb]
            self._terminal.say(self._terminal.result(word))
        if done and self._summary is not None:
            self._terminal.say("")
            self._terminal.show(self._summary)
        if self._log and not done:
            self._errors.say(f"Log: {os.path.relpath(self._log.path)}")

    # Results.

    def v2_runner_on_ok(self, result: Any) -> None:
        """Record changes, and print the output of a Show task."""
        host, task, told = result.host.get_name(), result.task, result.result
        changed = bool(told.get("changed"))
        self._terminal.saw(host, task=task.get_name(), changed=changed)
        self._write_result("changed" if changed else "ok", host, result, full=changed or "msg" in told)
        name = task.name or ""
        if name == SUMMARY:
            self._summary = told.get("msg")
        elif name.startswith(SHOW) and "msg" in told and task.vars.get("vibe_show", self._style) == self._style:
            self._add(self._said, "" if task.run_once else name, host, told["msg"])
        self._handle_warnings(told)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Print a failure, unless a rescue section handles it."""
        host, told = result.host.get_name(), result.result
        self._terminal.saw(host)
        self._write_result("failed", host, result, full=True)
        if ignore_errors:
            return
        if _is_rescued(result.task):
            self._add(self._rescued, result.task.get_name(), host, self._message(told))
        else:
            self._failed = True
            self._add(self._failures, result.task.get_name(), host, self._message(told))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Print the host that cannot be reached, and why."""
        host, told = result.host.get_name(), result.result
        self._terminal.saw(host)
        self._write_result("unreachable", host, result, full=True)
        if not result.task.ignore_unreachable:
            self._failed = True
            fix = "check that the host is up and that ssh with the inventory's user and key works"
            message = f"{self._message(told)}\nFix: {fix}"
            self._add(self._failures, "the host cannot be reached", host, message)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Log it, and record that a step may have nothing to do."""
        self._terminal.skipped()
        self._write_result("skipped", result.host.get_name(), result, full=False)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Log it."""
        self._write_result("item ok", result.host.get_name(), result, full=bool(result.result.get("changed")))

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Log it."""
        self._write_result("item failed", result.host.get_name(), result, full=True)

    def v2_runner_retry(self, result: Any) -> None:
        """Log it."""
        self._write(f"waiting: [{result.host.get_name()}] {result.result.get('attempts')}")

    def v2_on_file_diff(self, result: Any) -> None:
        """Print differences, if --diff asks for them."""
        told = result.result
        for part in told.get("results") or [told]:
            is_changed = part.get("changed") or told.get("changed")
            text = self._get_diff(part["diff"]) if part.get("diff") and is_changed else ""
            if text:
                self._terminal.say(f"{result.host.get_name()}: {result.task.get_name()}\n{text.rstrip()}")
                self._write(text)

    # Helpers.

    @staticmethod
    def _add(messages: list[tuple[str, Any, list[str]]], title: str, host: str, message: Any) -> None:
        """Add a host's message to *messages*; hosts with the same message are listed together."""
        for known_title, known, hosts in messages:
            if (known_title, known) == (title, message):
                hosts.append(host)
                return
        messages.append((title, message, [host]))

    def _flush(self) -> None:
        """Print the messages of the last task."""
        for title, message, hosts in self._said:
            # With one host, or one answer for all, the name adds nothing.
            if title and self._terminal.has_several_hosts:
                self._terminal.say(f"{', '.join(sorted(hosts))}:")
            self._terminal.show(message)
        for title, message, hosts in self._failures:
            self._errors.fail(", ".join(sorted(hosts)), title, message)
        self._said, self._failures = [], []

    def _message(self, told: Any) -> str:
        """Return the message of a failed result; of a loop, those of its failed items."""
        if "censored" in told:
            return "its output is hidden, because it can hold secrets\nFix: -e vibe_debug_secrets=true shows it"
        if items := [item for item in told.get("results") or [] if item.get("failed")]:
            return "\n".join(str(item.get("msg", "")).strip() for item in items)
        said = [str(told.get(key) or "").strip() for key in ("msg", "stderr")]
        if said[1] and said[1] not in said[0]:
            return "\n".join(filter(None, said))
        return said[0] or "it gave no reason"

    def _write(self, text: str) -> None:
        if self._log:
            self._log.write(text)

    def _write_result(self, state: str, host: str, result: Any, *, full: bool) -> None:
        if self._log:
            label = f" ({self._get_item_label(result.result)})" if state.startswith("item") else ""
            dumped = f" => {self._dump_results(result.result, indent=2)}" if full else ""
            self._log.write(f"{state}: [{host}]{label}{dumped}")

    def _say(self, msg: str, *_: Any, **options: Any) -> None:
        """Print a line of Ansible's own, such as a warning."""
        if options.get("log_only"):
            return
        self._write(str(msg))
        target = self._errors if options.get("stderr") else self._terminal
        target.say(str(msg).rstrip("\n"))

    def _end(self) -> None:
        """Leave the terminal in order, however the run ended."""
        if os.getpid() == self._process:
            with contextlib.suppress(OSError):
                self._terminal.close()
