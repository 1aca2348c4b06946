"""Shortens recorded requests: structure and beginnings stay, bulk, keys and paths of the recording machine go."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

TEXT_KEPT = 400
# Of what is asked: the purpose of a client's own prompt may come late in it.
PROMPT_KEPT = 2400
TOOLS_KEPT = 3
MARK = "… [shortened]"
PROJECT, HOME = "/home/user/project", "/home/user"
# Headers by which a client is recognized, and its session and its agents.
KEPT_HEADERS = re.compile(
    r"user-agent|anthropic-(beta|version)|x-(?!stainless)[a-z-]+|.*session.*|.*conversation.*|originator|.*thread.*"
)
# Tags that open a block which a client injects: they stay, with the beginning of what they hold.
_TAG = re.compile(r"</?[A-Za-z_][\w-]*>")


def shortened(requests: list[dict[str, Any]], project: Path, home: Path) -> list[dict[str, Any]]:
    """Return *requests* without what no test needs; *project* and *home* become paths that tell nothing."""
    text = json.dumps(requests, ensure_ascii=False)
    for path, shown in ((project, PROJECT), (home, HOME)):
        # Claude Code writes a path with dashes too.
        text = text.replace(str(path), shown).replace(str(path).replace("/", "-"), shown.replace("/", "-"))
    return [_request(request) for request in json.loads(text)]


def _request(request: dict[str, Any]) -> dict[str, Any]:
    headers = {name: value for name, value in request["headers"].items() if KEPT_HEADERS.fullmatch(name)}
    return {**request, "headers": headers, "body": _value(request["body"])}


def _value(value: Any, key: str = "", role: object = None) -> Any:
    if isinstance(value, str):
        is_prompt = role == "user" and not value.lstrip().startswith(("<", "# AGENTS.md"))
        return _text(value, PROMPT_KEPT if is_prompt else TEXT_KEPT)
    if isinstance(value, list):
        if key == "tools":
            return [_tool(tool) for tool in value[:TOOLS_KEPT]]
        return [_value(item, key, role) for item in value]
    if isinstance(value, dict):
        return {name: _value(item, name, value.get("role", role)) for name, item in value.items()}
    return value


def _tool(tool: Any) -> Any:
    return {name: tool[name] for name in ("type", "name") if name in tool} if isinstance(tool, dict) else tool


def _text(text: str, kept: int) -> str:
    if len(text) <= kept:
        return text
    head, rest = text[: kept // 2], text[kept // 2 :]
    # What closes or opens a block later on is what tells injected text from the person's own.
    tags = "".join(_TAG.findall(rest)[-12:])
    tail = rest[-kept // 4 :]
    return f"{head}{MARK}{tags if not _TAG.search(tail) else ''}{tail}"
