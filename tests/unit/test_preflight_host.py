"""Preflight's findings about a host, an image source, the control node and a certificate, and the report of all."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some
from preflight_rules import control_node, images_source, report
from preflight_rules.finding import Finding
from preflight_rules.host import (
    docker_findings,
    host_findings,
    parse_probe,
    reach_findings,
    system_findings,
)
from preflight_variables import DEFAULTS, PROJECT, local

HEALTHY = ("clock 1000000 1000001", "memory 8000", "Mounted Avail", "/ 90000", "container - -")
PLACE = "/opt/litellm-vibe-router"
ROLES = ("docker", "router", "gateway", "redis")


def _found(*lines: str, roles: tuple[str, ...] = ROLES, **changes: Any) -> list[tuple[str, str]]:
    probe = parse_probe([*HEALTHY, *lines])
    findings = host_findings(probe, DEFAULTS | local(**changes), roles)
    return [(finding["subject"], finding["wrong"]) for finding in findings]


def test_a_healthy_host_has_no_finding() -> None:
    assert _found() == []


@pytest.mark.parametrize(("host", "expected"), [(1_000_060, []), (1_000_061, ["clock"]), (999_930, ["clock"])])
def test_only_the_clocks_at_the_moment_of_the_probe_count(host: int, expected: list[str]) -> None:
    # Both times are long past: with hundreds of hosts, minutes pass before the findings are evaluated.
    assert [subject for subject, _ in _found(f"clock 1000000 {host}")] == expected


def test_the_probe_prints_both_clocks() -> None:
    tasks = yaml.safe_load((PROJECT / "roles/preflight/tasks/host.yml").read_text(encoding="utf-8"))
    probe = next(task for task in tasks if task.get("register") == "__preflight_probe")
    assert "date +'clock {{ now(utc=true).timestamp() | int }} %s'" in probe["ansible.builtin.shell"]["cmd"]


def test_little_memory_and_disk_are_found() -> None:
    assert _found("memory 1500", "/var 100") == [
        ("memory", "the host has 1500 MiB, and 2048 are needed"),
        ("disk", "/var has 100 MiB free, and 6144 are needed"),
    ]
    assert _found("memory 1900") == [], "a machine sold with 2 GiB shows a little less"


def test_workers_that_do_not_fit_twice_are_found() -> None:
    ((subject, wrong),) = _found(router_workers=20)
    assert subject == "router_workers"
    assert wrong.startswith("20 workers need ")
    assert wrong.endswith(" MiB while two slots run; the host has 8000")
    assert _found(router_workers=20, roles=("gateway",)) == []


def _listens(address: str, port: int) -> str:
    """Return a line of the probe, as the kernel writes an address."""
    packed = ipaddress.ip_address(address).packed
    words = b"".join(packed[at : at + 4][::-1] for at in range(0, len(packed), 4))
    return f"listening {words.hex().upper()}:{port:04X}"


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1"])
def test_a_port_in_use_is_found(address: str) -> None:
    assert _found(_listens(address, 4101)) == [("router_slots", "port 4101 on 127.0.0.1 is used by another program")]


@pytest.mark.parametrize("address", ["10.0.0.1", "fd00::1", "::1"])
def test_a_port_in_use_on_another_address_is_free(address: str) -> None:
    assert _found(_listens(address, 4101)) == []


def test_a_gateway_for_all_addresses_collides_with_any() -> None:
    everywhere: dict[str, Any] = {"gateway_bind_address": "*", "gateway_tls": "plain"}
    assert [subject for subject, _ in _found(_listens("10.0.0.1", 4000), **everywhere)] == ["gateway_port"]


def test_a_port_of_this_deployment_is_its_own() -> None:
    ours = f"container litellm-vibe-router-blue {PLACE}/router/slots/blue deployed"
    assert _found(_listens("127.0.0.1", 4101), ours) == []


@given(some.ip_addresses(), some.integers(1, 65_535))
def test_an_address_is_read_as_the_kernel_writes_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    assert parse_probe([_listens(str(address), port)]).listening == [(address, port)]


@pytest.mark.parametrize(
    ("folder", "name", "changes", "expected"),
    [
        (f"{PLACE}/gateway", "vibe-gateway", {}, None),
        (f"{PLACE}/gateway", "vibe-gateway", {"vibe_dir": "/srv/else"}, "vibe_dir"),
        (f"{PLACE}/gateway", "vibe-gateway", {"vibe_container_prefix": "a-"}, "vibe_container_prefix"),
        (f"{PLACE}/gateway", "a-vibe-gateway", {"vibe_container_prefix": "a-"}, None),
        (f"{PLACE}/gateway", "vibe-gateway", {"vibe_dir": "not/valid"}, None),
    ],
)
def test_a_deployment_elsewhere_is_found(folder: str, name: str, changes: dict[str, Any], expected: str | None) -> None:
    found = _found(f"container {name} {folder} deployed", **changes)
    assert [subject for subject, _ in found] == ([expected] if expected else [])
    # This rule does not refuse a value that is not a deployment.
    assert _found(f"container {name} {folder}", **changes) == []


@pytest.mark.parametrize(
    ("distribution", "version", "is_supported"),
    [("Debian", "12.11", True), ("Ubuntu", "24.04", True), ("Ubuntu", "20.04", False), ("Rocky", "9.5", False)],
)
def test_a_distribution_that_the_docker_role_does_not_know_is_found(
    distribution: str, version: str, is_supported: bool
) -> None:
    assert (system_findings(distribution, version) == []) == is_supported


def test_findings_of_the_docker_role_and_of_the_network_are_passed_on() -> None:
    failed = {"results": [{"failed": True, "msg": "No engine."}, {"failed": False, "msg": "fine"}]}
    assert [finding["wrong"] for finding in docker_findings(failed)] == ["No engine"]
    assert [finding["wrong"] for finding in docker_findings({"failed": True, "msg": "One."})] == ["One"]
    (found,) = reach_findings({"10.0.0.9:4101": "no answer within 5 s"})
    assert found["wrong"] == "this host cannot reach 10.0.0.9:4101: no answer within 5 s"


def test_registries_are_those_of_the_images_that_a_host_pulls() -> None:
    variables = DEFAULTS | {
        "images_litellm_pull_reference": "ghcr.io/berriai/litellm:v1",
        "images_redis_pull_reference": "redis:8",
        "images_haproxy_pull_reference": "localhost:5000/haproxy",
    }
    references = images_source.pull_references(variables, ROLES)
    assert images_source.registries(references) == ["ghcr.io", "localhost:5000", images_source.DOCKER_HUB]
    results: list[dict[str, Any]] = [
        {"item": "a", "status": 401},
        {"item": "b", "status": -1, "msg": "refused"},
        {"skipped": True},
    ]
    (found,) = images_source.registry_findings(results)
    assert found["wrong"] == "it is pull, and b does not answer this host (refused)"


def test_an_archive_is_on_the_host_or_on_the_control_node() -> None:
    assert images_source.archive_findings("/nonexistent.tar", True) == []
    assert images_source.archive_findings(__file__, False) == []
    assert "/nonexistent.tar" in images_source.archive_findings("/nonexistent.tar", False)[0]["wrong"]
    assert "images_archive is empty" in images_source.archive_findings("", False)[0]["wrong"]


@pytest.mark.parametrize(("core", "fits"), [("2.18.9", False), ("2.19.0", True), ("2.22.1", True), ("2.23.0", False)])
def test_a_version_of_ansible_core_that_was_not_tried_is_found(core: str, fits: bool) -> None:
    found = control_node.version_findings(core, control_node.COLLECTIONS)
    assert (found == []) == fits


def test_a_collection_that_is_missing_or_old_is_found() -> None:
    versions = control_node.COLLECTIONS | {"community.docker": "4.7.9", "ansible.posix": None}
    found = control_node.version_findings("2.19.0", versions)
    assert [finding["subject"] for finding in found] == ["community.docker", "ansible.posix"]


def test_a_refused_adapter_is_found() -> None:
    family = {"name": "chat", "adapter": "/a.json"}
    assert control_node.adapter_findings([{"item": family, "rc": 0}]) == []
    assert "no such" in control_node.adapter_findings([{"item": family, "rc": 1, "stderr": "no such"}])[0]["wrong"]
    relative = {"item": family | {"adapter": "a.json"}, "rc": 0}
    assert "relative path" in control_node.adapter_findings([relative])[0]["wrong"]


CERTIFICATE = {
    "public_key_fingerprints": {"sha256": "aa"},
    "valid_at": {"now": True},
    "not_before": "2026",
    "not_after": "2027",
    "subject_alt_name": ["DNS:gw.example", "DNS:*.wild.example", "IP:10.0.0.1"],
}
KEY = {"public_key_fingerprints": {"sha256": "aa"}}


def _certificate(url: str = "https://gw.example:4000", key: dict[str, Any] = KEY, **changes: Any) -> str:
    files = ("/c.pem", "/k.pem")
    return " ".join(
        finding["wrong"] for finding in control_node.certificate_findings(CERTIFICATE | changes, key, files, url)
    )


@pytest.mark.parametrize("url", ["https://gw.example:4000/v1", "https://a.wild.example", "https://10.0.0.1", ""])
def test_a_certificate_that_clients_take_is_no_finding(url: str) -> None:
    assert _certificate(url) == ""


def test_a_certificate_that_clients_would_refuse_is_found() -> None:
    assert "verification_url requests a.b.wild.example" in _certificate("https://a.b.wild.example")
    assert "and not now" in _certificate(valid_at={"now": False})
    assert "/k.pem does not belong" in _certificate(key={"public_key_fingerprints": {"sha256": "bb"}})
    assert "/k.pem is not a private key" in _certificate(key={"failed": True})
    assert (
        "/c.pem is not a certificate"
        in control_node.certificate_findings({}, KEY, ("/c.pem", "/k.pem"), "")[0]["wrong"]
    )


def test_a_fault_of_all_hosts_is_reported_once() -> None:
    shared = Finding(subject="router_pools", wrong="it is empty", fix="list one")
    own = Finding(subject="disk", wrong="it is full", fix="free some")
    merged = report.merge_findings({"a": [shared], "b": [shared, own], "c": [shared]})
    assert report.findings_text(merged, 3).splitlines() == [
        "2 findings; nothing was changed.",
        "1. router_pools: it is empty.",
        "   Fix: list one.",
        "   On: every host",
        "2. disk: it is full.",
        "   Fix: free some.",
        "   On: b",
    ]
    assert "On:" not in report.findings_text(merged, 1)
