"""Lookup plug-in: one digest of all files below some paths of the control node."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: deployment_tree
short_description: One digest of files and folders
description:
  - Returns one digest of the names and contents of all files at and below the given paths. Of Python only the sources
    count.
options:
  _terms:
    description: Files and folders.
    required: true
"""

EXAMPLES = r"""
- name: Toolkit is known
  ansible.builtin.set_fact:
    toolkit: "{{ lookup('deployment_tree', 'roles', 'playbooks') }}"
"""

RETURN = r"""
_raw:
  description: One digest.
  type: list
  elements: str
"""

COMPILED = "__pycache__"


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible has no type stubs.
    """Digests files of the control node."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: Any) -> list[str]:
        """Return one digest of everything below *terms*.

        Raises:
            AnsibleError: a path is missing.
        """
        digest = hashlib.sha256()
        for term in terms:
            root = Path(str(term))
            if not root.exists():
                raise AnsibleError(f"{root} is not there")
            for path in sorted([root] if root.is_file() else root.rglob("*")):
                if path.is_file() and COMPILED not in path.parts:
                    digest.update(
                        f"{path.relative_to(root.parent)}\0".encode() + hashlib.sha256(path.read_bytes()).digest()
                    )
        return [digest.hexdigest()[:24]]
