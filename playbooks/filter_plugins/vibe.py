"""Filters of the playbooks: the package in ../python/vibe_playbooks, with the findings of roles/preflight."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Ansible loads a plug-in by its path, outside any package, so the packages must be on the path before the imports.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles/preflight/python"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from preflight_rules.report import findings_text
from preflight_rules.roles import settable_options
from vibe_playbooks.audit import audit_table, last_lines
from vibe_playbooks.effective_config import effective_settings, settings_table, sources
from vibe_playbooks.inventory import inventory_findings
from vibe_playbooks.rotation import rotation_findings
from vibe_playbooks.status import status_rows, status_table
from vibe_playbooks.topology import (
    context_windows,
    expected_pools,
    firewall_peers,
    firewall_services,
    gateway_servers,
    remote_targets,
    serving_servers,
)

DOCUMENTATION = r"""
name: vibe
short_description: What the playbooks derive from the inventory
description:
  - See playbooks/python/vibe_playbooks for each of them.
"""


class FilterModule:
    """The class that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "vibe_audit_table": audit_table,
            "vibe_context_windows": context_windows,
            "vibe_effective_settings": effective_settings,
            "vibe_findings_text": findings_text,
            "vibe_expected_pools": expected_pools,
            "vibe_firewall_peers": firewall_peers,
            "vibe_firewall_services": firewall_services,
            "vibe_gateway_servers": gateway_servers,
            "vibe_inventory_findings": inventory_findings,
            "vibe_last_lines": last_lines,
            "vibe_remote_targets": remote_targets,
            "vibe_role_options": settable_options,
            "vibe_rotation_findings": rotation_findings,
            "vibe_serving_servers": serving_servers,
            "vibe_settings_table": settings_table,
            "vibe_sources": sources,
            "vibe_status_rows": status_rows,
            "vibe_status_table": status_table,
        }
