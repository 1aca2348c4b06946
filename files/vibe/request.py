"""One view of a request, whichever API and client it came by: all that the rules look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vibe.ask import RESPONSES, WEBSOCKET, last_human_ask
from vibe.choice import Choice, choices_of
from vibe.first_frame import response_of
from vibe.needs import Needs, needs_of
from vibe.turn import MAIN, turn_of


@dataclass(frozen=True)
class Request:
    """What was asked.

    ``ask``: the last thing a human asked, None where there is none to be seen (a tool loop under
    ``previous_response_id``, an image without words). ``turn``: the kind of turn, one of ``turn``'s names.
    ``choices``: what the client chose outright, the choice that counts most first.
    ``needs``: what the model that answers must be able to do.
    """

    ask: str | None
    turn: str = MAIN
    choices: tuple[Choice, ...] = ()
    needs: Needs = field(default_factory=Needs)


def read_request(data: Mapping[str, object], call_type: str) -> Request:
    """Read the body *data* of a request, as LiteLLM hands it to a hook. Accepts any JSON shape, raises on none."""
    body = data
    if call_type == WEBSOCKET:
        body, call_type = response_of(data.get("first_message")), RESPONSES
    ask = last_human_ask(body, call_type)
    headers = headers_of(data)
    return Request(ask, turn_of(body, headers, ask), choices_of(body, headers, ask), needs_of(body))


def headers_of(data: Mapping[str, object]) -> Mapping[str, object]:
    """Return the client's headers, their names in lower case, {} where LiteLLM has none."""
    request = data.get("proxy_server_request")
    headers = request.get("headers") if isinstance(request, dict) else None
    return headers if isinstance(headers, dict) else {}
