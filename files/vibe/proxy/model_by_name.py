"""One model by its name: the entry of the list of models, so that whatever is listed can be asked for.

LiteLLM answers 404 to an alias, as each virtual model is, and in neither API's form (1.106.12). Its list has the
aliases, only the models that the client may request, and the form that the client expects.
"""

from __future__ import annotations

from typing import Any

import orjson  # part of the LiteLLM image

from vibe.proxy.asgi import App, Message, Receive, Scope, Send
from vibe.proxy.request_check import no_such_model

_OK = 200
# More than any release has: Anthropic's form comes in pages.
_WHOLE_LIST = b"limit=1000"


async def answer_model(app: App, scope: Scope, receive: Receive, send: Send, name: str) -> None:
    """Answer with the entry of the model *name* in the list that *app* gives this client.

    Raises:
        RefusedError: the list has no such model.
    """
    start: Message = {}
    body = b""

    async def keep(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start":
            start = message
        else:
            body += message.get("body", b"")

    path = scope["path"].removesuffix(f"/{name}")
    await app({**scope, "path": path, "raw_path": path.encode(), "query_string": _WHOLE_LIST}, receive, keep)
    if not start:
        return  # the client has left
    if start["status"] == _OK:
        body = orjson.dumps(_entry(orjson.loads(body), name))
    kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    await send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def _entry(listed: dict[str, Any], name: str) -> object:
    for model in listed.get("data") or []:
        if model.get("id") == name:
            return model
    raise no_such_model(name)
