"""The application: from an HTTP request to an answer, with the faults that its control tags ask for."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stub.answer import Answer, make_answer
from stub.api import Api
from stub.chat import CHAT
from stub.completions import COMPLETIONS
from stub.controls import Controls, parse_controls
from stub.cut import CutBody, CuttableStream
from stub.embeddings import EMBEDDINGS
from stub.messages import COUNT_TOKENS, MESSAGES
from stub.parsed_request import ParsedRequest, read_request
from stub.refused import RefusedError
from stub.responses import RESPONSES

APIS = (CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS, MESSAGES, COUNT_TOKENS)
# A client's base address may end in /v1 or not.
PREFIXES = ("/v1", "")
REMEMBERED_REQUESTS = 2000
KEY_DIGITS = 16
MAX_LOGGED_NAME = 120

_LOG = logging.getLogger("stub")

Handler = Callable[[Request], Awaitable[Response]]


def create_app(models: Sequence[str]) -> Starlette:
    """Build the application; `models` are listed under /v1/models, any other name is answered just the same."""
    seen: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_REQUESTS)
    listed = {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "stub"} for name in models],
    }

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def list_models(_request: Request) -> Response:
        return JSONResponse(listed)

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            seen.clear()
        return JSONResponse({"requests": list(seen)})

    routes = [Route("/healthz", healthz), Route("/requests", requests, methods=["GET", "DELETE"])]
    for prefix in PREFIXES:
        routes.append(Route(f"{prefix}/models", list_models))
        routes += [Route(prefix + api.path, _handler(api, seen), methods=["POST"]) for api in APIS]
    return Starlette(routes=routes)


def _handler(api: Api, seen: deque[dict[str, Any]]) -> Handler:
    async def handle(request: Request) -> Response:
        summary: dict[str, Any] = {
            "time": round(time.time(), 3),
            "endpoint": api.path.removeprefix("/"),
            "path": request.url.path,
            **_credentials(request),
            "headers": sorted(set(request.headers)),
        }
        seen.append(summary)
        try:
            parsed = read_request(summary["endpoint"], await _json(request))
            summary |= {"model": _printable(parsed.model), "stream": parsed.stream, "messages": parsed.turns}
            summary["parameters"] = sorted(parsed.body)
            controls = parse_controls(parsed.text, parsed.model)
            summary["status"] = controls.status
            _log_request(summary)
            await asyncio.sleep(controls.delay)
            _refuse_if_asked(api, parsed, controls)
            answer = make_answer(parsed, controls)
            summary["tokens"] = _tokens(answer)
            return _respond(api, answer)
        except RefusedError as refused:
            summary["status"] = refused.status
            # Not the message: a control tag that cannot be read is quoted in it, and that is prompt text.
            _LOG.warning("%s refused with %d", summary["endpoint"], refused.status)
            return JSONResponse(api.error(refused.status, refused.message), refused.status)

    return handle


def _credentials(request: Request) -> dict[str, Any]:
    """Return which host and key a request came for: the key as a digest, so that no list of requests holds one."""
    shown = request.headers.get("authorization") or request.headers.get("x-api-key")
    key = None if shown is None else sha256(shown.removeprefix("Bearer ").encode()).hexdigest()[:KEY_DIGITS]
    return {"authorization": shown is not None, "key": key, "host": _printable(request.headers.get("host", ""))}


async def _json(request: Request) -> object:
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "the body is not JSON") from error


def _refuse_if_asked(api: Api, parsed: ParsedRequest, controls: Controls) -> None:
    if controls.status != 200:
        raise RefusedError(controls.status, f"stub fault {controls.status} for model {_printable(parsed.model)}")
    unknown = sorted(parsed.body.keys() - api.parameters)
    if controls.strict and unknown:
        raise RefusedError(400, f"Unknown parameter: '{_printable(unknown[0])}'")


def _tokens(answer: Answer) -> dict[str, int]:
    """Return the usage figures in one form for all APIs; ``fresh`` is the prompt without the cache's share."""
    cached, written = answer.cached_tokens, answer.written_tokens
    fresh = answer.parsed.prompt_tokens - cached - written
    return {"fresh": fresh, "cached": cached, "written": written, "answer": answer.completion_tokens}


def _respond(api: Api, answer: Answer) -> Response:
    headers = {"x-request-id": f"req_{answer.answer_id}", "x-stub-model": _printable(answer.model)}
    if answer.parsed.stream and api.stream is not None:
        headers["cache-control"] = "no-cache"
        return CuttableStream(api.stream(answer), headers=headers, media_type="text/event-stream")
    whole = api.whole(answer)
    if answer.controls.cut is not None:
        return CutBody(json.dumps(whole), headers=headers, media_type="application/json")
    return JSONResponse(whole, headers=headers)


def _log_request(summary: dict[str, Any]) -> None:
    _LOG.info("%(endpoint)s model=%(model)s stream=%(stream)s messages=%(messages)d status=%(status)d", summary)


def _printable(name: str) -> str:
    """Keep a name that a client sent from writing lines of its own into the log or a header."""
    return re.sub(r"[^\x21-\x7e]", "?", name)[:MAX_LOGGED_NAME]
