"""Answer with the upstream's own error where LiteLLM would answer with its version of it."""

from __future__ import annotations

from vibe.proxy.asgi import BODY_HEADERS, Message, Send, described
from vibe.proxy.passage import Passage

_ERRORS = 400


def with_upstreams_words(send: Send, passage: Passage, *, is_anthropic: bool) -> Send:
    """Return a send function that replaces an error answer by the upstream's error, if the request met one."""
    held: Message | None = None

    async def pass_on(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start" and message["status"] >= _ERRORS and passage.failure is not None:
            held = message
            return
        if held is None or passage.failure is None:
            await send(message)
        elif not message.get("more_body", False):
            body = passage.failure.body(is_anthropic=is_anthropic)
            kept = [pair for pair in held["headers"] if pair[0].lower() not in BODY_HEADERS]
            await send({**held, "status": passage.failure.status, "headers": [*kept, *described(body)]})
            await send({"type": "http.response.body", "body": body})
            held = None

    return pass_on
