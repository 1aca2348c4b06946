"""Each rule across variables finds its violation, and names the option, the problem and the fix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from preflight_rules import RULES, variable_findings
from preflight_variables import DEFAULTS, families, local, pools, report

CLIENTS = [
    {"name": "two words; rm -rf", "key_sha256": "0" * 64},
    {"name": "default", "key_sha256": "1" * 64},
    {"name": "line\n", "key_sha256": "2" * 64, "models": ["pool-nope"]},
    {"name": "short", "key_sha256": "abc", "expires": "31.1.2027"},
    {"name": "alone", "key_sha256": "4" * 64, "former_key_sha256": "5" * 64, "requests_per_minute": -1},
    {"name": "alone", "key_sha256": "4" * 64, "former_key_expires": "2027-01-31T25:00:00Z"},
]
ACME = {"gateway_tls": "acme", "verification_url": "https://127.0.0.1:4000"}
SLOT = {"name": "blue", "port": 4101}
SERVICE = {"name": "slots", "ports": [4101], "addresses": ["gateway-1"], "own": False}

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "rule twice": (
        families(rules=["score", "score"]),
        ["router_families", "rule score is listed twice", "list each rule once"],
    ),
    "rules without score at the end": (
        families(rules=["score", "explicit"]),
        ["router_families", "its last rule is not score"],
    ),
    "no rules": (families(rules=[]), ["its last rule is not score"]),
    "margin outside": (families(move_up_margin=101), ["move_up_margin 101 is outside the range 0 to 100"]),
    "threshold outside": (families(threshold=-1), ["threshold -1 is outside the range 0 to 100"]),
    "share outside": (families(strong_share=25), ["strong_share 25 is not between 0 and 1", "0.25"]),
    "signal twice": (
        families(signals={"strong": ["Review"], "cheap": ["review "]}),
        ["router_families (signals)", "signals list review twice", "each phrase once"],
    ),
    "signal without a letter": (
        families(signals={"strong": [" - "]}),
        ["router_families (signals)", "which is not a phrase"],
    ),
    "empty signal": (families(signals={"cheap": [""]}), ["signals list an empty phrase, which is not a phrase"]),
    "cache for ever": (families(cache_life=10**6), ["cache_life 1000000 is outside the range 0 to 86400"]),
    "unknown pool": (families(cheap_pool="pool-nope"), ["router_families", "unknown pool pool-nope", "router_pools"]),
    "unknown alternative": (families(strong_alternatives=["pool-nope"]), ["unknown pool pool-nope"]),
    "one pool for both": (families(cheap_pool="pool-chat-standard"), ["its cheap pool is also a strong pool"]),
    "duplicate name": (
        {"router_pools": [*local()["router_pools"], local()["router_pools"][0]]},
        ["2 models have the name pool-chat-mini"],
    ),
    "duplicate family": (
        {"router_families": [*local()["router_families"], local()["router_families"][0]]},
        ["2 families have the name chat", "2 models have the name chat-auto"],
    ),
    "pool without a deployment": (
        {"router_pools": [*local()["router_pools"], {"name": "pool-empty", "deployments": []}]},
        ["router_pools", "pool-empty has no deployment"],
    ),
    "negative price": (
        pools(model_info={"input_cost_per_token": -1e-6}),
        ["pool-chat-mini (deployment 1)", "input_cost_per_token -1e-06 is not a price per token", "dollars per token"],
    ),
    "price that YAML takes for text": (
        pools(model_info={"output_cost_per_token": "1e-6"}),
        ["output_cost_per_token 1e-6 is not a price per token", "1.0e-6 as a number"],
    ),
    "invalid tier": (pools(model_info={"tier": "standard"}), ["tier standard", "free and paid"]),
    "key in clear text": (pools(api_key="sk-live-0123456789"), ["api_key", "clear text", "os.environ/NAME"]),
    "empty address": (pools(api_base=""), ["api_base", "sends request and key to OpenAI"]),
    "shell variable": (pools(api_base="http://${HOST}/v1"), ["api_base", "is not an address"]),
    "empty secret": ({"router_secrets": {"STUB_API_KEY": ""}}, ["STUB_API_KEY is empty", "router_secrets"]),
    "missing secret": ({"router_secrets": {}}, ["STUB_API_KEY is missing, and is needed by pool-chat-mini"]),
    "weak key": ({"router_master_key": "sk-1234"}, ["router_master_key", "shorter than 20", "publicly known"]),
    "key of one letter": ({"router_master_key": "a" * 30}, ["fewer than 8 different characters"]),
    "batches of no size": ({"router_rollout_serial": [1, "150%"]}, ["router_rollout_serial", "150%", "from 1%"]),
    "no batches": ({"router_rollout_serial": []}, ["router_rollout_serial", "it lists no batch"]),
    "one slot": ({"router_slots": [SLOT]}, ["router_slots", "fewer than two slots"]),
    "slots that share a port": (
        {"router_slots": [{**SLOT, "metrics_port": 4102}, {"name": "green", "port": 4102}]},
        ["router_slots", "two have the same name or port"],
    ),
    "more records than Redis holds": (
        {"router_records": 2_000_000},
        ["router_records", "2000000 is outside the range 0 to 100000", "half a kilobyte of Redis"],
    ),
    "limit of nothing": ({"router_limits": {"max_body_bytes": 0}}, ["router_limits", "max_body_bytes is less than 1"]),
    "no workers": ({"router_workers": 0}, ["router_workers", "0 is neither auto nor a number from 1 to 256"]),
    "less than no workers": ({"router_workers": -1}, ["router_workers", "-1 is neither", "from 1 to 256"]),
    "many workers": ({"router_workers": "many"}, ["router_workers", "many is neither auto", "give auto"]),
    "thousand workers": ({"router_workers": 1000}, ["router_workers", "1000 is neither auto nor a number"]),
    "memory for less than a worker": (
        {"router_memory_limit": "512m", "router_workers": "auto"},
        ["router_memory_limit", "512m is less than the 570 MiB that one worker needs", "router_worker_memory_mib"],
    ),
    "memory for fewer workers": ({"router_memory_limit": "1g", "router_workers": 4}, ["that 4 workers need"]),
    "clients that cannot be": (
        {"gateway_clients": CLIENTS},
        [
            "entry 1 has a name that is not a word",
            "entry 2 (default) has the operator's name",
            "entry 3 has a name that is not a word",
            "entry 3 may request pool-nope, which is neither a virtual model nor a pool",
            "entry 4 (short): key_sha256 is not a SHA-256",
            "entry 4 (short): expires is neither a day such as 2027-01-31",
            "entry 5 (alone): former_key_sha256 and former_key_expires go together",
            "entry 5 (alone): requests_per_minute is negative",
            "entry 6 (alone): former_key_expires is neither a day",
            "two clients have the same name",
            "one key is listed twice",
            "./deploy.sh client writes these entries",
        ],
    ),
    "gateway that gives up first": (
        {"gateway_server_timeout": 60, "router_request_timeout": 60},
        ["gateway_server_timeout", "larger than router_request_timeout"],
    ),
    "certificate without files": (
        {"gateway_tls": "given", "gateway_tls_certificate": "/nonexistent.pem"},
        [
            "gateway_tls",
            "gateway_tls_certificate is not the absolute path of a file: /nonexistent.pem",
            "gateway_tls_key is not set",
        ],
    ),
    "plain address of a gateway that speaks TLS": (
        {"gateway_tls": "own_ca"},
        ["verification_url", "begins with http://", "gateway_tls: own_ca", "write https://"],
    ),
    "gateway beyond loopback": ({"gateway_bind_address": "0.0.0.0"}, ["the gateway speaks TLS (gateway_tls: own_ca)"]),
    "ACME without what it needs": (
        ACME
        | {
            "gateway_tls_names": ["*.gateway.example"],
            "gateway_acme_ca_file": "/nonexistent.pem",
            "gateway_acme_port": 4000,
        },
        [
            "it is acme, and gateway_acme_terms_agreed is not true",
            "it is acme, and *.gateway.example cannot be proved over HTTP",
            "gateway_acme_ca_file is not the absolute path of a file: /nonexistent.pem",
            "it is acme, and gateway_acme_port is gateway_port",
            "list in gateway_tls_names the names that clients use",
        ],
    ),
    "ACME for no name": (
        ACME | {"gateway_acme_terms_agreed": True},
        ["it is acme, and gateway_tls_names is empty"],
    ),
    "address for a name": (
        {"gateway_tls_names": ["https://gateway.example", "300.1.1.1"]},
        ['gateway_tls_names: "https://gateway.example" is not a valid TLS name', '"300.1.1.1" is not a valid TLS name'],
    ),
    "fewer requests than a verification sends": (
        {"gateway_client_requests_per_minute": 60},
        ["gateway_client_requests_per_minute", "60 is less than a verification needs", "200 or more"],
    ),
    "fewer requests than none": (
        {"gateway_requests_per_minute": -1},
        ["gateway_requests_per_minute", "-1 is less than a verification needs"],
    ),
    "everybody is trusted": (
        {"gateway_trusted_proxies": ["everybody", "10.0.0.0/99"]},
        ['gateway_trusted_proxies: "everybody" is not a valid network', '"10.0.0.0/99" is not', "10.0.0.0/8"],
    ),
    "alias of no model": (
        {"router_model_aliases": {"claude-haiku-*": "claude-auto", "gpt-*": "pool-nope"}},
        ["router_model_aliases", "gpt-* names the unknown model pool-nope"],
    ),
    "origins of browsers": (
        {"gateway_cors_origins": ["chat.example.org", "https://chat.example.org/app", "https://chat.example.org"]},
        ['"chat.example.org" is not a valid origin', '"https://chat.example.org/app" is not', "without a path"],
    ),
    "firewall for a name": (
        {"firewall_services": [SERVICE], "firewall_peers": [{"address": "router-1", "ports": [4101]}]},
        ['slots: the source "gateway-1" is neither an address nor a network', '"router-1", the address of a router'],
    ),
    "SSH on the port of a service": ({"firewall_ssh_port": 4101}, ["SSH and a service share port 4101"]),
    "open port of a slot": ({"firewall_open_ports": [4101, 70_000]}, ["port 4101 can't be", "port 70000 can't be"]),
    "short password": ({"redis_password": "short"}, ["redis_password", "shorter than 16"]),
    "Redis without room": (
        {"redis_maxmemory": "300m", "redis_memory_limit": "512m"},
        ["redis_maxmemory", "redis_memory_limit at least twice"],
    ),
    "compromised release": (
        {"images_litellm_version": "1.82.8"},
        ["images_litellm_version", "LiteLLM 1.82.8", "known to be compromised", "every machine that has run this one"],
    ),
    "compromised release, pulled": (
        {"images_litellm_pull_reference": "ghcr.io/berriai/litellm:v1.82.7"},
        ["images_litellm_pull_reference", "LiteLLM 1.82.7", "known to be compromised"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_found_with_its_name_and_fix(case: str) -> None:
    variables, expected = CASES[case]
    found = report(**variables)
    assert [words for words in expected if words not in found] == [], found
    assert "sk-live-0123456789" not in found


def test_the_local_inventory_breaks_no_rule() -> None:
    assert report() == ""


def test_each_rule_has_a_case_that_breaks_it() -> None:
    broken = {
        rule.check
        for variables, _ in CASES.values()
        for rules in RULES.values()
        for rule in rules
        if any(rule.check(DEFAULTS | local(**variables)))
    }
    everything = {rule.check.__name__: rule.check for rules in RULES.values() for rule in rules}
    assert sorted(name for name, check in everything.items() if check not in broken) == []


def test_a_gateway_without_routers_has_its_clients_checked() -> None:
    found = variable_findings(local(gateway_clients=CLIENTS), DEFAULTS, ["gateway"])
    assert any("pool-nope" in finding["wrong"] for finding in found)


def test_a_secret_that_no_pool_refers_to_is_not_required() -> None:
    assert report(router_secrets={"STUB_API_KEY": "any", "UNUSED_API_KEY": ""}) == ""


@given(some.text(max_size=40))
def test_no_text_passes_for_a_client_with_a_short_hash(text: str) -> None:
    assert "key_sha256" in report(gateway_clients=[{"name": "one", "key_sha256": text}]) or not text


@given(some.sampled_from(("router_master_key", "redis_password")), some.text(min_size=1, max_size=60))
def test_a_secret_is_never_shown(name: str, secret: str) -> None:
    # Letters of ordinary words would be found in the sentence itself.
    assert f"<{secret}>" not in report(**{name: f"<{secret}>"})
