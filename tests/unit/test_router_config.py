"""The template of config.yaml: a pool of several deployments keeps a conversation at one of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

ROLE = Path(__file__).resolve().parents[2] / "roles/router"
FAMILY = {"name": "chat", "virtual_model": "chat-auto", "cheap_pool": "pool-a", "strong_pool": "pool-b"}


def _rendered(*deployments: int) -> dict[str, Any]:
    """Return the configuration of pools with so many deployments each."""
    names = ("pool-a", "pool-b")
    pools = [
        {"name": name, "deployments": [{"model": f"openai/{name}-{each}"} for each in range(number)]}
        for name, number in zip(names, deployments, strict=True)
    ]
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "to_json": json.dumps,
        "bool": bool,
        "combine": lambda first, second: {**first, **second},
    }
    variables = {
        **yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8")),
        **yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8")),
        "router_families": [FAMILY],
        "router_pools": pools,
    }
    text = environment.from_string((ROLE / "templates/config.yaml.j2").read_text(encoding="utf-8")).render(variables)
    config: dict[str, Any] = yaml.safe_load(text)
    return config


@pytest.mark.parametrize(("deployments", "kept"), [((1, 1), []), ((2, 1), ["pool-a"]), ((3, 2), ["pool-a", "pool-b"])])
def test_pools_of_several_deployments_keep_conversations(deployments: tuple[int, int], kept: list[str]) -> None:
    settings = _rendered(*deployments)["router_settings"]
    affinity = settings.get("model_group_affinity_config", {})
    assert sorted(affinity) == kept
    assert all(checks == ["responses_api_deployment_check", "session_affinity"] for checks in affinity.values())
    assert settings["optional_pre_call_checks"] == ["responses_api_deployment_check"]


def test_a_request_ends_with_its_client() -> None:
    assert _rendered(1, 1)["general_settings"]["cancel_on_disconnect"] is True
