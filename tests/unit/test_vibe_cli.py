"""The command line works from a checkout, without LiteLLM and without a deployment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from vibe_fixtures import HARD, HI, routes_document

DOOR = Path(__file__).resolve().parents[2] / "files" / "vibe_router.py"


def _vibe(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIBE_ROUTES_FILE")}
    # -S: no site-packages, so only the standard library can be imported.
    command = [sys.executable, "-S", str(DOOR), *arguments]
    return subprocess.run(
        command, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def routes_file(tmp_path: Path) -> Path:
    path = tmp_path / "routes.json"
    path.write_text(json.dumps(routes_document()), encoding="utf-8")
    return path


def test_explain_prints_decision_and_contributions() -> None:
    result = _vibe("explain", HI)
    assert result.returncode == 0, result.stderr
    assert "any -> cheap_pool" in result.stdout
    assert "phrases " in result.stdout
    assert "strong_pool" in _vibe("explain", HARD).stdout


def test_explain_as_json_adds_up() -> None:
    report = json.loads(_vibe("explain", HARD, "--json").stdout)
    assert report["raw"] == pytest.approx(report["base"] + sum(part["log_odds"] for part in report["contributions"]))
    assert report["decisions"][0]["pool"] == "strong_pool"


def test_explain_decides_by_the_named_routes(routes_file: Path) -> None:
    result = _vibe("explain", "-", "--routes", str(routes_file), "--family", "claude", "--json", stdin=HI)
    assert [decision["pool"] for decision in json.loads(result.stdout)["decisions"]] == ["pool-claude-mini"]


def test_explain_refuses_an_unknown_family(routes_file: Path) -> None:
    result = _vibe("explain", HI, "--routes", str(routes_file), "--family", "nope")
    assert result.returncode == 1
    assert "known are chat, codex, claude" in result.stderr


def test_explain_leaves_injected_blocks_out() -> None:
    plain = _vibe("explain", HI, "--json").stdout
    assert _vibe("explain", f"<system-reminder>{HARD}</system-reminder>{HI}", "--json").stdout == plain


RECORDED = Path(__file__).resolve().parents[1] / "fixtures/clients"


def test_explain_takes_a_tag_in_the_text_at_its_word() -> None:
    assert "any -> strong_pool  (rule explicit: tag choice)" in _vibe("explain", f"{HI} [[vibe:strong]]").stdout


def test_explain_takes_recorded_requests() -> None:
    result = _vibe("explain", "--body", str(RECORDED / "claude-code/title.json"))
    assert result.returncode == 0, result.stderr
    assert "request 1 of 2: a title turn\nany -> cheap_pool  (rule background: title)" in result.stdout
    result = _vibe("explain", "--body", str(RECORDED / "claude-code/tool-loop.json"))
    assert result.stdout.count("(rule score: ") == 1
    assert result.stdout.count("(rule inherit: tool loop)") == 3


def test_explain_takes_a_body(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"model": "codex-auto", "input": HARD}), encoding="utf-8")
    report = json.loads(_vibe("explain", "--body", str(body), "--json").stdout)
    assert (report["decisions"][0]["pool"], report["decisions"][0]["rule"]) == ("strong_pool", "score")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nonsense", "is not valid JSON"),
        ("[]", "holds no request"),
        ("[7]", "request 1: must be one JSON object"),
        ('{"body": 7}', "request 1: its body must be one JSON object"),
        ('{"model": "x"}', "request 1: has none of the fields messages, input, prompt"),
    ],
)
def test_explain_refuses_a_file_without_a_request(tmp_path: Path, content: str, said: str) -> None:
    body = tmp_path / "body.json"
    body.write_text(content, encoding="utf-8")
    result = _vibe("explain", "--body", str(body))
    assert result.returncode == 1
    assert result.stderr.startswith(f"--body {body}")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_check_routes_accepts_a_valid_file(routes_file: Path) -> None:
    result = _vibe("check-routes", str(routes_file))
    assert result.returncode == 0
    assert "valid, 3 families, 6 pools" in result.stdout


def test_check_routes_refuses_with_file_and_key(routes_file: Path) -> None:
    document = routes_document()
    document["families"]["chat"]["threshold"] = 200
    routes_file.write_text(json.dumps(document), encoding="utf-8")
    result = _vibe("check-routes", str(routes_file))
    assert result.returncode == 1
    assert result.stderr.startswith(f"routes file {routes_file}: families.chat.threshold: ")
    assert "Traceback" not in result.stderr
