"""Records what a dry run would change: the findings of `playbooks/drift.yml`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: drift_report
type: aggregate
short_description: Write down what a dry run would change
description:
  - Silent until a task sets the fact vibe_drift_report; from then on every change of a host is added to that file of
    the control node, a JSON list of objects with host, task, message and diff.
requirements:
  - enabled in ansible.cfg
"""

PATH_FACT = "vibe_drift_report"


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no type stubs.
    """Collects the findings of this run, and writes them to a file."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "drift_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self._findings: list[dict[str, str]] = []

    def v2_runner_on_ok(self, result: Any) -> None:
        """Add what the task would change on its host."""
        told = result.result
        path = told.get("ansible_facts", {}).get(PATH_FACT)
        if path and self._path is None:
            self._path = Path(path)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._write()
        if self._path is None or not told.get("changed"):
            return
        items = [item for item in told.get("results", []) if item.get("changed")]
        words = [str(item.get("_ansible_item_label", "")) for item in items]
        # What Docker Compose would do with a container.
        words += [f"{action['id']}: {action['status']}" for action in told.get("actions", [])]
        if result.task.action.endswith("debug"):
            words = [str(told.get("msg", ""))]
        self._findings.append(
            {
                "host": result.host.get_name(),
                "task": result.task.get_name(),
                "message": ", ".join(words),
                "diff": "".join(self._get_diff(part["diff"]) for part in items or [told] if part.get("diff")),
            }
        )
        self._write()

    def _write(self) -> None:
        assert self._path is not None
        self._path.write_text(json.dumps(self._findings, indent=2) + "\n", encoding="utf-8")
