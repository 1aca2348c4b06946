"""The order of the end-to-end tests: later files need what earlier ones left."""

from __future__ import annotations

ORDER = (
    # A bare machine.
    "test_bare",
    # What a deployment does for clients.
    "test_attacks",
    "test_base_urls",
    "test_browsers",
    "test_busy_slot",
    "test_clients",
    "test_costs",
    "test_deploy",
    "test_edge",
    "test_forwarded",
    "test_hostile_requests",
    "test_keys",
    "test_kubernetes",
    "test_parameter_matrix",
    "test_rebuild",
    "test_reported_requests",
    "test_report_page",
    "test_rules",
    "test_sbom",
    "test_sdks",
    "test_server",
    "test_several_deployments",
    "test_spending",
    "test_steps",
    "test_support_table",
    "test_turns",
    "test_upstream",
    # Families, learning, known issues of LiteLLM.
    "test_families",
    "test_known_issues",
    # What is refused.
    "test_bad_input",
    # Failures and their ends.
    "test_acme",
    "test_backup",
    "test_crash",
    "test_crash_under_load",
    "test_doctor",
    "test_drift",
    "test_failed_release",
    "test_lock",
    "test_low_port",
    "test_rotation",
    # Places where secrets could leak.
    "test_leaks",
    # Documentation pages.
    "test_docs",
    # Throwaway hosts: the lab, then the fleet, which needs both processors.
    "test_lab",
    "test_fleet",
    "test_offline",
    # Single roles and images.
    "test_docker_role",
    "test_litellm_image",
    "test_systemd_host",
)
# Files that run on throwaway hosts or in containers apart from the deployment.
ON_OTHER_HOSTS = frozenset(("test_lab", "test_fleet", "test_docker_role", "test_litellm_image", "test_systemd_host"))
