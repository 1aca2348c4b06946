"""Variables of a host with all roles, as preflight's rules get them: inventory/local on top of the roles' defaults."""

from __future__ import annotations

import copy
import secrets
from pathlib import Path
from typing import Any

import deployed_names
import yaml
from preflight_rules import RULES, variable_findings
from preflight_rules.roles import role_defaults

PROJECT = Path(__file__).resolve().parents[1]
ROLES = ("docker", "images", "firewall", "router", "gateway", "redis", "stub_upstream", "verification", "deployment")
_FILES = [PROJECT / "inventory/local/group_vars/all" / name for name in ("models.yml", "hosts.yml")]
_LOCAL = {key: value for file in _FILES for key, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()}
DEFAULTS = {"vibe_dir": deployed_names.BASE_DIR} | role_defaults(str(PROJECT / "roles"), [*ROLES, "preflight"])
# As the toolkit generates them, so that no key of a test is in the repository.
_MASTER_KEY, _REDIS_PASSWORD = f"sk-{secrets.token_hex(16)}", secrets.token_hex(16)
_COMPUTED: dict[str, Any] = {
    "redis_password": _REDIS_PASSWORD,
    "router_redis_password": _REDIS_PASSWORD,
    "router_master_key": _MASTER_KEY,
    "router_secrets": {"STUB_API_KEY": "any"},
    "firewall_services": [{"name": "slots", "ports": [4101, 4102], "addresses": ["10.0.0.1"], "own": False}],
    "firewall_peers": [{"address": "10.0.0.2", "ports": [4101]}],
    "firewall_ssh_port": 22,
    "gateway_router_key": _MASTER_KEY,
    "gateway_servers": [{"name": "local-blue", "address": "127.0.0.1", "port": 4101}],
    "verification_url": "http://127.0.0.1:4000",
}


def local(**changes: Any) -> dict[str, Any]:
    """Return what inventory/local gives to a host, with *changes*."""
    return copy.deepcopy(_LOCAL | _COMPUTED) | changes


def families(**changes: Any) -> dict[str, Any]:
    """Return the families, the first with *changes*; a change to None removes the key."""
    found = local()["router_families"]
    found[0] = {key: value for key, value in {**found[0], **changes}.items() if value is not None}
    return {"router_families": found}


def pools(**changes: Any) -> dict[str, Any]:
    """Return the pools, the first deployment of the first with *changes*."""
    found = local()["router_pools"]
    found[0]["deployments"][0].update(changes)
    return {"router_pools": found}


def report(**changes: Any) -> str:
    """Return what the rules find with *changes*, a line for each finding."""
    found = variable_findings(local(**changes), DEFAULTS, RULES)
    return "\n".join(f"{finding['subject']}: {finding['wrong']}. Fix: {finding['fix']}." for finding in found)
