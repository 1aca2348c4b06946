"""Responses that break off: the server sees an unfinished response and drops the connection."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from stub.answer import StreamCutError


class CuttableStream(StreamingResponse):
    """A stream that stops without its end when its source raises StreamCutError."""

    async def stream_response(self, send: Send) -> None:
        """Send the stream; after a cut, return without the closing message that would make it a complete one."""
        try:
            await super().stream_response(send)
        except StreamCutError:
            return


class CutBody(Response):
    """A body that announces its whole length and stops half-way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
