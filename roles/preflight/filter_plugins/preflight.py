"""Filters of the preflight role: the rules in ../python/preflight_rules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Ansible loads a plug-in by its path, outside any package, so the rules' package must be on the path first.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from preflight_rules import variable_findings
from preflight_rules.control_node import adapter_findings, certificate_findings, version_findings
from preflight_rules.finding import Finding
from preflight_rules.host import docker_findings, host_findings, parse_probe, reach_findings, system_findings
from preflight_rules.images_source import archive_findings, pull_references, registries, registry_findings
from preflight_rules.report import findings_text, merge_findings
from preflight_rules.roles import role_defaults, role_options, role_specs
from preflight_rules.variables import spec_findings, unknown_name_findings

DOCUMENTATION = r"""
name: preflight
short_description: Findings of preflight, each with subject, wrong and fix
description:
  - Each filter gives a list of findings, empty if all is well. preflight_findings_text makes the report of them.
"""


def _probe_findings(lines: list[str], variables: dict[str, Any], roles: list[str]) -> list[Finding]:
    return host_findings(parse_probe(lines), variables, roles)


class FilterModule:
    """The class that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "preflight_adapter_findings": adapter_findings,
            "preflight_archive_findings": archive_findings,
            "preflight_certificate_findings": certificate_findings,
            "preflight_docker_findings": docker_findings,
            "preflight_findings_text": findings_text,
            "preflight_merge_findings": merge_findings,
            "preflight_probe_findings": _probe_findings,
            "preflight_pull_references": pull_references,
            "preflight_reach_findings": reach_findings,
            "preflight_registries": registries,
            "preflight_registry_findings": registry_findings,
            "preflight_role_defaults": role_defaults,
            "preflight_role_options": role_options,
            "preflight_role_specs": role_specs,
            "preflight_spec_findings": spec_findings,
            "preflight_system_findings": system_findings,
            "preflight_unknown_name_findings": unknown_name_findings,
            "preflight_variable_findings": variable_findings,
            "preflight_version_findings": version_findings,
        }
