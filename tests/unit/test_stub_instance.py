"""The stub's instances match the schemas that clients send: pydantic's, and other features of JSON Schema."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field
from stub.instance import instance_of
from stub.structure import forced_tool, wanted_schema

Json = dict[str, Any]


class Colour(Enum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    """A nested model."""

    street: str = Field(min_length=9)
    number: int = Field(gt=7, le=9)


class Person(BaseModel):
    """A model with most kinds of fields."""

    name: str = Field(max_length=3)
    age: int = Field(ge=18)
    born: date
    colour: Colour
    kind: Literal["a", "b"]
    home: Address
    others: list[Address] = Field(min_length=2)
    nick: str | None
    share: float = Field(gt=0, lt=1)
    even: int = Field(multiple_of=4)
    friend: Person | None
    anything: str | Address
    optional: str = "default"


def test_a_pydantic_model_can_be_made_of_the_instance() -> None:
    person = Person.model_validate(instance_of(Person.model_json_schema()))
    assert len(person.others) == 2
    assert person.home.number in (8, 9)


SCHEMAS: dict[str, Json] = {
    "everything required": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    "no required property": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "list of types": {"type": ["null", "string"]},
    "constant": {"const": {"a": [1]}},
    "enumeration of numbers": {"enum": [3, 4]},
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    "one of": {"oneOf": [{"type": "object", "properties": {"k": {"const": 1}}, "required": ["k"]}, {"type": "array"}]},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2},
    "long list": {"type": "array", "items": {"type": "number", "minimum": 2.5}, "minItems": 4},
    "small range": {"type": "number", "exclusiveMinimum": 10, "exclusiveMaximum": 11},
    "negative": {"type": "integer", "maximum": -5},
    "multiple": {"type": "integer", "multipleOf": 7, "minimum": 15},
    "formats": {
        "type": "object",
        "properties": {name: {"type": "string", "format": name} for name in ("date-time", "email", "uuid", "ipv4")},
        "required": ["date-time", "email", "uuid", "ipv4"],
    },
    "definitions": {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "required": ["x"], "properties": {}}}},
    "a tree that ends in null": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                "required": ["next"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_instance_meets_its_schema(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema.validate(instance_of(schema), schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize(
    "schema",
    [
        True,
        None,
        [],
        "text",
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"$ref": 5},
        {"allOf": [{"$ref": "#"}]},
        {"anyOf": []},
        {"anyOf": [7]},
        {"type": []},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 9},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "properties": 3, "required": 4},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    ],
)
def test_a_schema_that_is_none_or_never_ends_is_answered_all_the_same(schema: object) -> None:
    instance_of(schema)


SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}, SCHEMA),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}}, SCHEMA),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, SCHEMA),
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, SCHEMA),
        ({"response_format": {"type": "json_object"}}, {}),
        ({"text": {"format": {"type": "text"}}}, None),
        ({"text": {"verbosity": "low"}}, None),
        ({"response_format": "json"}, None),
        ({}, None),
    ],
)
def test_a_schema_is_found_where_each_api_has_it(body: Json, wanted: Json | None) -> None:
    assert wanted_schema(body) == wanted


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ("auto", None),
        (None, None),
        ("required", ""),
        ({"type": "any"}, ""),
        ({"type": "auto"}, None),
        ({"type": "tool", "name": "t"}, "t"),
        ({"type": "function", "name": "t"}, "t"),
        ({"type": "function", "function": {"name": "t"}}, "t"),
    ],
)
def test_a_demanded_tool_is_found_where_each_api_has_it(choice: object, name: str | None) -> None:
    assert forced_tool({"tool_choice": choice}) == name
