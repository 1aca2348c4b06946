"""A JSON file as whoever reads it refuses it: what keeps it from being read is said in his own error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Pairs = Callable[[list[tuple[str, object]]], object]


def read_json(path: Path, fault: Callable[[str], Exception], object_pairs: Pairs | None = None) -> object:
    """Return the document at *path*; *object_pairs* makes its objects, as ``json.loads`` has it.

    Raises:
        Exception: what *fault* makes of the words that say why it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=object_pairs)
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or type(error).__name__}") from None
    except (ValueError, RecursionError) as error:
        raise fault(f"is not valid JSON: {error}") from None
