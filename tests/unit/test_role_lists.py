"""The lists that a new role must be in: a role that is missing from one would fail silently."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in PROJECT.glob("roles/*") if path.is_dir())
# Roles of the control node or of a run: nothing on a host depends on their variables.
NOT_OF_A_HOST = {"backup", "bundle", "deployment", "lab", "preflight", "verification"}


def _variables(path: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / path).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_its_parts(role: str) -> None:
    parts = ("README.md", "defaults/main.yml", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml")
    assert [part for part in parts if not (PROJECT / "roles" / role / part).is_file()] == []


@pytest.mark.parametrize("role", sorted(set(ROLES) - NOT_OF_A_HOST))
def test_a_change_of_a_hosts_role_or_of_its_variables_is_seen(role: str) -> None:
    fingerprint = _variables("playbooks/vars/fingerprint.yml")
    toolkits = "".join(fingerprint["vibe_toolkits"].values())
    assert re.search(rf"'(?:roles/)?{role}'", toolkits)
    assert f"'{role}'" in fingerprint["vibe_base_variables"] + fingerprint["vibe_release_variables"]


def test_a_hosts_roles_are_roles() -> None:
    named = set(
        re.findall(r"'(\w+)'\] if|\['(\w+)', '(\w+)'\]", _variables("playbooks/vars/topology.yml")["vibe_host_roles"])
    )
    found = {name for names in named for name in names if name}
    assert {"docker", "router", "stub_upstream"} <= found <= set(ROLES)
