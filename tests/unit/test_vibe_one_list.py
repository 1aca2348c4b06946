"""Lists of choices exist once, in Python: copies are compared, and a new rule is used."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import jinja2
import pytest
import role_plugins
import yaml
from vibe.request.explicit_choice import SOURCES
from vibe.routes.family import AFFINITIES, ROUTINGS, Family
from vibe.routes.routes_file import Routes, load_routes
from vibe.rules import RULE_NAMES

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATE = PROJECT / "roles/router/templates/vibe_routes.json.j2"
SPECS = yaml.safe_load((PROJECT / "roles/router/meta/argument_specs.yml").read_text(encoding="utf-8"))
OF_A_FAMILY: dict[str, Any] = SPECS["argument_specs"]["main"]["options"]["router_families"]["options"]
BARE = {"name": "chat", "virtual_model": "chat-auto", "cheap_pool": "pool-a", "strong_pool": "pool-b"}
# Fields of the inventory that the plug-in does not read.
OF_THE_DEPLOYMENT = {"name", "strong_alternatives"}


def rendered(family: dict[str, Any], folder: Path) -> Path:
    """Render the routes of one *family* as a deployment does, and return the file."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {
        "dict2items": lambda mapping: [{"key": key, "value": value} for key, value in mapping.items()],
        "items2dict": lambda items: {item["key"]: item["value"] for item in items},
        "to_nice_json": lambda document: json.dumps(document, default=list),
    }
    pools = [{"name": name, "deployments": [{"model": f"openai/{name}"}]} for name in ("pool-a", "pool-b")]
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        router_families=[family],
        router_pools=pools,
        router_records=0,
        router_limits={},
        router_allowed_parameters=[],
        router_allowed_hosts=[],
        router_fetch_media=[],
        router_unchecked_paths=[],
        router_model_aliases={},
        __router_adapter_names={},
    )
    path = folder / "vibe_routes.json"
    path.write_text(text, encoding="utf-8")
    return path


def _family(routes: Routes) -> Family:
    (family,) = routes.by_virtual_model.values()
    return family


def test_a_bare_family_has_the_plug_ins_own_defaults(tmp_path: Path) -> None:
    found = _family(load_routes(rendered(BARE, tmp_path), RULE_NAMES))
    wanted = Family("chat", "chat-auto", "pool-a", "pool-b", "pool-b", cheap=found.cheap, strong=found.strong)
    assert found == wanted


@pytest.mark.parametrize(
    ("key", "given", "read"),
    [
        ("routing", False, "off"),
        ("affinity", False, "off"),
        ("routing", "shadow", "shadow"),
        ("threshold", 30, 30.0),
        ("escalate_after", 0, 0),
        ("rules", ["explicit", "score"], ("explicit", "score")),
        ("explicit_choice", [], ()),
        ("strong_share", 0.2, 0.2),
        ("safe_pool", "pool-a", "pool-a"),
    ],
)
def test_what_an_operator_gives_arrives(key: str, given: object, read: object, tmp_path: Path) -> None:
    found = getattr(_family(load_routes(rendered({**BARE, key: given}, tmp_path), RULE_NAMES)), key)
    assert found == read
    assert type(found) is type(read)


def test_the_proof_of_a_slot_has_the_plug_ins_own_defaults(tmp_path: Path) -> None:
    proof = role_plugins.load("router/library/slot_proof")
    assert Family.routing == proof.ACTIVE
    assert Family.threshold == proof.DEFAULT_THRESHOLD
    bare = json.loads(rendered(BARE, tmp_path).read_text(encoding="utf-8"))["families"]["chat"]
    assert proof.pools_of(bare, proof.SIMPLE) == ["pool-a"]
    assert proof.pools_of({**bare, "routing": "off"}, proof.SIMPLE) == ["pool-b"]


def test_the_specs_offer_what_there_is() -> None:
    offered = {name: tuple(option["choices"]) for name, option in OF_A_FAMILY.items() if "choices" in option}
    assert offered == {
        "rules": RULE_NAMES,
        "routing": ROUTINGS,
        "affinity": AFFINITIES,
        "explicit_choice": SOURCES,
    }
    of_a_family = {field.name for field in fields(Family)} - {"cheap", "strong"}
    assert OF_A_FAMILY.keys() - OF_THE_DEPLOYMENT == of_a_family - {"name"}


NEW_RULE = '''"""Everything goes strong on a test's word."""

from __future__ import annotations

from vibe.rules.context import RuleContext
from vibe.memory.verdict import STRONG, Verdict

NAME = "planted"


def judge(context: RuleContext) -> Verdict | None:
    """Judge by the word."""
    return Verdict(STRONG, ("planted",)) if "xyzzy" in (context.request.prompt or "") else None
'''
DECIDE = """
import asyncio, json, sys
from pathlib import Path
from vibe.routes.routes_file import load_routes
from vibe.rules import RULE_NAMES
from vibe_router import VibeIntelligentRouter

router = VibeIntelligentRouter(load_routes(Path(sys.argv[1]), RULE_NAMES))
data = {"model": "chat-auto", "messages": [{"role": "user", "content": "xyzzy hi"}], "metadata": {}}
asyncio.run(router.async_pre_call_hook(None, None, data, "acompletion"))
print(json.dumps([data["model"], data["metadata"]["vibe_decision"]["rule"]]))
"""


def test_a_rule_that_is_added_as_documented_decides(tmp_path: Path) -> None:
    # As in CONTRIBUTING: the module, and its name in RULES.
    files = tmp_path / "files"
    shutil.copytree(PROJECT / "files", files, ignore=shutil.ignore_patterns("__pycache__", "images"))
    (files / "vibe/rules/planted.py").write_text(NEW_RULE, encoding="utf-8")
    registry = files / "vibe/rules/__init__.py"
    text = registry.read_text(encoding="utf-8").replace("from vibe.rules import ", "from vibe.rules import planted, ")
    text = text.replace("= (explicit, ", "= (planted, explicit, ")
    registry.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", DECIDE, str(rendered(BARE, tmp_path))],
        cwd=files,
        env={"PYTHONPATH": str(files)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["pool-b", "planted"]
