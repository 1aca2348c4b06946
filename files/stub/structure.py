"""What shape a request wants its answer in, on any API: a schema for the text, or a call of a certain tool."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# Chat's "required" and Messages' "any": some tool, the model's choice.
_ANY_TOOL = ("required", "any")


def wanted_schema(body: Json) -> Json | None:
    """Return the schema that the answer's text must follow, ``{}`` for any JSON object, None for plain text.

    Chat has it in ``response_format``, Responses in ``text.format``, Messages in ``output_config.format`` (earlier
    ``output_format``).
    """
    for asked in (
        body.get("response_format"),
        _field(body.get("text"), "format"),
        _field(body.get("output_config"), "format"),
        body.get("output_format"),
    ):
        kind = _field(asked, "type")
        if kind == "json_schema":
            schema = _field(_field(asked, "json_schema"), "schema") or _field(asked, "schema")
            return schema if isinstance(schema, dict) else {}
        if kind == "json_object":
            return {}
    return None


def forced_tool(body: Json) -> str | None:
    """Return the name of the tool that must be called, "" for any, None where the model may answer with text."""
    choice = body.get("tool_choice")
    if choice in _ANY_TOOL or _field(choice, "type") in _ANY_TOOL:
        return ""
    if _field(choice, "type") in ("function", "tool"):
        name = _field(_field(choice, "function"), "name") or _field(choice, "name")
        return name if isinstance(name, str) else ""
    return None


def _field(holder: object, key: str) -> Any:
    return holder.get(key) if isinstance(holder, dict) else None
