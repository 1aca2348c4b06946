"""The command ``explain``: the decision for a text or for whole request bodies, the rule that made it, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten

from vibe.memory.store import MemoryStore
from vibe.request.prompt import CHAT, COMPLETIONS, FIELD_OF_CALL_TYPE, MESSAGES, RESPONSES
from vibe.request.request import Request, read_request
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routes.signals import SIDES
from vibe.routing.decision import Decision, decide
from vibe.rules.score import STAYS
from vibe.scoring.family_scorers import Scorers
from vibe.scoring.prompt_parts import split
from vibe.scoring.score import Score
from vibe.scoring.scorer import Scorer, load_prior
from vibe.scoring.signals import Signalled
from vibe.strict_json import read_json

MOST_PHRASES = 5
MOST_INSTRUCTION_CHARS = 240
# The endpoint's path identifies the API; without one, the field that holds the conversation does.
_BY_PATH = {
    "/chat/completions": CHAT,
    "/messages": MESSAGES,
    "/responses": RESPONSES,
    "/completions": COMPLETIONS,
}


class BodyError(ValueError):
    """The file holds no request body; the message names it and says what is wrong."""


def request_of_text(text: str) -> Request:
    """Return the request that *text* is when it comes as a chat message."""
    return read_request({"messages": [{"role": "user", "content": text}]}, CHAT)


def requests_of_file(path: Path) -> list[Request]:
    """Read the requests at *path*: a body, or ``{"path", "headers", "body"}`` as recorded, or a list of either.

    Raises:
        BodyError: it is none of these.
    """
    document = read_json(path, lambda why: BodyError(f"--body {path}: {why}"))
    entries = document if isinstance(document, list) else [document]
    requests = [_request(entry, f"--body {path}, request {index}") for index, entry in enumerate(entries, start=1)]
    found = [request for request in requests if request is not None]
    if not found:
        raise BodyError(f"--body {path}: holds no request")
    return found


def explain(
    requests: list[Request], families: list[Family], routes: Routes, scorers: Scorers, *, as_json: bool
) -> None:
    """Print for each of *requests*, in order, its score and the decision for each of *families*.

    Requests of one conversation are decided as its turns. Families of different scorers have a score each; as JSON, the
    contributions are those of the first family's. The shipped judgement weighs the phrases, whichever scorer is used.
    """
    groups = scorers.groups(families)
    stores = {family.name: MemoryStore() for family in families}
    reports = [
        (
            [scorer.score(request.prompt or "") for scorer, _ in groups],
            [_decided(request, family, routes, scorers.of(family), stores[family.name]) for family in families],
        )
        for request in requests
    ]
    if as_json:
        documents = [
            _document(request.prompt or "", scores[0], decisions)
            for request, (scores, decisions) in zip(requests, reports, strict=True)
        ]
        print(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
        return
    for index, (scores, decisions) in enumerate(reports, start=1):
        if len(reports) > 1:
            print(f"request {index} of {len(reports)}: a {requests[index - 1].turn} turn")
        else:
            _print_parts(requests[0].prompt or "")
            for (scorer, scored_for), scored in zip(groups, scores, strict=True):
                if len(groups) > 1:
                    print(f"score for {', '.join(family.name for family in scored_for)}")
                _print_signals(requests[0].prompt or "", scorer)
                _print_score(scored)
        for decision in decisions:
            print(f"{decision.virtual_model} -> {decision.target}  (rule {decision.rule}: {_why(decision)})")


def _decided(request: Request, family: Family, routes: Routes, scorer: Scorer, store: MemoryStore) -> Decision:
    key = "" if request.conversation is None else request.conversation.key
    decision, new = decide(family, routes, scorer, request, store.peek(key))
    if new is not None and request.conversation is not None:
        store.put(key, new)
    return decision


def _request(entry: object, where: str) -> Request | None:
    if not isinstance(entry, dict):
        raise BodyError(f"{where}: must be one JSON object")
    if "body" not in entry:
        return read_request(entry, _call_type("", entry, where))
    body = entry["body"]
    if body is None:
        # A probe such as HEAD /; recordings contain them.
        return None
    if not isinstance(body, dict):
        raise BodyError(f"{where}: its body must be one JSON object")
    headers = entry.get("headers")
    data = body | {"proxy_server_request": {"headers": headers if isinstance(headers, dict) else {}}}
    return read_request(data, _call_type(str(entry.get("path", "")), body, where))


def _call_type(path: str, body: Mapping[str, object], where: str) -> str:
    endpoint = path.partition("?")[0]
    for ending, call_type in _BY_PATH.items():
        if endpoint.endswith(ending):
            return call_type
    for call_type in (CHAT, RESPONSES, COMPLETIONS):
        if FIELD_OF_CALL_TYPE[call_type] in body:
            return call_type
    raise BodyError(f"{where}: has none of the fields messages, input, prompt, so it is no request that is routed")


def _document(prompt: str, scored: Score, decisions: list[Decision]) -> dict[str, object]:
    parts = split(prompt)
    return {
        "instruction": parts.instruction,
        "material": parts.material,
        "phrases": load_prior().judgement.leading(prompt, MOST_PHRASES),
        "score": scored.value,
        "raw": scored.raw,
        "base": scored.base,
        "contributions": [part._asdict() for part in scored.contributions],
        "decisions": [decision.as_metadata() for decision in decisions],
    }


def _print_parts(prompt: str) -> None:
    """Print what of *prompt* is instruction, how much of which kind is material, and which phrases weigh most."""
    parts = split(prompt)
    asked = shorten(parts.instruction, MOST_INSTRUCTION_CHARS, placeholder=" …") or "none, so the material is read"
    pasted = ", ".join(f"{kind} ({chars:,} characters)" for kind, chars in parts.material.items()) or "none"
    phrases = load_prior().judgement.leading(prompt, MOST_PHRASES)
    weighed = ", ".join(f"{phrase} {part:+.2f}" for phrase, part in phrases) or "none"
    print(f"instruction   {asked}\nmaterial      {pasted}\nphrases       {weighed}\n")


def _print_signals(prompt: str, scorer: Scorer) -> None:
    if isinstance(scorer, Signalled):
        for side, phrases in zip(SIDES, scorer.found(prompt), strict=True):
            print(f"signals, {side:<8}{', '.join(phrases) or 'none'}")


def _print_score(scored: Score) -> None:
    print(f"{'part':<20}{'value':>8}{'log odds':>10}")
    print(f"{'(base)':<20}{'':>8}{scored.base:>+10.2f}")
    for part in scored.contributions:
        print(f"{part.feature:<20}{part.value:>8g}{part.log_odds:>+10.2f}")
    print(f"{'score (0 to 100)':<20}{'':>8}{scored.value:>10.1f}\n")


def _why(decision: Decision) -> str:
    if decision.score is None:
        return ", ".join(decision.reasons)
    sign = ">=" if decision.score >= decision.threshold else "<"
    stays = f", {decision.reasons[0]}" if decision.reasons[0].startswith(STAYS) else ""
    return f"{decision.score} {sign} {decision.threshold:g}{stays}"
