"""An adapter in a release: each family has its own, an unusable one stops the start, and decisions name it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from vibe.commands import cli
from vibe.memory.store import MemoryStore
from vibe.routes.routes_file import RoutesError, load_routes
from vibe.rules import RULE_NAMES
from vibe.scoring.family_scorers import ADAPTERS, load_scorers
from vibe.scoring.weights_file import WeightsFileError
from vibe.telemetry.decision_metadata import METADATA_KEY
from vibe_fixtures import routes_document
from vibe_labels import HOLIDAY, LAW, made_labels, written
from vibe_router import VibeIntelligentRouter


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of the family chat."""
    folder = tmp_path_factory.mktemp("fit")
    labels, out = written(folder / "labels.jsonl", made_labels(160, planted=True)), folder / "adapter.json"
    assert cli.main(["fit", "--labels", str(labels), "--out", str(out), "--family", "chat"], folder, 50) == 0
    return out


@pytest.fixture
def release(fitted: Path, tmp_path: Path) -> Path:
    """Routes of a release whose family chat has the adapter, and a threshold from its curve."""
    content = fitted.read_bytes()
    name = hashlib.sha256(content).hexdigest()[:12]
    (tmp_path / ADAPTERS).mkdir(parents=True)
    shutil.copy(fitted, tmp_path / ADAPTERS / f"{name}.json")
    document = routes_document()
    (point,) = (point for point in json.loads(content)["curve"] if point["share"] == 0.4)
    document["families"]["chat"] |= {"adapter": name, "threshold": point["threshold"]}
    routes = tmp_path / "vibe_routes.json"
    routes.write_text(json.dumps(document), encoding="utf-8")
    return routes


def _decided(router: VibeIntelligentRouter, model: str, text: str) -> dict[str, Any]:
    data: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}], "metadata": {}}
    asyncio.run(router.async_pre_call_hook(None, None, data, "acompletion"))
    decision: dict[str, Any] = data["metadata"][METADATA_KEY]
    return decision


def test_the_family_follows_what_was_learnt_and_the_others_the_prior(release: Path) -> None:
    routes = load_routes(release, RULE_NAMES)
    router = VibeIntelligentRouter(routes, load_scorers(routes, release.parent), MemoryStore())
    law, holiday = _decided(router, "chat-auto", LAW), _decided(router, "chat-auto", HOLIDAY)
    assert (law["pool"], holiday["pool"]) == ("pool-chat-standard", "pool-chat-mini")
    assert law["adapter"] == holiday["adapter"] == routes.by_virtual_model["chat-auto"].adapter
    other = _decided(router, "codex-auto", LAW)
    assert other["pool"] == "pool-codex-mini"
    assert "adapter" not in other


def test_headers_and_log_tell_of_the_adapter(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    routes = load_routes(release, RULE_NAMES)
    router = VibeIntelligentRouter(routes, load_scorers(routes, release.parent), MemoryStore())
    data: dict[str, Any] = {"model": "chat-auto", "messages": [{"role": "user", "content": LAW}], "metadata": {}}
    asyncio.run(router.async_pre_call_hook(None, None, data, "acompletion"))
    headers = asyncio.run(router.async_post_call_response_headers_hook(data, None, None))
    name = routes.by_virtual_model["chat-auto"].adapter
    assert headers is not None
    assert headers["x-vibe-adapter"] == name
    assert f" adapter={name} threshold=" in capsys.readouterr().err


def test_explain_and_score_use_what_the_routes_name(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", LAW, "--routes", str(release)], release.parent, 50) == 0
    told = capsys.readouterr().out
    assert "chat-auto -> pool-chat-standard" in told
    assert "codex-auto -> pool-codex-mini" in told
    assert "score for chat\n" in told
    assert "score for codex, claude\n" in told
    prompts = written(release.parent / "prompts.jsonl", [{"id": 1, "prompt": LAW}])
    assert cli.main(["score", str(prompts), "--routes", str(release), "--family", "chat"], release.parent, 50) == 0
    assert json.loads(capsys.readouterr().out)["pool"] == "pool-chat-standard"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_text("{", encoding="utf-8"), "is not valid JSON"),
        (lambda path: path.write_text(path.read_text().replace('"labels": 160', '"labels": 170')), "its checksum"),
    ],
    ids=["missing", "cut off", "edited"],
)
def test_one_that_cannot_be_used_stops_the_start_with_its_path(
    release: Path, spoil: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    routes = load_routes(release, RULE_NAMES)
    path = release.parent / ADAPTERS / f"{routes.by_virtual_model['chat-auto'].adapter}.json"
    spoil(path)
    with pytest.raises(WeightsFileError, match=said) as refusal:
        load_scorers(routes, release.parent)
    assert str(path) in str(refusal.value)
    assert cli.main(["check-routes", str(release)], release.parent, 50) == 1
    assert str(path) in capsys.readouterr().err


def test_check_adapter_says_what_it_is_or_whose_it_is_not(fitted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-adapter", str(fitted), "--family", "chat"], fitted.parent, 50) == 0
    assert "valid, 160 labels of chat, fitted at 20" in capsys.readouterr().out
    assert cli.main(["check-adapter", str(fitted), "--family", "codex"], fitted.parent, 50) == 1
    assert "was fitted for the family 'chat', not for 'codex'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../etc/passwd", "chat.json", "", 5, "ABCDEF012345"])
def test_routes_name_an_adapter_by_its_digest_alone(release: Path, name: object) -> None:
    document = json.loads(release.read_text(encoding="utf-8"))
    document["families"]["chat"]["adapter"] = name
    release.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(RoutesError, match=r"families\.chat\.adapter: must be 8 to 64 hexadecimal digits"):
        load_routes(release, RULE_NAMES)
