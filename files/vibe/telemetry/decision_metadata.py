"""The record of a decision on its way through LiteLLM: plain JSON values in the request's own metadata.

LiteLLM's loggers carry it from there, and the response hook finds it again.
"""

from __future__ import annotations

from collections.abc import Mapping

from vibe.routing.decision import Decision

METADATA_KEY = "vibe_decision"
# LiteLLM's names: of a session, and of the mark that it made the session's name up (1.106.12).
_SESSION, _IS_GENERATED = "session_id", "litellm_session_id_generated"
# Responses and Messages have litellm_metadata, and there "metadata" is the client's own, which goes upstream.
_HOLDERS = ("litellm_metadata", "metadata")


def remember(data: Mapping[str, object], decision: Decision) -> None:
    """Put *decision* into the metadata that LiteLLM keeps for itself."""
    for holder in map(data.get, _HOLDERS):
        if isinstance(holder, dict):
            holder[METADATA_KEY] = decision.as_metadata()
            return


def name_session(data: Mapping[str, object], name: str) -> None:
    """Give LiteLLM the *name* of a conversation as its session, which stays at one deployment of a pool.

    A name that the client gave stays.
    """
    for holder in map(data.get, _HOLDERS):
        if isinstance(holder, dict):
            if holder.pop(_IS_GENERATED, False) or not holder.get(_SESSION):
                holder[_SESSION] = name
            return


def recall(data: Mapping[str, object]) -> dict[str, object] | None:
    """Return what ``remember`` kept, None where nothing was decided."""
    for holder in map(data.get, _HOLDERS):
        kept = holder.get(METADATA_KEY) if isinstance(holder, dict) else None
        if isinstance(kept, dict):
            return kept
    return None


def forget(data: Mapping[str, object]) -> None:
    """Remove a record that a client put into its metadata: it would come back in our headers as if it were ours."""
    for holder in map(data.get, _HOLDERS):
        if isinstance(holder, dict):
            holder.pop(METADATA_KEY, None)
