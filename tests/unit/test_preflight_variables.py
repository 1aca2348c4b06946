"""Types, choices and names of variables: violations of the argument specs, and unknown names."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from preflight_rules.roles import role_options, role_specs
from preflight_rules.variables import spec_findings, unknown_name_findings
from preflight_variables import DEFAULTS, PROJECT, ROLES, families, local

FOLDER = str(PROJECT / "roles")
SPECS = role_specs(FOLDER, ROLES)
OPTIONS = role_options(FOLDER, ROLES)

REMOVED = [{"names": ["router_gone"], "instead": "router_environment"}]

CASES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "wrong type": ("gateway", {"gateway_port": "many"}, ["gateway_port", "cannot be converted to an int"]),
    "unknown key": ("router", families(cheap_pol="x"), ["router_families.cheap_pol", "unknown key"]),
    "unknown rule": ("router", families(rules=["guess", "score"]), ["router_families", "guess", "explicit"]),
    "unknown routing": ("router", families(routing="of"), ["router_families", "active, shadow, off", "of"]),
    "unknown affinity": ("router", families(affinity="sticky"), ["router_families", "priced, upward, off", "sticky"]),
    "no strong pool": ("router", families(strong_pool=None), ["strong_pool", "missing required arguments"]),
    "unknown TLS": ("gateway", {"gateway_tls": "maybe"}, ["gateway_tls", "auto, plain, own_ca, given", "maybe"]),
}


def _validated(role: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Return the result of Ansible's validate_argument_spec for *variables*, as the role's task registers it."""
    given = {name: value for name, value in (DEFAULTS | variables).items() if name in SPECS[role]}
    errors = ArgumentSpecValidator(SPECS[role]).validate(given).error_messages
    return {"item": role, "argument_errors": errors} if errors else {"item": role, "msg": "The arg spec passed"}


@pytest.mark.parametrize("case", CASES)
def test_what_a_spec_refuses_is_a_finding(case: str) -> None:
    role, changes, expected = CASES[case]
    (found,) = spec_findings([_validated(role, local(**changes))])
    assert found["subject"] == f"{role} variables"
    assert [words for words in expected if words not in found["wrong"]] == [], found
    assert found["fix"] == f"see roles/{role}/meta/argument_specs.yml for names and types"


def test_the_specs_take_the_local_inventory() -> None:
    assert spec_findings(_validated(role, local()) for role in ("router", "gateway", "redis")) == []


def test_a_value_that_cannot_be_evaluated_is_a_finding() -> None:
    (found,) = spec_findings([{"item": "redis", "failed": True, "msg": "'nope' is undefined"}])
    assert found["subject"] == "redis variables"
    assert found["wrong"] == "a value cannot be evaluated: 'nope' is undefined"


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("router_familes", "did you mean router_families?"),
        ("router_of_no_similarity_whatever", "correct the name or remove it"),
        ("router_old", "it was renamed: router_old → router_new"),
        ("router_gone", "it was removed; use router_environment"),
    ],
)
def test_an_unknown_name_is_a_finding_with_the_right_one(name: str, fix: str) -> None:
    (found,) = unknown_name_findings([name, "gateway_port", "other"], OPTIONS, {"router_old": "router_new"}, REMOVED)
    assert found["subject"] == name
    assert found["wrong"] == "the role router has no option of this name"
    assert found["fix"].startswith(fix)


def test_what_earlier_steps_find_out_is_known_and_not_checked() -> None:
    assert "router_image" in OPTIONS["router"]
    assert "router_image" not in SPECS["router"]
