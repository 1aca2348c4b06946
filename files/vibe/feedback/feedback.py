"""A client's judgement of an answer: ``POST /vibe/feedback`` with the answer's ``x-litellm-call-id``.

``{"request_id": "…", "good": true}``, or ``"score"`` from 0 to 1 instead of ``good``. Each answer is judged once, and
only answers whose decision was recorded (``decision_records``), so no client can fill the store.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from vibe.feedback.decision_records import outcome_of
from vibe.memory.store import AWAY, NOTED, TWICE, UNKNOWN, Store
from vibe.request.request_id import MAX_ID_CHARS
from vibe.strict_json import is_number

PATH = "/vibe/feedback"
MAX_BYTES = 4096
_ANSWERS = {
    NOTED: (HTTPStatus.OK, "noted"),
    UNKNOWN: (HTTPStatus.NOT_FOUND, "no answer with this request_id is kept: it is the answer's x-litellm-call-id"),
    TWICE: (HTTPStatus.CONFLICT, "this answer was judged already"),
    AWAY: (HTTPStatus.SERVICE_UNAVAILABLE, "what is said cannot be kept now; say it again in a minute"),
}


async def take(body: bytes, store: Store, most: int) -> tuple[int, dict[str, object]]:
    """Save the judgement in *body* to *store*, which keeps *most* of them; return the answer's status and body."""
    try:
        call_id, score = _said(body)
    except ValueError as error:
        return _answer(HTTPStatus.BAD_REQUEST, str(error))
    return _answer(*_ANSWERS[await store.judge(call_id, outcome_of(call_id, score), most)])


def _answer(status: HTTPStatus, words: str) -> tuple[int, dict[str, object]]:
    if status == HTTPStatus.OK:
        return status, {"status": words}
    kind = "overloaded_error" if status == HTTPStatus.SERVICE_UNAVAILABLE else "invalid_request_error"
    return status, {"type": "error", "error": {"message": words, "type": kind, "param": None, "code": None}}


def _said(body: bytes) -> tuple[str, float]:
    if len(body) > MAX_BYTES:
        raise ValueError(f"the body is longer than {MAX_BYTES} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not valid JSON") from None
    if not isinstance(document, dict):
        raise ValueError('the body must be one object: {"request_id", "good"} or {"request_id", "score"}')
    call_id, good, score = document.get("request_id"), document.get("good"), document.get("score")
    if not isinstance(call_id, str) or not 0 < len(call_id) <= MAX_ID_CHARS:
        raise ValueError(f"request_id: must be a text of 1 to {MAX_ID_CHARS} characters")
    if (good is None) == (score is None):
        raise ValueError("needs good (true or false) or score (0 to 1), one of them")
    if good is not None:
        if not isinstance(good, bool):
            raise ValueError("good: must be true or false")
        return call_id, float(good)
    if not is_number(score) or not 0 <= score <= 1:
        raise ValueError("score: must be a number from 0 to 1")
    return call_id, float(score)
