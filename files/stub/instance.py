"""A small instance of a JSON schema: the answer to a client that asks for structured output, or a tool's arguments.

Honoured: references within the schema, ``const``, ``enum``, ``allOf``, ``anyOf`` and ``oneOf``, the types, required
properties, lengths, bounds, multiples, formats. Not honoured: ``pattern``, ``not``, conditions; what only they demand
is not met.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

TEXT = "stub"
MAX_DEPTH = 12
# Values in all: lists of lists of lists would multiply.
MAX_VALUES = 2000
_BY_FORMAT = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "stub@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}

Schema = Mapping[str, Any]


def instance_of(schema: object) -> Any:
    """Return an instance of *schema*, a JSON schema as parsed JSON; anything else is answered with a text."""
    return _Maker(schema if isinstance(schema, Mapping) else {}).make(schema, 0)


class _Maker:
    """Makes one instance; knows the whole schema, and how many values it may still make."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.left = MAX_VALUES

    def make(self, schema: object, depth: int) -> Any:
        self.left -= 1
        if not isinstance(schema, Mapping):
            return TEXT
        schema = _resolved(schema, self.root)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        choices = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(choices, list) and choices and depth < MAX_DEPTH:
            choice = _choice(choices, self.root, depth)
            return self.make({**_without(schema, "anyOf", "oneOf"), **choice}, depth + 1)
        kind = _kind(schema, depth)
        if kind == "object":
            return self.make_object(schema, depth)
        if kind == "array":
            return self.make_array(schema, depth)
        if kind in ("integer", "number"):
            return _number(schema, kind)
        return {"boolean": True, "null": None}.get(kind, _text(schema))

    def make_object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties"), schema.get("required")
        properties = properties if isinstance(properties, Mapping) else {}
        if depth >= MAX_DEPTH or self.left <= 0 or not isinstance(required, list):
            return {}
        return {str(name): self.make(properties.get(name), depth + 1) for name in required}

    def make_array(self, schema: Schema, depth: int) -> list[Any]:
        first, least = schema.get("prefixItems"), schema.get("minItems")
        items = [self.make(item, depth + 1) for item in first] if isinstance(first, list) else []
        while isinstance(least, int) and len(items) < least and depth < MAX_DEPTH and self.left > 0:
            items.append(self.make(schema.get("items"), depth + 1))
        return items


def _resolved(schema: Schema, root: Schema, steps: int = MAX_DEPTH) -> Schema:
    """Follow references and fold ``allOf`` in, at most *steps* times: both may lead back to themselves."""
    for left in range(steps, 0, -1):
        if isinstance(schema.get("$ref"), str):
            schema = {**_without(schema, "$ref"), **_at(schema["$ref"], root)}
        elif isinstance(schema.get("allOf"), list):
            folded: Schema = _without(schema, "allOf")
            for part in schema["allOf"]:
                folded = _folded(folded, _resolved(part, root, left // 2) if isinstance(part, Mapping) else {})
            schema = folded
        else:
            break
    return schema


def _at(reference: str, root: Schema) -> Schema:
    found: Any = root
    for name in reference.removeprefix("#").split("/")[1:]:
        found = found.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _folded(first: Schema, second: Schema) -> Schema:
    both = {**first, **second}
    for key in ("properties", "required"):
        ours, theirs = first.get(key), second.get(key)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            both[key] = {**ours, **theirs}
        elif isinstance(ours, list) and isinstance(theirs, list):
            both[key] = ours + theirs
    return both


def _without(schema: Schema, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keys}


def _choice(choices: list[Any], root: Schema, depth: int) -> Schema:
    """Take the first that is not null; deep down, where a schema may contain itself, null."""
    schemas = [_resolved(choice, root) for choice in choices if isinstance(choice, Mapping)]
    ends = [schema for schema in schemas if schema.get("type") == "null"]
    others = [schema for schema in schemas if schema.get("type") != "null"]
    if ends and (depth >= MAX_DEPTH // 2 or not others):
        return ends[0]
    return others[0] if others else {}


def _kind(schema: Schema, depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        known = [name for name in kind if name != "null"]
        kind = "null" if "null" in kind and (depth >= MAX_DEPTH // 2 or not known) else next(iter(known), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)


def _number(schema: Schema, kind: str) -> float | int:
    step = schema.get("multipleOf") or (1 if kind == "integer" else None)
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    nudge = step or 0.5
    low, high = max(low, above + nudge), min(high, below - nudge)
    value = min(max(1, low), high)
    if step:
        value = step * (math.ceil(value / step) if math.ceil(value / step) * step <= high else math.floor(value / step))
    return int(value) if kind == "integer" or value == int(value) else value


def _text(schema: Schema) -> str:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    least, most = schema.get("minLength"), schema.get("maxLength")
    text = TEXT * (math.ceil(least / len(TEXT)) if isinstance(least, int) and least > len(TEXT) else 1)
    return text[:most] if isinstance(most, int) else text
