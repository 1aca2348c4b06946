"""Preflight's tables of single values cover each option of the host roles, and accept the roles' defaults."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from preflight_rules.values import KINDS, RANGES, WORDS, value_findings
from preflight_variables import DEFAULTS
from vibe.routes.gate_settings import DEFAULT_LIMITS, LIMIT_NAMES

ROLES = Path(__file__).resolve().parents[2] / "roles"
ON_HOSTS = ("docker", "firewall", "gateway", "images", "redis", "router", "stub_upstream", "verification")
# Checked by a rule across variables, or not set in an inventory.
EXCEPTIONS = {
    "gateway_client_requests_per_minute": "a rule: as many as a verification needs",
    "gateway_requests_per_minute": "a rule: as many as a verification needs",
    "gateway_router_key": "the deployment's own: router_master_key",
    "gateway_tls_hosts": "the deployment's own: names of the inventory",
    "gateway_serving_servers": "the deployment's own",
    "router_workers": "a rule: auto or a number",
    "router_memory_limit": "a rule: auto or a size that a worker fits in",
    "router_records": "a rule",
    "router_limits": "a rule: numbers",
    "router_rollout_serial": "a rule: batches",
    "firewall_open_ports": "a rule: ports",
    "firewall_public_ports": "the deployment's own",
    "images_required": "choices of the specs",
    "verification_api_key": "the deployment's own: router_master_key",
    "verification_host_roles": "the deployment's own",
    "verification_left_release": "the deployment's own",
    "verification_version": "the deployment's own",
    "verification_client_env_file": "the deployment's own",
    "verification_python": "the deployment's own",
    "firewall_ssh_port": "the deployment's own",
    "firewall_network": "the deployment's own",
    "router_network": "the deployment's own",
    "router_toolkit_version": "the deployment's own",
    "router_gateway_hosts": "the deployment's own",
    "router_gateway_server_prefix": "the deployment's own",
    "router_report_dir": "the deployment's own",
}
WRONG = ["999.999.999.999", "300.1.1.1", ":::::", "1.2.3", "1.2.3.4.5", "fd00::1::2"]
FOUND_OUT = re.compile(r"_(image|required)$")


def _options() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for role in ON_HOSTS:
        specs = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
        found |= specs["argument_specs"]["main"]["options"]
    return found


def _is_single(option: dict[str, Any]) -> bool:
    """Return whether *option* is a number or a text without a list of choices."""
    kind = option.get("elements", "str") if option["type"] == "list" else option["type"]
    return kind in {"int", "float", "str", "path"} and not option.get("choices")


def test_every_number_and_every_word_is_in_a_table_or_is_an_exception() -> None:
    wanted = {name for name, option in _options().items() if _is_single(option) and not FOUND_OUT.search(name)}
    assert sorted(wanted - RANGES.keys() - WORDS.keys() - EXCEPTIONS.keys()) == []
    assert sorted(EXCEPTIONS.keys() - _options().keys()) == []
    assert sorted(EXCEPTIONS.keys() & (RANGES.keys() | WORDS.keys())) == []


def test_the_tables_name_options_alone_each_in_the_one_that_fits_its_type() -> None:
    options = _options()
    for name in (RANGES.keys() | WORDS.keys()) & options.keys():
        is_number = options[name]["type"] in {"int", "float"}
        assert is_number == (name in RANGES), name
    strange = (RANGES.keys() | WORDS.keys()) - options.keys()
    assert {name.split("_")[0] for name in strange} <= {"preflight", "deployment", "vibe"}
    assert set(WORDS.values()) == KINDS.keys()


@pytest.mark.parametrize("role", [*ON_HOSTS, "preflight", "deployment"])
def test_a_roles_own_numbers_are_within_their_ranges(role: str) -> None:
    defaults = yaml.safe_load((ROLES / role / "defaults/main.yml").read_text(encoding="utf-8")) or {}
    outside = [name for name, value in defaults.items() if name in RANGES and not _within(name, value)]
    assert outside == []


def _within(name: str, value: float) -> bool:
    least, most = RANGES[name]
    return least <= value <= most


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("name", ["vibe-redis", "a.b_c"], ["", "two words", "x\n", "a;b", "$(id)", "`id`", "-x", "../x", "ü"]),
        ("path", ["/opt/x", "/var/run/docker.sock"], ["relative", "/a b", "/a\n", "/$HOME", "/a;b", '/"x"']),
        (
            "folder",
            ["/srv/gateway", "/opt/a-b_c/d.e"],
            ["/", "/opt", "relative/x", "/a/../b", "/a b/c", "/a/b/"],
        ),
        ("prefix", ["team-a-", "x_"], ["-a", "a b", "$(id)", "a/b", "a" * 40]),
        ("local path", ["/home/me/My Project/x.pem"], ["~/x", "/a\nb", "/$(id)", "/a|b", "/'x'"]),
        ("address", ["0.0.0.0", "::", "fd00::1"], ["", "localhost", "1.2.3.4:80", "1.2.3.4\n", "1.2.3.4/8", *WRONG]),
        ("host", ["vibe-redis", "redis.example", "10.0.0.1"], ["https://x", "a b", "a;b", "x\n", *WRONG]),
        ("listen address", ["*", "0.0.0.0", "::", "localhost"], ["**", "0.0.0.0:4000", "a;b", "x\n", *WRONG]),
        (
            "URL",
            ["https://gw.example:4000/v1"],
            ["gw.example", "ftp://x", "https://a b", "https://$HOST", "http://a\n"],
        ),
        ("size", ["256m", "1g", "1048576", "256mb"], ["0", "-1m", "much", "1 g", "1m\n", "1.5g"]),
        ("version", ["1.106.2", "5:28.*"], ["1 2", "1;2", "$(id)"]),
        ("reference", ["redis:8.2", "ghcr.io/a/b@sha256:00"], ["Redis", "a b", "a;b", "-a"]),
        ("digest", ["sha256:" + "0" * 64], ["0" * 64, "sha256:00", "sha256:" + "g" * 64]),
        ("URL path", ["/v1/models"], ["v1", "/v1?x", "/a b", "/a\n http-request", "/{x}"]),
        ("email address", ["a.b+c@example.org"], ["a", "a@b c", "mailto:a@b;x", "a@b\n"]),
        ("TLS name", ["gw.example", "*.gw.example", "10.0.0.1", "fd00::1"], ["https://x", "gw:4000", "*", *WRONG]),
        (
            "network",
            ["10.0.0.0/8", "10.0.0.1", "fd00::/8", "10.0.0.1/8"],
            ["10.0.0.0/99", "300.0.0.0/8", "fd00::/129", ":::::/8", "a", "", "10.0.0.0/8/8"],
        ),
        ("line", ["Our own CA", ""], ["a\nb", "a\0"]),
        ("secret", ["sk-0123456789"], ["", "a b", "a\nb", "ä"]),
    ],
)
def test_a_kind_takes_what_is_good_and_nothing_else(kind: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not KINDS[kind].takes(value)] == []
    assert [value for value in bad if KINDS[kind].takes(value)] == []


# Values that must not reach a shell, YAML, or a configuration file.
INJECTIONS = (
    "x; touch /tmp/planted",
    "$(touch /tmp/planted)",
    "/`touch /tmp/planted`",
    "x\n  planted: true",
    "/x\n    http-request deny",
    '/x" planted: "true',
    "/some where/else '",
)


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("name", WORDS)
def test_a_variable_refuses_text_that_would_break_out(name: str, value: str) -> None:
    if WORDS[name] == "line" and "\n" not in value:
        return
    (found,) = value_findings({name: value}, DEFAULTS)
    assert found["subject"] == name
    assert " is not a valid " in found["wrong"]
    assert (value in found["wrong"]) <= (WORDS[name] != "secret")


@pytest.mark.parametrize("name", RANGES)
def test_a_number_outside_its_range_is_refused(name: str) -> None:
    least, most = RANGES[name]
    for value in (least - 1, most + 1):
        (found,) = value_findings({name: value}, DEFAULTS)
        assert found["wrong"] == f"{value} is outside the range {least} to {most}"
    assert value_findings({name: least}, DEFAULTS) == value_findings({name: str(most)}, DEFAULTS) == []


def test_an_item_of_a_list_is_checked_by_itself() -> None:
    found = value_findings({"docker_users": ["alice", "two words"]}, DEFAULTS)
    assert [finding["wrong"] for finding in found] == ['"two words" is not a valid name']


def test_the_limits_of_the_specs_are_those_of_the_gate() -> None:
    # The specs cannot import Python, so their list and the documented defaults are compared here.
    told = _options()["router_limits"]["options"]
    assert tuple(told) == LIMIT_NAMES
    for name, option in told.items():
        assert f"{getattr(DEFAULT_LIMITS, name):,} by default" in option["description"]
