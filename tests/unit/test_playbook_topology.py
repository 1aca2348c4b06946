"""Values derived from an inventory: servers, firewall rules, findings, secrets to rotate, and the status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from vibe_playbooks.inventory import inventory_findings
from vibe_playbooks.rotation import rotation_findings
from vibe_playbooks.status import status_rows
from vibe_playbooks.topology import (
    context_windows,
    expected_pools,
    firewall_peers,
    firewall_services,
    gateway_servers,
    remote_targets,
    serving_servers,
)

PROJECT = Path(__file__).resolve().parents[2]

SLOTS = [{"name": "blue", "port": 4101}, {"name": "green", "port": 4102}]
GROUPS = {
    "all": ["g1", "r1", "r2", "s1"],
    "gateways": ["g1"],
    "routers": ["r1", "r2"],
    "redis_servers": ["s1"],
}
HOSTS: dict[str, dict[str, Any]] = {
    "g1": {"ansible_host": "10.0.0.1", "vibe_addresses": ["10.0.0.1", "10.1.0.1"]},
    "r1": {"ansible_host": "10.0.0.11", "router_bind_address": "0.0.0.0", "router_slots": SLOTS},
    "r2": {"vibe_router_address": "10.2.0.12", "router_bind_address": "0.0.0.0", "router_slots": SLOTS[:1]},
    "s1": {"ansible_host": "10.0.0.21", "redis_publish_address": "10.0.0.21", "redis_port": "6380"},
}
ONE = {"all": ["local"], "gateways": ["local"], "routers": ["local"], "redis_servers": ["local"]}
LOCAL = {"local": {"ansible_connection": "local", "router_bind_address": "127.0.0.1", "router_slots": SLOTS}}


def test_each_slot_is_a_server_at_the_address_that_gateways_use() -> None:
    servers = gateway_servers(HOSTS, GROUPS["routers"])
    assert [(server["name"], server["address"], server["port"]) for server in servers] == [
        ("r1-blue", "10.0.0.11", 4101),
        ("r1-green", "10.0.0.11", 4102),
        ("r2-blue", "10.2.0.12", 4101),
    ]
    assert remote_targets(servers) == ["10.0.0.11:4101", "10.0.0.11:4102", "10.2.0.12:4101"]
    assert remote_targets([{"name": "a", "address": "127.0.0.1", "port": 4101}]) == []


def test_only_slots_that_serve_get_requests() -> None:
    hosts = {"r1": {"router_serving_slot": "blue"}, "r2": {"router_serving_slot": ""}}
    assert serving_servers(hosts, ["r1", "r2"]) == ["r1-blue"]


def test_slots_are_for_gateways_and_redis_is_for_routers() -> None:
    (slots,) = firewall_services("r1", HOSTS, GROUPS)
    assert slots == {"name": "slots", "ports": [4101, 4102], "addresses": ["10.0.0.1", "10.1.0.1"], "own": False}
    (redis,) = firewall_services("s1", HOSTS, GROUPS)
    assert redis == {"name": "redis", "ports": [6380], "addresses": ["10.0.0.11", "r2"], "own": False}
    assert firewall_services("g1", HOSTS, GROUPS) == []


def test_what_listens_on_loopback_needs_no_firewall() -> None:
    assert firewall_services("local", LOCAL, ONE) == []
    assert firewall_peers("local", LOCAL, ONE) == []


def test_a_host_reaches_the_slots_of_routers_or_redis() -> None:
    assert firewall_peers("g1", HOSTS, GROUPS) == [
        {"address": "10.0.0.11", "ports": [4101, 4102]},
        {"address": "r2", "ports": [4101]},
    ]
    assert firewall_peers("r1", HOSTS, GROUPS) == [{"address": "10.0.0.21", "ports": [6380]}]


def test_a_family_that_is_not_active_is_expected_at_its_safe_pool() -> None:
    family = {"virtual_model": "chat-auto", "cheap_pool": "mini", "strong_pool": "standard"}
    assert expected_pools([family]) == {"chat-auto": ["mini", "standard"]}
    assert expected_pools([family | {"routing": "shadow"}]) == {"chat-auto": ["standard", "standard"]}
    for off in ("off", False):
        assert expected_pools([family | {"routing": off, "safe_pool": "mini"}]) == {"chat-auto": ["mini", "mini"]}


def test_a_complete_inventory_has_no_findings() -> None:
    assert inventory_findings(HOSTS, GROUPS) == inventory_findings(LOCAL, ONE) == []


@pytest.mark.parametrize(
    ("groups", "hosts", "wrong"),
    [
        ({"routers": []}, {}, "the inventory has no host in this group, which runs LiteLLM"),
        ({"router_leaving": ["r1"]}, {}, "r1 is in routers too"),
        ({}, {"r2": {"ansible_host": "10.0.0.11"}}, "r1 and r2 have the same address, 10.0.0.11:22"),
    ],
)
def test_an_incomplete_inventory_has_a_finding(groups: dict[str, Any], hosts: dict[str, Any], wrong: str) -> None:
    found = inventory_findings(HOSTS | hosts, GROUPS | groups)
    assert [finding["wrong"] for finding in found] == [wrong]


def test_only_what_the_toolkit_generated_can_be_rotated(tmp_path: Path) -> None:
    (tmp_path / "master_key").write_text("key", encoding="utf-8")
    assert rotation_findings(["master_key", "certificate"], 7, str(tmp_path)) == []
    assert [f["wrong"] for f in rotation_findings(["master_key", "redis_password"], "7", str(tmp_path))] == [
        f"this toolkit did not generate redis_password: there is no {tmp_path}/redis_password"
    ]
    for rotate in ("master_key", {"master_key": 1}, ["nonsense"], 7):
        assert "is not a list of master_key" in rotation_findings(rotate, 7, str(tmp_path))[0]["wrong"]
    for days in ("-1", "1000", "x", ""):
        assert "is not a number of days" in rotation_findings([], days, str(tmp_path))[0]["wrong"]


def _container(role: str, slot: str = "", **changes: Any) -> dict[str, Any]:
    labels = {"com.docker.compose.project.working_dir": f"/opt/vibe/{role}", "vibe.release": "abc"}
    return {
        "Labels": labels | ({"vibe.slot": slot} if slot else {}),
        "Image": "image",
        "State": "running",
        "Status": "Up 3 hours (healthy)",
        **changes,
    }


def test_the_status_has_a_row_for_each_container_of_the_deployment() -> None:
    other = _container("router") | {"Labels": {"com.docker.compose.project.working_dir": "/srv/other"}}
    stopped = _container("router", "green", State="exited", Status="Exited (0) 2 hours ago")
    hosts = HOSTS | {
        "g1": {"gateway_server_states": {"r1-blue": {"status": "UP"}}, "vibe_engine": {"containers": []}},
        "r1": {
            "router_serving_slot": "blue",
            "router_good_releases": ["old", "abc"],
            "vibe_engine": {"containers": [other, _container("router", "blue"), stopped]},
        },
        "r2": {"vibe_engine": {"unreachable": True}},
        "s1": {"vibe_engine": {}},
    }
    rows = status_rows(hosts, GROUPS, "/opt/vibe", [{"host": "r1"}, {"host": "r1"}])
    assert [(row["host"], row["slot"], row["state"]) for row in rows] == [
        ("g1", "", "nothing runs"),
        ("r1", "blue", "running"),
        ("r1", "green", "exited"),
        ("r2", "", "unreachable"),
        ("s1", "", "unreachable"),
    ]
    blue, green = rows[1:3]
    assert (blue["serves"], blue["health"], blue["uptime"], blue["gateways"]) == (True, "healthy", "3 h", "UP")
    assert (blue["last_good"], blue["drift"], rows[0]["drift"]) == ("abc", "2", "none")
    assert (green["serves"], green["health"], green["uptime"], green["gateways"]) == (False, "exited", "", "unknown")


def test_without_a_drift_report_the_status_says_so() -> None:
    rows = status_rows({"local": {"vibe_engine": {"failed": True}}}, ONE, "/opt/vibe", None)
    assert [(row["state"], row["drift"]) for row in rows] == [("no engine", "not checked")]


def test_the_context_window_is_the_smallest_that_is_known() -> None:
    pools: list[dict[str, Any]] = [
        {"name": "mini", "deployments": [{"model_info": {"max_input_tokens": 200_000}}, {"model_info": {}}]},
        {"name": "standard", "deployments": [{}, {"model_info": {"max_input_tokens": "128000"}}]},
        {"name": "other", "deployments": [{}]},
    ]
    known = {"virtual_model": "chat-auto", "cheap_pool": "mini", "strong_pool": "standard"}
    unknown = {"virtual_model": "codex-auto", "cheap_pool": "other", "strong_pool": "other"}
    alone = unknown | {"virtual_model": "claude-auto", "strong_alternatives": ["mini"]}
    assert context_windows([known, unknown, alone], pools) == {"chat-auto": 128_000, "claude-auto": 200_000}


def test_the_page_on_clients_has_the_context_window_of_an_unknown_model() -> None:
    variables = yaml.safe_load((PROJECT / "roles/verification/vars/main.yml").read_text(encoding="utf-8"))
    page = (PROJECT / "docs/clients.md").read_text(encoding="utf-8")
    assert f"{variables['__verification_context_window']:,} if none is set" in page
