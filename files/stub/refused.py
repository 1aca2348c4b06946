"""The one way a request is turned down, raised wherever that becomes clear."""

from __future__ import annotations


class RefusedError(Exception):
    """A request that gets an error answer with this status; the message is fit for the client."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
