"""uvicorn's parser of HTTP/1.1, without the trailers of a request.

uvicorn appends what comes after the last chunk to the list of headers that the application has (0.54, with httptools),
so a client could add headers behind those that the gateway has set. HAProxy 3.0 cannot take them out.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol  # part of the LiteLLM image


class HeadersOnlyProtocol(HttpToolsProtocol):
    """The parser that uvicorn takes by itself, but for trailers."""

    def on_headers_complete(self) -> None:
        """Begin the request; what comes after its body goes to a list that nobody reads."""
        super().on_headers_complete()
        # A WebSocket has no trailers, and uvicorn looks at its headers once more.
        if not self.parser.should_upgrade():
            self.headers = []
