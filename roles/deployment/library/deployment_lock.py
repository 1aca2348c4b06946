#!/usr/bin/python
"""One deployment at a time: a lock with its holder, its time and its reason."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: deployment_lock
short_description: Take, keep and free the lock of a deployment
description:
  - The lock is a file on one host that all deployments of an environment agree on; its folder exists.
    It names its holder.
  - Taking it again in the same run renews it.
    One that was not renewed for O(ttl) seconds is taken over, for its run no longer lives.
  - A lock that is kept is never taken over, and freed by name alone.
  - The lock is bookkeeping of a run and no state of the host,
    so only taking over and freeing another run's counts as a change.
options:
  path:
    description: The lock's file. Without its folder nobody holds it.
    type: path
    required: true
  state:
    description: What is wanted. V(looked) changes nothing.
    type: str
    choices: [held, kept, free, looked]
    required: true
  run:
    description: Name of the run. Needed for V(held) and V(kept); V(free) frees only this run's lock, or without it any.
    type: str
    default: ""
  by:
    description: Who runs it.
    type: str
    default: ""
  action:
    description: What the run does, in one word.
    type: str
    default: ""
  message:
    description: What the run is for; for V(kept), why it is kept.
    type: str
    default: ""
  ttl:
    description: Seconds after which a lock that was not renewed is taken over.
    type: int
    default: 3600
"""

RETURN = r"""
run:
  description: The run that was asked for.
  type: str
  returned: always
held:
  description: Whether the lock is this run's now.
  type: bool
  returned: always
taken_over:
  description: Whether it was another run's, which no longer lives.
  type: bool
  returned: when O(state=held) and it was had
holder:
  description: Who holds it, or held it before it was freed or taken over; empty where nobody did. Times are UTC.
  type: dict
  returned: always
reason:
  description: Why the lock was not had, in one sentence; empty where it was.
  type: str
  returned: always
"""

FILE_MODE = 0o644


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time read and change the lock; processes wait for the folder itself."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read(path: Path) -> dict[str, Any]:
    """Return who holds the lock, or an empty dictionary.

    Raises:
        ValueError: the file is not a JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    holder = json.loads(text)
    if not isinstance(holder, dict):
        raise ValueError("no JSON object")
    return holder


def write(path: Path, holder: dict[str, Any]) -> None:
    """Write the lock's holder atomically."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(holder) + "\n", encoding="utf-8")
    draft.chmod(FILE_MODE)
    draft.replace(path)


def words(seconds: float) -> str:
    """Return a time span for a reader."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{max(0, int(seconds))} s"


def stamp(at: float) -> str:
    """Return *at*, seconds since 1970, as UTC."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def refusal(holder: dict[str, Any], now: float) -> str:
    """Describe the lock: its holder, its time, and the reason why it is kept."""
    who = f"{holder.get('by', 'somebody')}, run {holder.get('run', 'unknown')}"
    purpose = f" ({': '.join(words for words in (holder.get('action'), holder.get('message')) if words)})"
    purpose = "" if purpose == " ()" else purpose
    since = f"{holder.get('since', 'an unknown time')}, {words(now - float(holder.get('at', now)))} ago"
    if holder.get("kept"):
        return f"kept since the run of {who}{purpose}, begun {since}: {holder['kept']}"
    return f"held by {who}{purpose}, since {since}"


def settle(wanted: dict[str, Any], path: Path, now: float) -> dict[str, Any]:
    """Bring the lock to the wanted state; return the module's result."""
    holder = read(path)
    own = bool(holder) and holder.get("run") == wanted["run"]
    result = {"run": wanted["run"], "held": own, "holder": holder, "reason": "", "changed": False}
    if wanted["state"] == "held":
        fresh = {name: wanted[name] for name in ("run", "by", "action", "message")} | {"since": stamp(now), "at": now}
        idle = now - float(holder.get("renewed", now)) if holder else 0.0
        if holder and not own and (holder.get("kept") or idle <= wanted["ttl"]):
            return {**result, "reason": refusal(holder, now)}
        write(path, {**(holder if own else fresh), "renewed": now})
        taken_over = bool(holder) and not own
        return {**result, "held": True, "taken_over": taken_over, "changed": taken_over}
    if wanted["state"] == "kept" and own:
        # A kept lock is no longer held: the end of this run must not free it.
        write(path, {**holder, "kept": wanted["message"]})
        return {**result, "held": False}
    if wanted["state"] == "kept":
        return {**result, "reason": f"not this run's: {refusal(holder, now)}" if holder else "not held by anybody"}
    if wanted["state"] == "free" and holder:
        if wanted["run"] and (not own or holder.get("kept")):
            return {**result, "reason": refusal(holder, now)}
        path.unlink()
        return {**result, "held": False, "changed": not own}
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "state": {"choices": ["held", "kept", "free", "looked"], "required": True},
            "run": {"default": ""},
            "by": {"default": ""},
            "action": {"default": ""},
            "message": {"default": ""},
            "ttl": {"type": "int", "default": 3600},
        },
        required_if=[("state", "held", ("run", "by")), ("state", "kept", ("run", "message"))],
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    wanted = dict(module.params)
    if module.check_mode:
        wanted["state"] = "looked"
    try:
        if not path.parent.is_dir() and wanted["state"] != "held":
            module.exit_json(run=wanted["run"], held=False, holder={}, reason="", changed=False)
        with alone(path.parent):
            module.exit_json(**settle(wanted, path, time.time()))
    except (OSError, ValueError) as error:
        module.fail_json(
            msg=f"the lock {path} cannot be read or written: {error}. Fix: look at the file, or remove it."
        )


if __name__ == "__main__":
    main()
