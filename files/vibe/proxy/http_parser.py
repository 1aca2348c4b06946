"""uvicorn's parser of HTTP/1.1, without the trailers of a request.

uvicorn appends what comes after the last chunk to the list of headers that the application has (0.54, with httptools),
so a client could add headers behind those that the gateway has set. HAProxy 3.0 cannot take them out.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol  # part of the LiteLLM image


class HeadersOnlyProtocol(HttpToolsProtocol):
    """uvicorn's default parser, except for trailers."""

    def on_headers_complete(self) -> None:
        """Begin the request; trailers go to a list that is discarded."""
        super().on_headers_complete()
        # A WebSocket has no trailers, and uvicorn reads its headers again.
        if not self.parser.should_upgrade():
            self.headers = []
