#!/usr/bin/python
"""Merges settings into the engine's daemon.json, validates the result, and reports whether a reload is enough."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: docker_daemon_json
short_description: Merge settings into daemon.json
description:
  - Keys that are not named here keep what an administrator gave them.
  - The file is written only when its meaning changes.
  - A file that is not a JSON object is refused with its line and column, and left as it is.
options:
  path:
    description: The engine's configuration file.
    type: path
    default: /etc/docker/daemon.json
  settings:
    description: Keys to set. A null value removes the key.
    type: dict
    default: {}
  log_rotation:
    description: Options added to C(log-opts) where the log driver in force writes files of its own.
    type: dict
    default: {}
  flags:
    description: Keys that the running engine has as flags; these are left out, because it refuses a key given twice.
    type: list
    elements: str
    default: []
  dockerd:
    description: The engine's program, which checks the result. Empty where there is none yet.
    type: str
    default: ''
  backup:
    description: Keep a copy of the file that was there.
    type: bool
    default: true
author: the project
"""

EXAMPLES = r"""
- name: Settings of the engine are in place
  docker_daemon_json:
    settings: {live-restore: true}
"""

RETURN = r"""
restart_keys:
  description: Changed keys that the engine reads only at its start.
  type: list
  returned: always
"""

# Keys that SIGHUP applies: daemon/reload.go of moby, the same from 20.10 to 28.
# All other keys, including log options and address pools, need a restart.
RELOADABLE = frozenset(
    {
        "allow-nondistributable-artifacts",
        "debug",
        "default-runtime",
        "features",
        "insecure-registries",
        "labels",
        "live-restore",
        "max-concurrent-downloads",
        "max-concurrent-uploads",
        "max-download-attempts",
        "network-diagnostic-port",
        "registry-mirrors",
        "runtimes",
        "shutdown-timeout",
    }
)
# Drivers that write files on the host, which grow without limit unless these options are set.
ROTATING = frozenset({"json-file", "local"})


class Malformed(ValueError):
    """The file's content cannot be used."""


def parse(text: str) -> dict[str, Any]:
    """The settings in the file; an empty file has none."""
    if not text.strip():
        return {}
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise Malformed(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    if not isinstance(content, dict):
        raise Malformed(f"line 1, column 1: the file holds a {type(content).__name__}, not an object in {{ }}")
    return content


def merge(
    current: dict[str, Any], settings: dict[str, Any], rotation: dict[str, str], flags: list[str]
) -> dict[str, Any]:
    """The new content: the given settings win, other keys stay."""
    merged = dict(current)
    for key, value in settings.items():
        if key in flags:
            continue
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict) and key != "default-address-pools":
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    driver = merged.get("log-driver", "json-file")
    if rotation and driver in ROTATING and not {"log-driver", "log-opts"} & set(flags):
        # The engine does not start with options of another driver.
        kept = merged.get("log-opts") or {} if driver == current.get("log-driver", "json-file") else {}
        merged["log-opts"] = {**kept, **rotation}
    return merged


def changed_keys(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(
        key for key in {*before, *after} if before.get(key) != after.get(key) or (key in before) != (key in after)
    )


def refusal(module: AnsibleModule, dockerd: str, path: str) -> str:
    """Why this engine would not start with the file; empty when it would."""
    helped = module.run_command([dockerd, "--help"])[1]
    if "--validate" in helped:
        code, out, error = module.run_command([dockerd, "--validate", "--config-file", path])
        return "" if code == 0 else (error or out).strip()
    # 20.10 has no --validate, but reads its file before it checks for root, and changes nothing until then:
    # as the user nobody it either reports an error in the file or asks to be root.
    code, out, error = module.run_command(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", dockerd, "--config-file", path],
        environ_update={"XDG_RUNTIME_DIR": ""},
    )
    text = (error or out).strip()
    return "" if "needs to be started with root" in text else text or f"dockerd ended with {code}"


def render(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "/etc/docker/daemon.json"},
            "settings": {"type": "dict", "default": {}},
            "log_rotation": {"type": "dict", "default": {}},
            "flags": {"type": "list", "elements": "str", "default": []},
            "dockerd": {"type": "str", "default": ""},
            "backup": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    path: str = given["path"]
    text = ""
    exists = os.path.exists(path)
    if exists:
        try:
            with open(path, encoding="utf-8-sig") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            module.fail_json(msg=f"{path} cannot be read: {error}. Fix: correct or remove it; nothing was changed.")
    try:
        current = parse(text)
    except Malformed as error:
        module.fail_json(
            msg=f"{path} is malformed at {error}. Fix: correct it there, or move it away to start from none, "
            "and run this again; nothing was changed."
        )
    wanted = merge(current, given["settings"], given["log_rotation"], given["flags"])
    keys = changed_keys(current, wanted)
    result: dict[str, Any] = {
        "changed": bool(keys),
        "keys": keys,
        "restart_keys": [key for key in keys if key not in RELOADABLE],
        "left_to_flags": sorted(
            set(given["flags"]) & ({*given["settings"]} | ({"log-opts"} if given["log_rotation"] else set()))
        ),
        "existed": exists,
        "backup_file": "",
        "diff": {
            "before_header": path,
            "after_header": path,
            "before": text,
            "after": render(wanted) if keys else text,
        },
    }
    if not keys:
        module.exit_json(**result)
    handle, draft = tempfile.mkstemp(prefix="daemon.json.", dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(render(wanted))
    if given["dockerd"]:
        # The engine's own check may run as the user nobody, who cannot read Ansible's private folder.
        handle, shown = tempfile.mkstemp(prefix="docker-daemon-json.", suffix=".check")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(render(wanted))
        os.chmod(shown, 0o644)
        try:
            why = refusal(module, given["dockerd"], shown)
        finally:
            os.unlink(shown)
        if why:
            module.fail_json(
                msg=f"The engine refuses the settings meant for {path} ({', '.join(keys)}): {why}. "
                "The file was not changed.",
                **result,
            )
    if not module.check_mode:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        if exists and given["backup"]:
            result["backup_file"] = module.backup_local(path)
        if not exists:
            os.chmod(draft, 0o644)
        module.atomic_move(draft, path)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
