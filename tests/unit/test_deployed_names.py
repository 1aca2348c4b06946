"""A deployment's folder and container names: one pair of variables, the same for roles and checks."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import deployed_names
import pytest
import vibe_launch
import yaml
from jinja2 import Environment

PROJECT = Path(__file__).resolve().parents[2]
ROLES = ("router", "gateway", "redis", "stub_upstream", "firewall", "deployment", "verification")
OTHER = {"vibe_dir": "/srv/other", "vibe_container_prefix": "team-a-"}
DEFAULTS: dict[str, str] = {}
# Each variable of a role, and the checks' name for it.
SAME: dict[str, Callable[[], str]] = {
    "__router_dir": lambda: deployed_names.ROUTER_DIR,
    "__router_container_prefix": lambda: deployed_names.ROUTER_PREFIX,
    "__router_gateway_socket": lambda: f"{deployed_names.GATEWAY_DIR}/run/admin.sock",
    "__router_gateway_container": lambda: deployed_names.CONTAINERS["gateway"],
    "__gateway_dir": lambda: deployed_names.GATEWAY_DIR,
    "__gateway_container": lambda: deployed_names.CONTAINERS["gateway"],
    "__redis_dir": lambda: f"{deployed_names.BASE_DIR}/redis",
    "__redis_container": lambda: deployed_names.CONTAINERS["redis"],
    "__stub_upstream_dir": lambda: f"{deployed_names.BASE_DIR}/stub-upstream",
    "__stub_upstream_container": lambda: deployed_names.CONTAINERS["stub_upstream"],
    "__deployment_dir": lambda: f"{deployed_names.BASE_DIR}/deployment",
    "__deployment_unrecorded_sign": lambda: f"{deployed_names.ROUTER_DIR}/current",
    "__verification_dir": lambda: deployed_names.BASE_DIR,
    "__verification_container_prefix": lambda: deployed_names.CONTAINER_PREFIX,
    "__firewall_table": lambda: deployed_names.FIREWALL_TABLE,
    "vibe_base_dir": lambda: deployed_names.BASE_DIR,
}


@pytest.fixture(params=[DEFAULTS, OTHER], ids=["defaults", "elsewhere"])
def variables(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Return the inventory's variables, with the checks' names set accordingly."""
    found: dict[str, str] = request.param
    for variable in ("vibe_dir", "vibe_container_prefix"):
        monkeypatch.delenv(variable.upper(), raising=False)
        if variable in found:
            monkeypatch.setenv(variable.upper(), found[variable])
    importlib.reload(deployed_names)
    yield found
    monkeypatch.undo()
    importlib.reload(deployed_names)


def test_roles_and_checks_have_the_same_names(variables: dict[str, str]) -> None:
    texts = [(PROJECT / f"roles/{role}/vars/main.yml").read_text(encoding="utf-8") for role in ROLES]
    texts.append((PROJECT / "playbooks/vars/topology.yml").read_text(encoding="utf-8"))
    found = {
        name: Environment(autoescape=False).from_string(value).render(variables)
        for text in texts
        for name, value in yaml.safe_load(text).items()
        if name in SAME
    }
    assert found == {name: wanted() for name, wanted in SAME.items()}


def test_the_plug_in_has_one_name() -> None:
    assert deployed_names.HOOK == vibe_launch.HOOK


def test_nobody_else_writes_them_down() -> None:
    known = {"tests/deployed/deployed_names.py"}
    names = "vibe-(?:redis|gateway|stub-upstream)|litellm-vibe-router-[a-z]+"
    written = re.compile(rf"/opt/litellm-vibe-router|[\"' ](?:{names})(?=[\"' -]|$)")
    for path in (*PROJECT.glob("tests/deployed/**/*.py"), *PROJECT.glob("tests/*.py")):
        if str(path.relative_to(PROJECT)) not in known:
            assert not written.findall(path.read_text(encoding="utf-8")), path
