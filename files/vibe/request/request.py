"""One view of a request, whichever API and client it came from: all that the rules read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time

from vibe.request.conversation_id import Conversation, conversation_of
from vibe.request.explicit_choice import Choice, choices_of
from vibe.request.housekeeping import COMPACTION
from vibe.request.prompt import RESPONSES, WEBSOCKET
from vibe.request.required_capabilities import Needs, needs_of
from vibe.request.turn_kind import MAIN, turn_of
from vibe.request.turns import NO_DIALOGUE, Dialogue, dialogue_of
from vibe.request.websocket import response_of


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked.

    ``prompt``: the last thing a human asked, None if none is visible (a tool loop under
    ``previous_response_id``, an image without words). ``turn``: the kind of turn, one of ``turn_kind``'s names.
    ``choices``: what the client chose outright, the choice that counts most first.
    ``needs``: what the model that answers must be able to do. ``dialogue``: the turns that were sent.
    ``conversation``: the one that the turn belongs to, None for a bare prompt or a title.
    ``notes``: on what was ignored. ``at``: when it came, in seconds since 1970. ``answered_by``: the pool that gave the
    stored response which the turn continues.
    """

    prompt: str | None
    turn: str = MAIN
    choices: tuple[Choice, ...] = ()
    needs: Needs = field(default_factory=Needs)
    dialogue: Dialogue = NO_DIALOGUE
    conversation: Conversation | None = None
    notes: tuple[str, ...] = ()
    at: float = 0.0
    answered_by: str | None = None

    @property
    def is_remembered(self) -> bool:
        """Whether its conversation is remembered: an opening need not be, because the next turn includes it."""
        if self.conversation is None:
            return False
        return self.conversation.is_named or self.dialogue.in_tool_loop or not self.dialogue.is_opening


def read_request(data: Mapping[str, object], call_type: str, owner: str = "", at: float | None = None) -> Request:
    """Read the body *data* of a request of *owner*, as LiteLLM hands it to a hook; it arrived *at* (default: now).

    Accepts any JSON shape, raises on none.
    """
    body = data
    if call_type == WEBSOCKET:
        body, call_type = response_of(data.get("first_message")), RESPONSES
    headers = headers_of(data)
    dialogue = dialogue_of(body, call_type)
    turn = turn_of(body, headers, dialogue.prompt, is_opening=dialogue.is_opening)
    belongs = turn in (MAIN, COMPACTION)
    conversation, notes = conversation_of(body, headers, dialogue, owner) if belongs else (None, ())
    choices = choices_of(body, headers, dialogue.prompt)
    at = time() if at is None else at
    return Request(dialogue.prompt, turn, choices, needs_of(body), dialogue, conversation, notes, at)


def headers_of(data: Mapping[str, object]) -> Mapping[str, object]:
    """Return the client's headers, their names in lower case, {} where LiteLLM has none."""
    request = data.get("proxy_server_request")
    headers = request.get("headers") if isinstance(request, dict) else None
    return headers if isinstance(headers, dict) else {}
