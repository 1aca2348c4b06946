#!/usr/bin/python
"""Saves the state of a host after a good deployment, and compares the host with it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import urllib.request
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: deployment_fingerprint
short_description: Save a fingerprint of what a deployment left on a host, and compare with it
description:
  - A part of a deployment names what it left (O(parts)). V(saved) writes digests of all that into one file, beside a
    digest of what the part was made from. V(compared) computes them again and returns which parts are as they were.
  - Sealed things are files and folders with their owners, modes and contents, containers as the engine describes them,
    images by their names, networks, what a URL or a socket answers, and how large the host is.
  - The fingerprint is bookkeeping of a run and no state of the host, so writing it is no change.
options:
  path:
    description: File of the fingerprint.
    type: path
    required: true
  state:
    description: What is wanted. V(compared) changes nothing.
    type: str
    choices: [compared, saved]
    required: true
  parts:
    description:
      - The parts by their names. Each has C(inputs), a digest of what the part is made from, and C(told), a dictionary
        of things that the caller knows by itself.
      - For V(saved) also C(watched), a list of dictionaries with any of C(paths) (a folder without what is in it),
        C(trees) (with it), C(containers), C(images), C(networks), C(urls), C(sockets) (dictionaries of C(path), the
        line to C(ask), and the C(columns) of the table that it answers with), C(nft_tables) (rules of nftables, as
        family and name) and C(size) (true for processors and memory); and C(facts), which V(compared) gives back.
    type: dict
    required: true
author: the project
"""

EXAMPLES = r"""
- name: Check whether the base is unchanged
  deployment_fingerprint:
    path: /opt/litellm-vibe-router/deployment/fingerprint.json
    state: compared
    parts: {base: {inputs: 5f1d, told: {}}}
  register: __deployment_look
"""

RETURN = r"""
same:
  description: Parts that are unchanged, with the same inputs.
  type: list
  elements: str
  returned: compared
differs:
  description: What is not, by part, one name a finding.
  type: dict
  returned: compared
facts:
  description: Saved facts of the parts that are the same.
  type: dict
  returned: compared
"""

URL_SECONDS = 3.0
SOCKET_SECONDS = 3.0
KINDS = ("container", "image", "network")
# The parts of a container's description that don't change while it runs.
LASTING = ("Id", "Image", "Config", "HostConfig", "RestartCount")


def digest(content: Any) -> str:
    """Return a short digest of any JSON value."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]


def described(path: Path) -> str:
    """Return a digest of one file, link or folder: kind, owner, mode, and what it holds."""
    try:
        entry = path.lstat()
    except OSError:
        return "absent"
    holds = ""
    if stat.S_ISLNK(entry.st_mode):
        holds = os.readlink(path)
    elif stat.S_ISREG(entry.st_mode):
        holds = hashlib.sha256(path.read_bytes()).hexdigest()
    return digest([stat.filemode(entry.st_mode), entry.st_uid, entry.st_gid, holds])


def tree(folder: Path) -> dict[str, str]:
    """Return digests of a folder and everything below it."""
    entries = [folder, *sorted(folder.rglob("*"))] if folder.is_dir() else [folder]
    return {f"file {entry}": described(entry) for entry in entries}


def lasting(kind: str, entry: dict[str, Any]) -> Any:
    """Return the part of the engine's description that shows that an object is unchanged, and works."""
    if kind != "container":
        return entry["Id"]
    state = entry["State"]
    now = {"status": state["Status"], "health": state.get("Health", {}).get("Status", "")}
    networks = sorted(entry["NetworkSettings"]["Networks"])
    return {**{key: entry.get(key) for key in LASTING}, **now, "networks": networks}


def engine(module: AnsibleModule, kind: str, names: list[str]) -> dict[str, str]:
    """Return digests of the engine's containers, images or networks of these names."""
    if not names:
        return {}
    found = {f"{kind} {name}": "absent" for name in names}
    # A missing one is reported on standard error; the others are still listed.
    out = module.run_command(["docker", kind, "inspect", *names])[1]
    for entry in json.loads(out or "[]"):
        known = {
            str(entry.get("Name", "")).lstrip("/"),
            *(entry.get("RepoTags") or []),
            *(entry.get("RepoDigests") or []),
        }
        # An image by its digest has the tag before it: name:tag@sha256:…
        for name in names:
            if name in known or ("@" in name and any(name.endswith(each.partition("@")[2] or "-") for each in known)):
                found[f"{kind} {name}"] = digest(lasting(kind, entry))
    return found


def answer(url: str) -> str:
    """Return a digest of a URL's answer."""
    try:
        with urllib.request.urlopen(url, timeout=URL_SECONDS) as reply:
            return digest(reply.read(65536).decode(errors="replace"))
    except OSError as error:
        return f"no answer ({type(error).__name__})"


def table(path: str, ask: str, columns: list[str]) -> str:
    """Return a digest of some columns of the table that a Unix socket, such as HAProxy's, answers to a command."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SOCKET_SECONDS)
            connection.connect(path)
            connection.sendall(f"{ask}\n".encode())
            lines = b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace").splitlines()
    except OSError as error:
        return f"no answer ({type(error).__name__})"
    names = next((line[1:].split() for line in lines if line.startswith("#")), [])
    rows = [dict(zip(names, line.split(), strict=False)) for line in lines if not line.startswith("#")]
    return digest([[row.get(column) for column in columns] for row in rows if len(row) > 1])


def rules(module: AnsibleModule, nft_table: str) -> str:
    """Return a digest of the kernel's rules in a table of nftables, without their counters."""
    code, out, _ = module.run_command(["nft", "--stateless", "list", "table", *nft_table.split()])
    return "absent" if code else digest(out)


def size() -> str:
    """Return how many processors and how many MiB of memory the host has."""
    mebibytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return f"{len(os.sched_getaffinity(0))} processors, {mebibytes} MiB"


def look(module: AnsibleModule, watched: list[dict[str, Any]], told: dict[str, Any]) -> dict[str, str]:
    """Return digests of all that is watched, by name."""
    found = {f"fact {name}": digest(value) for name, value in told.items()}
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for things in watched:
        found |= {f"file {path}": described(Path(path)) for path in things.get("paths") or []}
        for folder in things.get("trees") or []:
            found |= tree(Path(folder))
        found |= {f"answer of {url}": answer(url) for url in things.get("urls") or []}
        for each in things.get("sockets") or []:
            found[f"answer of {each['path']} to {each['ask']}"] = table(each["path"], each["ask"], each["columns"])
        for nft_table in things.get("nft_tables") or []:
            found[f"rules of {nft_table}"] = rules(module, nft_table)
        if things.get("size"):
            found["size of the host"] = size()
        for kind in KINDS:
            names[kind] += things.get(f"{kind}s") or []
    for kind in KINDS:
        found |= engine(module, kind, names[kind])
    return found


def load(path: Path) -> dict[str, Any]:
    """Return the saved parts by their names; none if the file is missing or was changed."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return {name: part for name, part in saved.items() if {"inputs", "watched", "found", "facts"} <= set(part)}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def write(path: Path, saved: dict[str, Any]) -> str:
    """Write the fingerprint atomically; return why it could not be written, or nothing."""
    draft = path.with_suffix(".new")
    try:
        # CRITICAL: only root may read it; it contains digests of keys.
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(saved, file, indent=1, sort_keys=True)
        draft.replace(path)
    except OSError as error:
        return str(error)
    return ""


def difference(saved: dict[str, Any], inputs: str, found: dict[str, str]) -> list[str]:
    """Return the names of what changed, the inputs first."""
    names = [name for name in sorted({*saved["found"], *found}) if saved["found"].get(name) != found.get(name)]
    return names if saved["inputs"] == inputs else ["inputs", *names]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "state": {"choices": ["compared", "saved"], "required": True},
            "parts": {"type": "dict", "required": True, "no_log": False},
        },
        supports_check_mode=True,
    )
    path, parts = Path(module.params["path"]), module.params["parts"]
    saved = load(path)
    if module.params["state"] == "compared":
        differs = {}
        for name, part in parts.items():
            if name in saved:
                found = look(module, saved[name]["watched"], part["told"])
                differs[name] = difference(saved[name], part["inputs"], found)
            else:
                differs[name] = ["no deployment has saved it"]
        same = [name for name, names in differs.items() if not names]
        facts = {fact: value for name in same for fact, value in saved[name]["facts"].items()}
        module.exit_json(changed=False, same=same, differs=differs, facts=facts)
    for name, part in parts.items():
        kept = {key: part[key] for key in ("inputs", "watched", "facts")}
        saved[name] = {**kept, "found": look(module, part["watched"], part["told"])}
    problem = "" if module.check_mode else write(path, saved)
    if problem:
        # Not a reason to fail a deployment: the serving release is good.
        module.warn(f"{path} was not written, so the next deployment will look at everything: {problem}")
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
