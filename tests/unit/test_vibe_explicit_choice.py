"""An explicit choice overrides all rules, and an invalid one is ignored with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from vibe.request.explicit_choice import SOURCES
from vibe.request.request import read_request
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routing.decision import Decision, decide
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD, HI

FAMILY = Family("chat", "chat-auto", "pool-mini", "pool-standard", "pool-safe", 50.0)
ROUTES = Routes({FAMILY.virtual_model: FAMILY}, frozenset(("pool-mini", "pool-standard", "pool-safe", "pool-other")))
SCORER = load_prior()
STRONG_TAG, CHEAP_TAG = "[[vibe:strong]]", "[[vibe:cheap]]"


def _decided(prompt: str, family: Family = FAMILY, header: Any = None, metadata: Any = None) -> Decision:
    data: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}]}
    if header is not None:
        data["proxy_server_request"] = {"headers": {"x-vibe-choice": header}}
    if metadata is not None:
        data["metadata"] = metadata
    return decide(family, ROUTES, SCORER, read_request(data, "acompletion"))[0]


@pytest.mark.parametrize(
    ("choice", "pool"),
    [
        ({"header": "strong"}, "pool-standard"),
        ({"header": " strong "}, "pool-standard"),
        ({"header": "pool-standard"}, "pool-standard"),
        ({"metadata": {"vibe_choice": "strong"}}, "pool-standard"),
        ({"prompt": f"{STRONG_TAG} {HI}"}, "pool-standard"),
        ({"prompt": f"{HI} {STRONG_TAG}"}, "pool-standard"),
        ({"prompt": f"{HI}\n{STRONG_TAG}\n"}, "pool-standard"),
        ({"prompt": f"{STRONG_TAG}\n```\n{CHEAP_TAG}\n```"}, "pool-standard"),
        ({"prompt": f"<system-reminder>{CHEAP_TAG}</system-reminder>{STRONG_TAG} {HI}"}, "pool-standard"),
        ({"prompt": HARD, "header": "cheap"}, "pool-mini"),
        ({"prompt": HARD, "header": "pool-mini"}, "pool-mini"),
        ({"prompt": f"{CHEAP_TAG} {HARD}"}, "pool-mini"),
        # The choice closest to the request counts.
        ({"header": "cheap", "metadata": {"vibe_choice": "strong"}}, "pool-mini"),
        ({"prompt": f"{HI} {STRONG_TAG}", "metadata": {"vibe_choice": "cheap"}}, "pool-mini"),
    ],
)
def test_an_explicit_choice_wins(choice: dict[str, Any], pool: str) -> None:
    decision = _decided(**{"prompt": HI, **choice})
    assert (decision.pool, decision.rule, decision.score) == (pool, "explicit", None)


def test_the_safe_pool_can_be_chosen_by_its_name() -> None:
    assert _decided(HI, header="pool-safe").target == "pool-safe"


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"header": "pool-other"}, "header choice names no pool of the family"),
        ({"header": "pool-mini-of-another-family"}, "header choice names no pool of the family"),
        ({"header": ""}, "header choice names no pool of the family"),
        ({"header": "x" * 10_000}, "header choice names no pool of the family"),
        ({"header": "strong\r\nx-other: y"}, "header choice names no pool of the family"),
        ({"header": ["strong"]}, "header choice names no pool of the family"),
        ({"metadata": {"vibe_choice": 7}}, "metadata choice names no pool of the family"),
        ({"metadata": {"vibe_choice": None}}, "metadata choice names no pool of the family"),
        ({"metadata": {"vibe_choice": {"a": 1}}}, "metadata choice names no pool of the family"),
        ({"prompt": f"[[vibe:nope]] {HI}"}, "tag choice names no pool of the family"),
    ],
)
def test_a_choice_that_means_nothing_is_ignored_with_its_reason(choice: dict[str, Any], said: str) -> None:
    decision = _decided(**{"prompt": HI, **choice})
    assert (decision.pool, decision.rule) == ("pool-mini", "score")
    assert decision.reasons[-1] == said


@pytest.mark.parametrize(
    "prompt",
    [
        f"What does {STRONG_TAG} do?",
        f"`{STRONG_TAG}` hi",
        f"hi `{STRONG_TAG}`",
        f'hi "{STRONG_TAG}"',
        f"{STRONG_TAG}` hi",
        f"```\n{STRONG_TAG}\n```",
        f"hi\n```\n{STRONG_TAG}",
        f"hi\n> she wrote {STRONG_TAG}",
        f"> {STRONG_TAG}",
        "[[vibe:]] hi",
        "[[vibe: strong ]] hi",
        f"[[vibe:{'x' * 300}]] hi",
        "hi[[vibe:strong]]",
    ],
)
def test_a_tag_inside_text_or_code_is_only_text(prompt: str) -> None:
    assert _decided(prompt).rule == "score"


@pytest.mark.parametrize("metadata", ["strong", 7, ["vibe_choice"], {}])
def test_metadata_of_another_type_says_nothing(metadata: Any) -> None:
    decision = _decided(HI, metadata=metadata)
    assert decision.rule == "score"
    assert not any("choice" in reason for reason in decision.reasons)


@pytest.mark.parametrize("source", SOURCES)
def test_a_family_can_switch_each_way_off(source: str) -> None:
    choices: dict[str, dict[str, Any]] = {
        "header": {"header": "strong"},
        "metadata": {"metadata": {"vibe_choice": "strong"}},
        "tag": {"prompt": f"{STRONG_TAG} {HI}"},
    }
    family = replace(FAMILY, explicit_choice=tuple(other for other in SOURCES if other != source))
    decision = _decided(**{"prompt": HI, **choices[source]}, family=family)
    assert decision.rule == "score"
    assert decision.reasons[-1] == f"{source} choice is switched off"


def test_a_choice_wins_over_a_background_turn() -> None:
    body = {
        "system": "Generate a concise, sentence-case title",
        "messages": [{"role": "user", "content": HI}],
        "metadata": {"vibe_choice": "strong"},
    }
    assert decide(FAMILY, ROUTES, SCORER, read_request(body, "anthropic_messages"))[0].pool == "pool-standard"
