"""Claude Code and Codex CLI, non-interactive, with the settings that `./deploy.sh env --client` prints."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from e2e.clients import Client, claude_code, codex, installed
from e2e.machine import PROJECT, Run
from vibe_fixtures import HARD

CHEAP = {"codex": "stub-codex-mini", "claude-code": "stub-claude-haiku"}
STRONG = {"codex": "stub-codex-heavy", "claude-code": "stub-claude-sonnet"}
BOTH = ["codex", "claude-code"]


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder in which npm installed both programs."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: it brings Claude Code and Codex CLI")
    return installed(PROJECT / ".cache/clients")


@pytest.fixture
def client(request: pytest.FixtureRequest, deployed: dict[str, str], programs: Path, tmp_path: Path) -> Client:
    """A client with a home folder that has only the printed settings."""
    make = {"codex": codex, "claude-code": claude_code}[request.param]
    return make(programs, tmp_path)


def _answer(client: Client, done: Run) -> str:
    """Return the model's answer as the client shows it."""
    assert done.returncode == 0, done.stdout + done.stderr
    return str(json.loads(done.stdout)["result"]) if client.name == "claude-code" else done.stdout.strip()


@pytest.mark.supports("Messages", "claude-code")
@pytest.mark.supports("Responses", "codex")
@pytest.mark.supports("streams")
@pytest.mark.supports("each prompt to its pool")
@pytest.mark.parametrize("client", BOTH, indirect=True)
def test_a_simple_prompt_goes_cheap_and_a_hard_one_strong(client: Client) -> None:
    assert CHEAP[client.name] in _answer(client, client.ask("hi"))
    assert STRONG[client.name] in _answer(client, client.ask(HARD))


@pytest.mark.supports("tools")
@pytest.mark.supports("a tool loop stays in its pool")
@pytest.mark.parametrize("client", BOTH, indirect=True)
def test_a_tool_loop_of_three_turns_stays_in_its_pool(client: Client) -> None:
    said = _answer(client, client.ask("[[stub:tool=2]] hi"))
    assert re.search(rf"{CHEAP[client.name]}\b.* after 2 tool result", said), said


@pytest.mark.supports("errors, in their words")
@pytest.mark.parametrize("client", BOTH, indirect=True)
def test_a_wrong_key_is_told_in_the_gateways_words(client: Client) -> None:
    done = client.ask("hi", key="sk-not-the-key-of-this-gateway")
    assert done.returncode != 0
    assert "does not know this API key" in done.stdout + done.stderr


@pytest.mark.supports("list of models")
@pytest.mark.parametrize("client", ["codex"], indirect=True)
def test_codex_knows_the_virtual_models(client: Client) -> None:
    done = client.ask("hi")
    assert "codex-auto" in done.stderr
    assert "metadata" not in done.stderr


@pytest.mark.parametrize("client", ["claude-code"], indirect=True)
def test_claude_code_knows_when_to_compact(client: Client) -> None:
    # Without the printed setting it assumes a million tokens.
    done = client.ask("/context")
    assert "/ 200k" in done.stdout, done.stdout
    assert "doesn't recognize the model" not in done.stdout + done.stderr
