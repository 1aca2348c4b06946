"""The feedback endpoint in LiteLLM's application, behind its key check. Imported only in the proxy."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

from vibe.feedback.feedback import PATH, take
from vibe.memory.store import Store


def offer(app: FastAPI, store: Callable[[], Store], most: int, count: Callable[[int], None]) -> None:
    """Add the feedback endpoint to *app*, before any catch-all route; *store* returns the store.

    *count* is called with the status of each answer.
    """

    async def feedback(request: Request) -> JSONResponse:
        status, document = await take(await request.body(), store(), most)
        count(status)
        return JSONResponse(document, status_code=status)

    # CRITICAL: in this order. The key check reads the body's stream to its end, unless the request has it already.
    checks = [Depends(_read), Depends(user_api_key_auth)]
    route = APIRoute(PATH, feedback, methods=["POST"], dependencies=checks)
    app.router.routes.insert(0, route)


async def _read(request: Request) -> None:
    await request.body()
