"""The support table of docs/clients.md, made from the results of the clients' tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version

import pytest
from e2e.clients import PINS
from e2e.machine import PROJECT

PAGE = PROJECT / "docs/clients.md"
BEGIN, END = "<!-- made by tests/e2e/test_support_table.py -->\n", "<!-- end of what was made -->\n"
NAMES = {"openai": "OpenAI SDK", "anthropic": "Anthropic SDK", "codex": "Codex CLI", "claude-code": "Claude Code"}
# Ability -> client -> result of each of its tests.
Outcomes = dict[str, dict[str, list[str]]]
OUTCOMES = pytest.StashKey[Outcomes]()


def note(item: pytest.Item, outcome: str) -> None:
    """Save the result of a test marked with `supports(ability, *clients)`; without clients, of its `client` fixture."""
    for marker in item.iter_markers("supports"):
        ability, *clients = marker.args
        parameters = getattr(item, "callspec", None)
        for client in clients or [parameters.params["client"] if parameters else ""]:
            found = item.config.stash[OUTCOMES].setdefault(ability, {})
            found.setdefault(client, []).append(outcome)


def versions() -> dict[str, str]:
    """Return the version of each client that was run."""
    pins = json.loads(PINS.read_text(encoding="utf-8"))["dependencies"]
    return {
        "openai": version("openai"),
        "anthropic": version("anthropic"),
        "codex": pins["@openai/codex"],
        "claude-code": pins["@anthropic-ai/claude-code"],
    }


def _cell(outcomes: Iterable[str]) -> str:
    found = set(outcomes)
    return "yes" if found == {"passed"} else "no" if found else "-"


def table(outcomes: Outcomes) -> str:
    """Return the table in Markdown: a row for each ability, a column for each client."""
    told = versions()
    head = "| | " + " | ".join(f"{NAMES[client]} {told[client]}" for client in NAMES) + " |"
    rows = [
        f"| {ability} | " + " | ".join(_cell(found.get(client, [])) for client in NAMES) + " |"
        for ability, found in sorted(outcomes.items())
    ]
    return "\n".join([head, "| --- |" + " --- |" * len(NAMES), *rows]) + "\n"


def in_the_page() -> str:
    """Return the page's table."""
    return PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


def write(text: str) -> None:
    """Write the table into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{text}{END}{rest.split(END)[1]}", encoding="utf-8")
