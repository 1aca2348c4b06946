"""The routes file is read strictly: each fault is refused, and the message names the file and the key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from vibe.routes.routes_file import RoutesError, load_routes
from vibe.rules import RULE_NAMES
from vibe_fixtures import routes_document

FILES = Path(__file__).resolve().parents[2] / "files"


def _written(folder: Path, document: Any) -> Path:
    path = folder / "vibe_routes.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def test_a_rendered_file_gives_each_virtual_model_its_pools(tmp_path: Path) -> None:
    routes = load_routes(_written(tmp_path, routes_document()), RULE_NAMES)
    family = routes.by_virtual_model["codex-auto"]
    assert (family.name, family.cheap_pool, family.strong_pool, family.safe_pool, family.threshold) == (
        "codex",
        "pool-codex-mini",
        "pool-codex-standard",
        "pool-codex-standard",
        50.0,
    )
    assert len(routes.pools) == 6


def _set(*keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(document: dict[str, Any]) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return spoil


def _drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    def spoil(document: dict[str, Any]) -> None:
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_set("version", value=2), "version: must be 1, is 2"),
        (
            _set("families", "chat", "explicit_choice", value=["nose"]),
            "families.chat.explicit_choice: must be a list of",
        ),
        (_set("families", "chat", "explicit_choice", value="tag"), "families.chat.explicit_choice: must be a list of"),
        (_set("families", "chat", "explicit_choice", value=[{}]), "families.chat.explicit_choice: must be a list of"),
        (_drop("families", "chat", "cheap_pool"), "families.chat.cheap_pool: is missing"),
        (_set("version", value=True), "version: must be 1, is True"),
        (_drop("version"), "version: is missing"),
        (_drop("pools"), "pools: is missing"),
        (_set("pools", value=[]), "pools: must be a list with at least one"),
        (_set("pools", value=["a b"]), "pools[0]: must be a name"),
        (_set("families", value={}), "families: must be an object with at least one family"),
        (_set("families", value=[]), "families: must be an object"),
        (_set("families", "chat", value="x"), "families.chat: must be an object"),
        (_set("famlies", value={}), "famlies: is not known"),
        (_drop("families", "chat", "strong_pool"), "families.chat.strong_pool: is missing"),
        (_set("families", "chat", "cheap", value="x"), "families.chat.cheap: is not known"),
        (_set("families", "chat", "cheap_pool", value="pool-nope"), "families.chat.cheap_pool: 'pool-nope' is not in"),
        (_set("families", "chat", "safe_pool", value=7), "families.chat.safe_pool: must be a name"),
        (_set("families", "chat", "virtual_model", value="pool-chat-mini"), "families.chat.virtual_model: 'pool-chat"),
        (_set("families", "chat", "virtual_model", value="codex-auto"), "'codex-auto' is of family 'chat' too"),
        (_set("families", "chat", "virtual_model", value="chät"), "families.chat.virtual_model: must be a name"),
        (_set("families", "chat", "threshold", value="50"), "families.chat.threshold: must be a number, is '50'"),
        (_set("families", "chat", "threshold", value=True), "families.chat.threshold: must be a number, is True"),
        (_set("families", "chat", "threshold", value=101), "families.chat.threshold: must be between 0 and 100"),
        (_set("families", "chat", "threshold", value=float("nan")), "families.chat.threshold: must be between"),
        (
            _set("families", "chat", "move_up_margin", value=-1),
            "chat.move_up_margin: must be between 0 and",
        ),
        (_set("families", "chat", "move_down_margin", value="5"), "families.chat.move_down_margin: must be a number"),
        (
            _set("families", "chat", "escalate_after", value=1.5),
            "escalate_after: must be a whole number from",
        ),
        (
            _set("families", "chat", "escalate_after", value=True),
            "escalate_after: must be a whole number from",
        ),
        (_set("families", "chat", "affinity", value="up"), "affinity: must be one of priced, upward, off, is 'up'"),
        (_set("families", "chat", "affinity", value=False), "affinity: must be one of priced, upward, off, is False"),
        (_set("families", "chat", "cache_life", value=-1), "cache_life: must be a whole number from 0"),
        (_set("families", "chat", "cache_life", value="5m"), "cache_life: must be a whole number from 0"),
        (
            _set("models", "pool-chat-mini", value=[{"model": "m", "info": {}}]),
            "models.pool-chat-mini: must be a list of objects with a text model, a number weight and an object info",
        ),
        (
            _set("models", "pool-chat-mini", value=[{"model": "m", "weight": -1, "info": {}}]),
            "models.pool-chat-mini: must be a list of objects",
        ),
        (
            _set(
                *("models", "pool-chat-mini"),
                value=[{"model": "m", "weight": 1, "info": {"output_cost_per_token": "1e-6"}}],
            ),
            "models.pool-chat-mini: m: output_cost_per_token: must be dollars a token, 0 to 1, is '1e-6'",
        ),
        (_set("families", "chat", "routing", value="of"), "routing: must be one of active, shadow, off, is 'of'"),
        (_set("families", "chat", "routing", value=False), "routing: must be one of active, shadow, off, is False"),
        (
            _set("families", "chat", "rules", value=["guess", "score"]),
            "chat.rules: must be a list of explicit",
        ),
        (_set("families", "chat", "rules", value=["guess", "score"]), "has 'guess'"),
        (_set("families", "chat", "rules", value=["score", "score"]), "families.chat.rules: has 'score' twice"),
        (_set("families", "chat", "rules", value=["score", "explicit"]), "families.chat.rules: must end with 'score'"),
        (_set("families", "chat", "rules", value=[]), "families.chat.rules: must end with 'score'"),
        (_set("families", "chat", "rules", value="score"), "families.chat.rules: must be a list of"),
    ],
)
def test_a_fault_is_named_with_file_and_key(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], message: str
) -> None:
    document = routes_document()
    spoil(document)
    path = _written(tmp_path, document)
    with pytest.raises(RoutesError) as caught:
        load_routes(path, RULE_NAMES)
    assert message in str(caught.value)
    assert all(line.startswith(f"routes file {path}: ") for line in str(caught.value).splitlines())


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    document = routes_document()
    document["families"]["chat"]["threshold"] = -1
    document["families"]["claude"]["strong_pool"] = "pool-gone"
    with pytest.raises(RoutesError) as caught:
        load_routes(_written(tmp_path, document), RULE_NAMES)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "must be one JSON object"),
        ('{"version": 1, "version": 1}', "the key 'version' is twice"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
def test_text_that_is_no_routes_object_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RoutesError, match=message):
        load_routes(_written(tmp_path, text), RULE_NAMES)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RoutesError, match="cannot be read"):
        load_routes(tmp_path / "absent.json", RULE_NAMES)
    with pytest.raises(RoutesError, match="cannot be read"):
        load_routes(tmp_path, RULE_NAMES)


def _import_plugin(routes_file: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(FILES), "VIBE_ROUTES_FILE": str(routes_file)}
    command = [sys.executable, "-c", "import vibe_router; print(sorted(vibe_router.router_instance.routes.pools))"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_importing_the_plugin_fails_on_an_invalid_routes_file(tmp_path: Path) -> None:
    document = routes_document()
    document["families"]["chat"]["cheap_pool"] = "pool-gone"
    result = _import_plugin(_written(tmp_path, document))
    assert result.returncode != 0
    assert "families.chat.cheap_pool: 'pool-gone' is not in pools" in result.stderr


def test_importing_the_plugin_takes_the_named_routes_file(tmp_path: Path) -> None:
    result = _import_plugin(_written(tmp_path, routes_document()))
    assert result.returncode == 0, result.stderr
    assert "pool-claude-standard" in result.stdout


def test_importing_the_plugin_fails_where_the_named_routes_file_is_missing(tmp_path: Path) -> None:
    result = _import_plugin(tmp_path / "absent.json")
    assert result.returncode != 0
    assert "cannot be read" in result.stderr
