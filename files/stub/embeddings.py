"""OpenAI embeddings: vectors made from the text's hash, so that equal texts have equal vectors."""

from __future__ import annotations

import base64
import hashlib
import struct

from stub.answer import Answer
from stub.api import Api, Json, openai_error
from stub.parameters import EMBEDDINGS_PARAMETERS

DEFAULT_DIMENSIONS = 16
MAX_DIMENSIONS = 4096


def _vector(text: str, dimensions: int) -> list[float]:
    digest = hashlib.shake_256(text.encode()).digest(dimensions)
    raw = [byte - 127.5 for byte in digest]
    length = sum(value * value for value in raw) ** 0.5
    return [value / length for value in raw]


def _whole(answer: Answer) -> Json:
    body = answer.parsed.body
    asked = body.get("dimensions")
    dimensions = min(max(asked, 1), MAX_DIMENSIONS) if isinstance(asked, int) else DEFAULT_DIMENSIONS
    given = body["input"]
    # A list of tokens is one text.
    is_one = not isinstance(given, list) or all(isinstance(token, int) for token in given)
    texts = [given] if is_one else given
    vectors: list[list[float] | str] = [_vector(str(text), dimensions) for text in texts]
    if body.get("encoding_format") == "base64":  # what the OpenAI SDKs ask for unless told otherwise
        vectors = [base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() for vector in vectors]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    tokens = answer.parsed.prompt_tokens
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": answer.model, "data": data, "usage": usage}


EMBEDDINGS = Api("/embeddings", _whole, None, openai_error, EMBEDDINGS_PARAMETERS)
