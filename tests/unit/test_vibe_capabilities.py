"""A request that the cheap pool cannot serve goes to the strong one, and the other way round."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from vibe.request.request import read_request
from vibe.request.required_capabilities import AUDIO, FILES, IMAGES, SCHEMA, TOOLS, needs_of
from vibe.routes.capabilities import Capabilities
from vibe.routes.family import Family
from vibe.routes.pool import Pool, pool_of
from vibe.routes.routes_file import Routes
from vibe.routing.decision import Decision, decide
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD, HI

FAMILY = Family("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard", 50.0)
ROUTES = Routes({FAMILY.virtual_model: FAMILY}, frozenset(("pool-mini", "pool-standard")))
SCORER = load_prior()
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def _decided(
    body: dict[str, Any],
    call_type: str = "acompletion",
    *,
    cheap: Capabilities | None = None,
    strong: Capabilities | None = None,
) -> Decision:
    family = replace(FAMILY, cheap=Pool(cheap or Capabilities()), strong=Pool(strong or Capabilities()))
    return decide(family, ROUTES, SCORER, read_request(body, call_type))[0]


def _chat(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": HI}, *parts]}], **more}


SCHEMA_FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (_chat(), set()),
        (_chat(PICTURE), {IMAGES}),
        (_chat({"type": "input_audio", "input_audio": {}}), {AUDIO}),
        (_chat({"type": "file", "file": {}}), {FILES}),
        (_chat(tools=[{"type": "function", "function": {"name": "ls"}}]), {TOOLS}),
        (_chat(tools=[]), set()),
        (_chat(response_format=SCHEMA_FORMAT), {SCHEMA}),
        (_chat(response_format={"type": "json_object"}), set()),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, {IMAGES}),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "x"}]}]}, {FILES}),
        ({"input": "hi", "text": {"format": {"type": "json_schema"}}}, {SCHEMA}),
        ({"input": [{"type": "function_call_output", "output": [{"type": "input_image"}]}]}, {IMAGES}),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, {IMAGES}),
        ({"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]}, {FILES}),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [{"type": "image"}]}]}]},
            {IMAGES},
        ),
        # Clients send a picture of ten turns ago again.
        ({"messages": [*_chat(PICTURE)["messages"], *_chat()["messages"]]}, {IMAGES}),
    ],
)
def test_what_a_request_needs_is_seen_on_each_api(body: dict[str, Any], kinds: set[str]) -> None:
    assert needs_of(body).kinds == kinds


def test_tokens_are_those_of_the_whole_request() -> None:
    long = "word " * 4000
    body = {"system": long, "messages": [{"role": "user", "content": long}, {"role": "assistant", "content": long}]}
    assert needs_of(body).tokens == pytest.approx(15_000, rel=0.1)
    assert needs_of({"input": "数据库" * 4000}).tokens == pytest.approx(12_000 / 1.3, rel=0.1)
    # Not the base64 text of a picture.
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    assert needs_of(_chat(picture)).tokens < 2000


@pytest.mark.parametrize("body", [{}, {"messages": 7}, {"messages": [[[[[[[[[["x"]]]]]]]]]]}, {"tools": [None, 3, {}]}])
def test_any_shape_is_measured(body: dict[str, Any]) -> None:
    needs_of(body)


def test_a_picture_goes_to_the_pool_that_sees() -> None:
    decision = _decided(_chat(PICTURE), cheap=Capabilities(unable=frozenset((IMAGES,))))
    assert (decision.pool, decision.rule) == ("pool-standard", "ability")
    assert decision.reasons == ("the cheap pool does not take images",)


def test_a_long_conversation_goes_to_the_pool_that_has_room_with_a_margin_for_the_answer() -> None:
    cheap = Capabilities(context=16_000)
    body = {"messages": [{"role": "system", "content": "word " * 8000}, {"role": "user", "content": HI}]}
    assert _decided(body, cheap=cheap).pool == "pool-mini"
    assert _decided(body | {"max_tokens": 8000}, cheap=cheap).pool == "pool-standard"
    longer = {"messages": [{"role": "user", "content": "word " * 10_000}, {"role": "user", "content": HI}]}
    decision = _decided(longer, cheap=cheap)
    assert decision.reasons == ("the cheap pool does not take so long a context",)


def test_what_only_the_cheap_pool_can_do_goes_there_and_says_so() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": HARD}, PICTURE]}]}
    decision = _decided(body, strong=Capabilities(unable=frozenset((IMAGES,))))
    assert (decision.pool, decision.reasons) == ("pool-mini", ("the strong pool does not take images",))


def test_what_neither_can_do_is_decided_by_the_score_and_said() -> None:
    unable = Capabilities(unable=frozenset((IMAGES,)))
    decision = _decided(_chat(PICTURE), cheap=unable, strong=unable)
    assert (decision.rule, decision.reasons[-1]) == ("score", "no pool takes images")


def test_an_explicit_choice_wins_over_what_a_pool_can_do() -> None:
    body = _chat(PICTURE, metadata={"vibe_choice": "cheap"})
    assert _decided(body, cheap=Capabilities(unable=frozenset((IMAGES,)))).pool == "pool-mini"


def test_a_pool_can_do_what_each_of_its_models_can(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {
        "gpt-blind": {"max_input_tokens": 1000, "supports_vision": False},
        "anthropic/claude-sees": {"max_input_tokens": 5000, "supports_vision": True},
        "gpt-odd": {"max_input_tokens": "many", "supports_vision": None},
    }
    monkeypatch.setitem(sys.modules, "litellm", SimpleNamespace(model_cost=costs))

    def able(models: list[tuple[str, dict[str, object]]]) -> Capabilities:
        return pool_of((name, stated, 1) for name, stated in models).capabilities

    assert able([("openai/gpt-blind", {})]) == Capabilities(1000, frozenset((IMAGES,)))
    assert able([("anthropic/claude-sees", {}), ("openai/gpt-blind", {})]).context == 1000
    assert able([("openai/gpt-odd", {}), ("openai/nobody-knows", {})]) == Capabilities()
    # The operator's value overrides the map's.
    assert able([("openai/gpt-blind", {"supports_vision": True})]) == Capabilities(1000, frozenset())
    assert able([("openai/nobody-knows", {"supports_function_calling": False})]).unable == {TOOLS}
