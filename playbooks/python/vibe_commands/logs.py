"""./deploy.sh logs: the logs of the deployment's containers on all hosts, in order of time."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from .messages import log

_DEFAULT_SINCE = "10m"
_SINCE = re.compile(r"[0-9A-Za-z:.+-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# The part of a container's name that identifies its role.
_ROLES = {"router": "litellm-vibe-router", "gateway": "vibe-gateway", "redis": "vibe-redis"}
_LINE_LIMIT = 1024 * 1024


def remote_script(*, since: str, follow: bool, role: str | None) -> str:
    """Return the shell script that prints `CONTAINER TIME LINE` for each line of the deployment's containers."""
    names = (
        """docker ps --all --format '{{.Names}} {{.Label "vibe.slot"}}{{.Label "vibe.project"}}'"""
        " | awk 'NF > 1 {print $1}'" + (f" | grep -e {_ROLES[role]}" if role else "")
    )
    options = f"--timestamps --since {since}" + (" --follow" if follow else "")
    return (
        f'for name in $({names}); do docker logs {options} "$name" 2>&1 | while IFS= read -r line;'
        ' do printf "%s %s\\n" "$name" "$line"; done & done; wait'
    )


def host_command(variables: Mapping[str, Any], host: str, script: str) -> list[str]:
    """Return the command that runs *script* on a host as root, over the connection that the inventory describes."""
    user = variables.get("ansible_user")
    if variables.get("ansible_connection", "ssh") == "local":
        return [*([] if os.geteuid() == 0 else ["sudo"]), "sh", "-c", script]
    command = ["ssh", "-o", "BatchMode=yes"]
    for name in ("ansible_ssh_common_args", "ansible_ssh_extra_args"):
        command += shlex.split(str(variables.get(name) or ""))
    if port := variables.get("ansible_port"):
        command += ["-p", str(port)]
    if key := variables.get("ansible_ssh_private_key_file"):
        command += ["-i", str(key)]
    address = str(variables.get("ansible_host") or host)
    sudo = "" if user == "root" else "sudo -n "
    return [*command, f"{user}@{address}" if user else address, f"{sudo}sh -c {shlex.quote(script)}"]


def _hosts(inventory: str, limit: str | None) -> dict[str, dict[str, Any]]:
    """Return the hosts of the inventory with their variables."""
    command = [".venv/bin/ansible-inventory", "-i", inventory, "--list", *(["--limit", limit] if limit else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        log("ERROR", f"the inventory {inventory} cannot be read: {' '.join(done.stderr.split())}")
        return {}
    found = json.loads(done.stdout)
    hosts: dict[str, dict[str, Any]] = found["_meta"]["hostvars"]
    names = {name for group in found.values() if isinstance(group, dict) for name in group.get("hosts", [])}
    return {name: hosts.get(name, {}) for name in sorted(names)}


def render(host: str, line: str) -> tuple[str, str]:
    """Return the time of a line, and the line as it is shown."""
    name, _, rest = line.partition(" ")
    when, _, text = rest.partition(" ")
    return when, f"{when[:19]}Z {host} {name} {_CONTROL.sub('', text)}"


async def _collect(host: str, command: list[str], options: argparse.Namespace) -> list[tuple[str, str]]:
    """Run the command of one host; print its lines while it runs if they are followed, else return them."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=_LINE_LIMIT
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[tuple[str, str]] = []
    try:
        async for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            if options.request and options.request not in line:
                continue
            shown = render(host, line)
            if options.follow:
                print(shown[1], flush=True)
            else:
                lines.append(shown)
        problem = (await process.stderr.read()).decode(errors="replace").strip()
        if await process.wait() != 0 and problem:
            log(
                "ERROR", f"{host}: {problem.splitlines()[-1]}. Fix: ./deploy.sh status shows which hosts can be reached"
            )
    finally:
        if process.returncode is None:
            process.terminate()
    return lines


async def _collect_all(commands: Mapping[str, list[str]], options: argparse.Namespace) -> None:
    results = await asyncio.gather(*(_collect(host, command, options) for host, command in commands.items()))
    for _, line in sorted(line for lines in results for line in lines):
        print(line)


def show_logs(options: argparse.Namespace) -> int:
    """Print the logs that *options* ask for; return the exit code."""
    since = options.since or _DEFAULT_SINCE
    if not _SINCE.fullmatch(since):
        log("ERROR", f"--since {since!r} is not a time. Fix: give 10m, 2h or 2026-12-01T09:00:00")
        return 5
    hosts = _hosts(options.inventory, options.limit)
    if not hosts:
        log("ERROR", "no host matches. Fix: check -i and --limit")
        return 1
    script = remote_script(since=since, follow=bool(options.follow), role=options.role)
    commands = {host: host_command(variables, host, script) for host, variables in hosts.items()}
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_collect_all(commands, options))
    sys.stdout.flush()
    return 0
