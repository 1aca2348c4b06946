#!/usr/bin/python
"""Ensures the files of a release on the host: one task compares, shows and writes them all."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: release_files
short_description: Put the files of a release on a host, all by one task
description:
  - A release does not change once it is complete, which its manifest says. One that is not complete, or that somebody
    edited or a disk spoilt, is written again, without the manifest, for it has to be validated again.
  - Each file is replaced at once or not at all. Files that are as they were rendered are left alone.
options:
  path:
    description: The release's folder.
    type: path
    required: true
  bundle:
    description:
      - The files, as the Base64 of a JSON object of their texts by their paths below O(path). Never logged, for some
        hold keys, and none is short.
    type: str
    required: true
  secrets:
    description: Those of the files that the user O(uid) alone may read.
    type: list
    elements: str
    default: []
  uid:
    description: Numeric user whom the O(secrets) belong to.
    type: int
    required: true
  manifest:
    description: File that says by being there that the release is complete.
    type: str
    default: manifest.json
  folders:
    description: Folders that are to be there besides.
    type: list
    elements: path
    default: []
  compared_with:
    description: Folder of the release that serves, to which the differences of the O(shown) files are shown.
    type: path
    required: true
  shown:
    description: Those of the files whose differences are shown.
    type: list
    elements: str
    default: []
author: the project
"""

EXAMPLES = r"""
- name: Release is on the host as it was rendered
  release_files:
    path: /opt/litellm-vibe-router/router/releases/5f1d2a
    bundle: "{{ {'config.yaml': 'a: 1\n'} | to_json | b64encode }}"
    uid: 10001
    compared_with: /opt/litellm-vibe-router/router/current
    shown: [config.yaml]
"""

RETURN = r"""
spoilt:
  description: What is wrong with a release that is complete, one file a line.
  type: list
  elements: str
  returned: always
"""

FOLDER_MODE = 0o755
FILE_MODE, SECRET_MODE = 0o644, 0o400
# An older toolkit kept the source's modes for the plug-in's files.
ACCEPTED_MODES = (FILE_MODE, 0o755)


def read(path: Path) -> str | None:
    """Return the text of a file, or None where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def fault(path: Path, text: str, uid: int, modes: tuple[int, ...]) -> str:
    """Return what is wrong with a file of a release, or nothing."""
    try:
        entry = path.lstat()
        same = stat.S_ISREG(entry.st_mode) and path.read_bytes() == text.encode()
    except OSError:
        return "is missing"
    if not same:
        return "was changed"
    mode = stat.S_IMODE(entry.st_mode)
    if mode not in modes or entry.st_uid != uid:
        return f"has mode {mode:04o} and owner {entry.st_uid}, not {modes[0]:04o} and {uid}"
    return ""


def folder_fault(path: Path) -> str:
    """Return what is wrong with a folder, or nothing."""
    try:
        mode = stat.S_IMODE(path.lstat().st_mode)
    except OSError:
        return "is missing"
    return "" if mode == FOLDER_MODE else f"has mode {mode:04o}, not {FOLDER_MODE:04o}"


def make_folder(path: Path) -> None:
    """Make a folder that anyone may enter, and those above it, whatever the umask."""
    for folder in [*reversed(path.parents), path]:
        if not folder.is_dir():
            folder.mkdir()
            folder.chmod(FOLDER_MODE)


def write(path: Path, text: str, uid: int, mode: int) -> None:
    """Replace one file atomically."""
    draft = path.with_name(f".{path.name}.new")
    # CRITICAL: a secret is private from its first byte on.
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_MODE), "wb") as file:
        file.write(text.encode())
    draft.chmod(mode)
    os.chown(draft, uid, uid)
    draft.replace(path)


def differences(before: Path, after: Path, files: dict[str, str], shown: list[str]) -> list[dict[str, str]]:
    """Return the diff against the serving release; nothing if none serves."""
    told = []
    for name in shown if before.is_dir() else []:
        old = read(before / name)
        if old != files[name]:
            names = {"before_header": f"{before / name}", "after_header": f"{after / name}"}
            told.append({**names, "before": old or "", "after": files[name]})
    return told


@dataclass(frozen=True)
class Release:
    """The wanted release: its texts by their paths below *root*, and their owner."""

    root: Path
    files: dict[str, str]
    secrets: Sequence[str]
    uid: int
    owner: int = 0

    def wanted(self, name: str) -> tuple[int, tuple[int, ...]]:
        """Return the owner and the modes that a file may have, the default first."""
        return (self.uid, (SECRET_MODE,)) if name in self.secrets else (self.owner, ACCEPTED_MODES)

    def folders(self) -> list[Path]:
        """Return the folders that the files need, the outermost first."""
        return sorted({self.root / parent for name in self.files for parent in Path(name).parents})

    def faults(self) -> dict[Path, str]:
        """Return what is wrong with the files and folders."""
        faults = {
            self.root / name: fault(self.root / name, text, *self.wanted(name)) for name, text in self.files.items()
        }
        faults |= {folder: folder_fault(folder) for folder in self.folders()}
        return {path: wrong for path, wrong in faults.items() if wrong}

    def write(self, faults: Container[Path]) -> None:
        """Make folders, and write the files among *faults*."""
        for folder in self.folders():
            make_folder(folder)
            folder.chmod(FOLDER_MODE)
        for name, text in self.files.items():
            if self.root / name in faults:
                uid, modes = self.wanted(name)
                write(self.root / name, text, uid, modes[0])


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "bundle": {"type": "str", "required": True, "no_log": True},
            "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "uid": {"type": "int", "required": True},
            "manifest": {"type": "str", "default": "manifest.json"},
            "folders": {"type": "list", "elements": "path", "default": []},
            "compared_with": {"type": "path", "required": True},
            "shown": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    given: dict[str, Any] = module.params
    root, manifest = Path(given["path"]), Path(given["path"], given["manifest"])
    release = Release(root, json.loads(base64.b64decode(given["bundle"])), given["secrets"], given["uid"])
    faults, complete = release.faults(), manifest.exists()
    missing = [folder for folder in map(Path, given["folders"]) if not folder.is_dir()]
    result: dict[str, Any] = {"changed": bool(faults or missing or not complete), "spoilt": []}
    if complete:
        result["spoilt"] = [f"{path.relative_to(root)}: {wrong}" for path, wrong in faults.items()]
    if result["changed"]:
        result["diff"] = differences(Path(given["compared_with"]), root, release.files, given["shown"])
    if result["changed"] and not module.check_mode:
        try:
            if faults:
                # CRITICAL: before anything is written; a half-written release must not pass for complete.
                manifest.unlink(missing_ok=True)
            for folder in missing:
                make_folder(folder)
            release.write(faults)
        except OSError as error:
            module.fail_json(msg=f"The release was not written to {root}: {error}", **{**result, "diff": []})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
